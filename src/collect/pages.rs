//! Reads a list to its end. Only the token says whether more follows: a page may be larger than asked or empty and
//! still not be the last; and a token that comes back, or never ends, is a failure and not the end of a list (the
//! SDK's own paginators take a repeated token for the end).

use std::collections::HashSet;

use aws_sdk_ec2::{Client, types::Filter};

use super::{
    api::{Ask, RegionalApi},
    connect::Connection,
    failure::Failure,
    shape::Origin,
};
use crate::{model::Asset, store::Packed};

/// 10,000 pages of 1,000 are more than any list of one account and region can hold.
const MAX_PAGES: usize = 10_000;

/// One page of a list.
#[derive(Debug)]
pub(crate) struct Page {
    /// What it holds, shaped.
    pub(crate) assets: Vec<Asset>,
    /// Where the next one starts.
    pub(crate) next_token: Option<String>,
}

/// The tokens of one list so far.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    seen: HashSet<String>,
}

impl Tokens {
    /// The token of the next page; nothing after the last one.
    pub(crate) fn next(&mut self, token: Option<String>) -> Result<Option<String>, Failure> {
        let Some(token) = token.filter(|token| !token.is_empty()) else { return Ok(None) };
        if !self.seen.insert(token.clone()) {
            return Err(Failure::other("a page token came twice, the list has no end"));
        }
        if self.seen.len() >= MAX_PAGES {
            return Err(Failure::other("the list has more than 10,000 pages"));
        }
        Ok(Some(token))
    }
}

/// The most values that one filter of EC2 takes.
const FILTER_VALUES: usize = 200;

/// Reads every page of one slice, and holds no more than one of them as it came. A list that shifts between two pages
/// shows an item twice; the later sight counts.
pub(crate) async fn read_all(
    api: &dyn RegionalApi,
    clients: (&Connection, &Client),
    origin: &Origin,
) -> Result<Packed, Failure> {
    let mut packed = Packed::default();
    read_pages(api, clients, origin, None, &mut |page| pack(&mut packed, &page)).await?;
    Ok(packed)
}

/// Adds assets to those that wait for their commit.
pub(crate) fn pack(packed: &mut Packed, assets: &[Asset]) -> Result<(), Failure> {
    packed.extend(assets).map_err(|_| Failure::other("what was read could not be held"))
}

/// Reads what a list has of some native ids: of those that are not there it says nothing.
pub(crate) async fn read_these(
    api: &dyn RegionalApi,
    clients: (&Connection, &Client),
    origin: &Origin,
    native_ids: &[String],
) -> Result<Vec<Asset>, Failure> {
    let mut found = Vec::new();
    for ids in native_ids.chunks(FILTER_VALUES) {
        let filter = Filter::builder().name(api.id_filter()).set_values(Some(ids.to_vec())).build();
        let mut take = |page| {
            found.extend::<Vec<Asset>>(page);
            Ok(())
        };
        read_pages(api, clients, origin, Some(vec![filter]), &mut take).await?;
    }
    Ok(found)
}

async fn read_pages(
    api: &dyn RegionalApi,
    (connection, client): (&Connection, &Client),
    origin: &Origin,
    filters: Option<Vec<Filter>>,
    take: &mut (dyn FnMut(Vec<Asset>) -> Result<(), Failure> + Send),
) -> Result<(), Failure> {
    let mut tokens = Tokens::default();
    let mut token = None;
    loop {
        connection.pace(&origin.caller, &origin.region, api.action()).await;
        let page = api.page(client, origin, Ask { token, filters: filters.clone() }).await?;
        take(page.assets)?;
        token = tokens.next(page.next_token)?;
        if token.is_none() {
            return Ok(());
        }
    }
}
