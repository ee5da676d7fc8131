//! Where things are, account and region, row by row: the assets of a table, and what a relation of theirs leads to. A
//! relation leads to the asset's own account and region unless its keys name others; `docs/decisions/018`.

use rustc_hash::FxHashMap;

use crate::{
    catalog::{FieldId, KeyPairs},
    graph::{Bitmap, Column, Graph, Table},
};

const ACCOUNT: &str = "accountId";
const REGION: &str = "region";
const ID: &str = "id";

/// What tells where rows of a table, or what they relate to, are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum ToldBy {
    /// A field with the account and one with the region; without a field every account, or every region, is meant.
    Fields { account: Option<FieldId>, region: Option<FieldId> },
    /// A field with an ARN, as far as it names an account.
    Arn(FieldId),
}

impl ToldBy {
    /// What tells where the assets of a table are.
    pub(super) fn header(graph: &Graph, table: &Table) -> Self {
        let definition = graph.catalog().get(table.of);
        let find = |name| definition.find(name).map(|(field, _)| field);
        Self::Fields { account: find(ACCOUNT), region: find(REGION) }
    }

    /// What tells where the targets of a relation are. A key that is compared with `accountId` or `region` names the
    /// account or the region; a region that is not named is any one of an account that is. A key that is compared with
    /// `id` may be an ARN with both in it: what it names may be listed there, and as a stub beside the asset. What may be
    /// anywhere is in any account and region that no key names.
    pub(super) fn keys(graph: &Graph, table: &Table, keys: &KeyPairs) -> Vec<Self> {
        let definition = graph.catalog().get(table.of);
        let find = |name: &str| definition.find(name).map(|(field, _)| field);
        let named =
            |reference: &str| keys.pairs.iter().find(|(_, target)| target == reference).map(|(own, _)| own);
        let region = match (named(ACCOUNT), named(REGION)) {
            (_, Some(own)) => find(own),
            (Some(_), None) => None,
            (None, None) if keys.anywhere => None,
            (None, None) => find(REGION),
        };
        let account = match named(ACCOUNT) {
            Some(own) => find(own),
            None if keys.anywhere => None,
            None => find(ACCOUNT),
        };
        let arn = named(ID).and_then(|own| find(own)).map(Self::Arn);
        std::iter::once(Self::Fields { account, region }).chain(arn).collect()
    }
}

/// An account and a region; nothing stands for all of them.
type Place = (Option<String>, Option<String>);

/// The place of each row of a table, each distinct one once.
#[derive(Debug)]
pub(super) struct Places {
    of_row: Vec<u32>,
    distinct: Vec<Place>,
}

/// The codes of an account and of a region.
type Codes = (Option<u32>, Option<u32>);

/// Stands for the place of a row that has none.
const NOWHERE: u32 = u32::MAX;

impl Places {
    pub(super) fn read(table: &Table, told_by: ToldBy) -> Self {
        match told_by {
            ToldBy::Fields { account, region } => Self::of_fields(
                table,
                account.map(|field| table.column(field)),
                region.map(|field| table.column(field)),
            ),
            ToldBy::Arn(field) => Self::of_arns(table, table.column(field)),
        }
    }

    fn of_fields(table: &Table, account: Option<&Column>, region: Option<&Column>) -> Self {
        let mut numbers = FxHashMap::default();
        let mut distinct = Vec::new();
        // Rows in the order of their ids mostly stand beside others of their account and region.
        let mut before: Option<(Codes, u32)> = None;
        let of_row = (0u32..)
            .take(table.rows)
            .map(|row| {
                // A list of accounts has no code: then it may be any.
                let code = |column: Option<&Column>| column?.text_data()?.code(row);
                let place = (code(account), code(region));
                if let Some((_, number)) = before.filter(|(known, _)| *known == place) {
                    return number;
                }
                let number = *numbers.entry(place).or_insert_with(|| {
                    let text = |column: Option<&Column>| Some(column?.text(row)?.into_owned());
                    distinct.push((text(account), text(region)));
                    u32::try_from(distinct.len() - 1).unwrap_or(NOWHERE)
                });
                before = Some((place, number));
                number
            })
            .collect();
        Self { of_row, distinct }
    }

    fn of_arns(table: &Table, column: &Column) -> Self {
        let Some(text) = column.text_data() else {
            // A list of ARNs: any of them may be anywhere.
            return Self { of_row: vec![0; table.rows], distinct: vec![(None, None)] };
        };
        let mut distinct: Vec<Place> = Vec::new();
        let mut numbers: FxHashMap<String, u32> = FxHashMap::default();
        let mut of_code = vec![NOWHERE; text.distinct()];
        for (code, arn) in text.iter() {
            let Some(named) = named_by(&arn) else { continue };
            let number = numbers.get(named).copied().unwrap_or_else(|| {
                let number = u32::try_from(distinct.len()).unwrap_or(NOWHERE);
                distinct.push(place_of(named));
                numbers.insert(named.to_owned(), number);
                number
            });
            if let Some(slot) = of_code.get_mut(code as usize) {
                *slot = number;
            }
        }
        let of_row = (0u32..).take(table.rows).map(|row| {
            let number = text.code(row).and_then(|code| of_code.get(code as usize).copied());
            number.unwrap_or(NOWHERE)
        });
        Self { of_row: of_row.collect(), distinct }
    }

    /// The account and region of a row.
    pub(super) fn of(&self, row: u32) -> Option<(Option<&str>, Option<&str>)> {
        let place = self.of_row.get(row as usize).and_then(|&place| self.distinct.get(place as usize));
        place.map(|(account, region)| (account.as_deref(), region.as_deref()))
    }

    /// Which of the distinct places the one of a row is.
    pub(super) fn number(&self, row: u32) -> Option<usize> {
        self.of_row
            .get(row as usize)
            .map(|&place| place as usize)
            .filter(|place| *place < self.distinct.len())
    }

    /// Each account and region that a row has, once.
    pub(super) fn distinct(&self) -> &[Place] {
        &self.distinct
    }

    /// The rows whose place passes, each place asked once; nothing where none does.
    pub(super) fn rows_where(&self, passes: impl Fn(Option<&str>, Option<&str>) -> bool) -> Option<Bitmap> {
        let places: Vec<bool> = self
            .distinct
            .iter()
            .map(|(account, region)| passes(account.as_deref(), region.as_deref()))
            .collect();
        places.contains(&true).then(|| {
            Bitmap::from_values(&self.of_row, |place| places.get(place as usize).copied().unwrap_or(false))
        })
    }
}

/// What an ARN says of where something is, as `region:account`. Nothing where no account is named, as in the ARN of a
/// bucket.
fn named_by(arn: &str) -> Option<&str> {
    let from_region = arn.strip_prefix("arn:")?.splitn(3, ':').nth(2)?;
    let (region, from_account) = from_region.split_once(':')?;
    let (account, _resource) = from_account.split_once(':')?;
    let named = from_region.get(..region.len() + 1 + account.len())?;
    (!account.is_empty()).then_some(named)
}

/// What has no region in its ARN is account-wide.
fn place_of(named: &str) -> Place {
    let (region, account) = named.split_once(':').unwrap_or(("", named));
    let region = Some(region.to_owned()).filter(|region| !region.is_empty());
    (Some(account.to_owned()), region)
}
