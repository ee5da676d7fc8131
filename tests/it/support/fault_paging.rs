//! Splits the list in an EC2 answer into pages, by hand: moto hands out everything at once, whatever is asked for.
#![allow(
    clippy::expect_used,
    clippy::string_slice,
    reason = "what tests stand on fails by panicking, as they do"
)]

/// How a list is handed out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Paging {
    /// The size of each page; the last size goes on. `[5]` is pages of 5, `[5, 0, 7, 5]` has an empty second page and
    /// a third one that is larger than the others.
    pub(crate) sizes: Vec<usize>,
    /// The page whose token leads back to itself.
    pub(crate) stuck_at: Option<usize>,
    /// The page whose token leads back to the first page that had a token.
    pub(crate) loop_at: Option<usize>,
}

impl Paging {
    /// Pages of these sizes, as they should be.
    pub(crate) fn of(sizes: impl Into<Vec<usize>>) -> Self {
        Self { sizes: sizes.into(), ..Self::default() }
    }

    fn size(&self, page: usize) -> usize {
        let last = self.sizes.last().copied().unwrap_or(1);
        self.sizes.get(page - 1).copied().unwrap_or(last)
    }
}

const SETS: [&str; 12] = [
    "regionInfo",
    "vpcSet",
    "flowLogSet",
    "subnetSet",
    "networkInterfaceSet",
    "routeTableSet",
    "internetGatewaySet",
    "natGatewaySet",
    "securityGroupInfo",
    "transitGatewaySet",
    "transitGatewayAttachments",
    "vpcPeeringConnectionSet",
];

/// The text of one page (the first is 1) of a whole answer.
pub(crate) fn page_of(whole: &str, paging: &Paging, page: usize) -> String {
    let Some((before, list, after)) = SETS.iter().find_map(|set| split_list(whole, set)) else {
        return whole.to_owned();
    };
    let items = split_items(list);
    let start: usize = (1..page).map(|earlier| paging.size(earlier)).sum();
    let end = start + paging.size(page);
    let shown: String = items.iter().skip(start).take(end - start).copied().collect();
    let next = match page {
        _ if paging.stuck_at == Some(page) => Some(page),
        _ if paging.loop_at == Some(page) => Some(2),
        _ if end < items.len() => Some(page + 1),
        _ => None,
    };
    let token = next.map(|next| format!("<nextToken>page-{next}</nextToken>")).unwrap_or_default();
    let (open, close) = after.split_at(after.find('>').expect("the end of the list's tag") + 1);
    format!("{before}{shown}{open}{token}{close}")
}

/// The text of an answer whose list has none of the items that hold one of these texts.
pub(crate) fn without_items(text: &str, holding: &[&str]) -> String {
    let Some((before, list, after)) = SETS.iter().find_map(|set| split_list(text, set)) else {
        return text.to_owned();
    };
    let mut kept = split_items(list);
    kept.retain(|item| !holding.iter().any(|text| item.contains(text)));
    format!("{before}{}{after}", kept.concat())
}

/// The text of an answer up to where its last item begins: no item is torn, only the end is missing.
pub(crate) fn without_its_end(text: &str) -> &str {
    let list = SETS.iter().find_map(|set| split_list(text, set));
    let Some((before, list, _)) = list else { return &text[..text.len() / 2] };
    let last = split_items(list).last().map_or(0, |item| item.len());
    &text[..before.len() + list.len() - last]
}

/// Before the items, the items, and the closing tag with all after it.
fn split_list<'a>(whole: &'a str, set: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let open = format!("<{set}>");
    let start = whole.find(&open)? + open.len();
    let end = whole.rfind(&format!("</{set}>"))?;
    Some((&whole[..start], &whole[start..end], &whole[end..]))
}

/// The items of the outermost level, each with its tags.
fn split_items(list: &str) -> Vec<&str> {
    let (mut items, mut depth, mut start, mut at) = (Vec::new(), 0_usize, 0, 0);
    while let Some(found) = list[at..].find('<') {
        let tag = at + found;
        if list[tag..].starts_with("<item>") {
            if depth == 0 {
                start = tag;
            }
            depth += 1;
        } else if list[tag..].starts_with("</item>") {
            depth -= 1;
            if depth == 0 {
                items.push(&list[start..tag + "</item>".len()]);
            }
        }
        at = tag + 1;
    }
    items
}
