//! The mutation and subscription roots, and the object around a finding that changed.

use async_graphql::dynamic::{
    Enum, EnumItem, Field, InputValue, Object, SchemaBuilder, Subscription, SubscriptionField,
    SubscriptionFieldFuture, TypeRef,
};
use futures_util::stream;

use super::outputs::{nothing, where_argument};
use crate::{
    catalog::Catalog,
    query::actions::{
        Act, FINDING, FINDING_CHANGE, FINDING_CHANGE_KIND, FINDING_CHANGE_KINDS, MUTATION, SUBSCRIPTION,
        Watch,
    },
};

/// The names of the roots that a catalog has.
pub(super) fn roots(catalog: &Catalog) -> (Option<&'static str>, Option<&'static str>) {
    (Act::all(catalog).next().map(|_| MUTATION), Watch::all(catalog).next().map(|_| SUBSCRIPTION))
}

/// Registers the roots that there are.
pub(super) fn register(catalog: &Catalog, mut builder: SchemaBuilder) -> SchemaBuilder {
    let (mutation, subscription) = roots(catalog);
    if mutation.is_some() {
        let root = Object::new(MUTATION).description(
            "What a server does when it is asked to. Each field answers once what came of it is on disk; what fails is \
             null, with an error of its own.",
        );
        let fields = Act::all(catalog).map(|(act, of)| mutation_field(act, &catalog.get(of).name));
        builder = builder.register(fields.fold(root, Object::field));
    }
    if subscription.is_some() {
        let root = Subscription::new(SUBSCRIPTION)
            .description("What a server tells as it happens, over WebSocket (graphql-transport-ws).");
        let fields = Watch::all(catalog).map(|(watch, of)| {
            let of = catalog.get(of);
            let field = |result: TypeRef| {
                SubscriptionField::new(watch.name(), result, |_| {
                    SubscriptionFieldFuture::new(async {
                        Ok(stream::empty::<async_graphql::Result<async_graphql::Value>>())
                    })
                })
            };
            match watch {
                Watch::FindingChanged => field(TypeRef::named_nn(FINDING_CHANGE))
                    .argument(where_argument(of))
                    .description("A finding that changed, of those that the filter keeps as they are then."),
                Watch::CheckRunFinished => field(TypeRef::named_nn(&of.name))
                    .argument(
                        InputValue::new("check", TypeRef::named(TypeRef::ID))
                            .description("Of this check alone."),
                    )
                    .description("A run of a check that has ended and is on record."),
            }
        });
        builder = builder.register(fields.fold(root, Subscription::field));
    }
    if Watch::FindingChanged.of(catalog).is_some() {
        builder = builder.register(finding_change()).register(finding_change_kind());
    }
    builder
}

fn mutation_field(act: Act, result: &str) -> Field {
    let field = Field::new(act.name(), TypeRef::named(result), |_| nothing());
    let text = |name: &str, description: &str| {
        InputValue::new(name, TypeRef::named(TypeRef::STRING)).description(description)
    };
    let id = |name: &str, description: &str| {
        InputValue::new(name, TypeRef::named(TypeRef::ID)).description(description)
    };
    let needed = |name: &str, of: &str, description: &str| {
        InputValue::new(name, TypeRef::named_nn(of)).description(description)
    };
    let list = |name: &str, description: &str| {
        InputValue::new(name, TypeRef::named_nn_list(TypeRef::STRING)).description(description)
    };
    let (arguments, description) = match act {
        Act::RunCheck => (
            vec![needed("id", TypeRef::ID, "The check.")],
            "Runs a check now, over the newest inventory, and puts the run on record.",
        ),
        Act::AddException => (
            vec![
                id("check", "For this check alone; for all, where left out."),
                id("asset", "For this asset: its id, or its own id within the account."),
                text("account", "For every asset of this account."),
                text(
                    "filter",
                    "For the assets of which this filter is certainly true, as in `where`, as text.",
                ),
                text("assetType", "The type the filter is of, where no check says it."),
                needed("owner", TypeRef::STRING, "Who answers for it."),
                needed("reason", TypeRef::STRING, "Why."),
                needed("expiresAt", "DateTime", "When it ends."),
            ],
            "Accepts failing assets, until some date. Exactly one of asset, account and filter; none of them for a check \
             that is judged as a whole, such as a count.",
        ),
        Act::RevokeException => (
            vec![needed("id", TypeRef::ID, "The exception.")],
            "Takes an exception back: what it accepted is open again.",
        ),
        Act::Collect => (
            vec![
                list("accounts", "Only these accounts."),
                list("regions", "Only these regions."),
                list("only", "Only these types."),
            ],
            "Begins to collect, and answers with the job: ask for it by its id to see how it ended. One collection runs \
             at a time.",
        ),
    };
    arguments.into_iter().fold(field, Field::argument).description(description)
}

fn finding_change() -> Object {
    let field = |name: &str, of: TypeRef, description: &str| {
        Field::new(name, of, |_| nothing()).description(description)
    };
    Object::new(FINDING_CHANGE)
        .description("A finding that changed.")
        .field(field("kind", TypeRef::named_nn(FINDING_CHANGE_KIND), "How."))
        .field(field("at", TypeRef::named_nn("DateTime"), "When: that of the run that showed it."))
        .field(field(FINDING, TypeRef::named_nn("Finding"), "The finding as it is now."))
}

fn finding_change_kind() -> Enum {
    let kinds = FINDING_CHANGE_KINDS.map(|(name, description)| EnumItem::new(name).description(description));
    Enum::new(FINDING_CHANGE_KIND).description("How a finding changed.").items(kinds)
}
