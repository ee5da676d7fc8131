//! Slices as rows: the type of the schema that shows them is filled from their states. A large organisation has hundreds
//! of thousands, so that no asset is made of each where the type is as it is shipped.

use super::{
    GraphError,
    slices::{SLICE_TYPE, as_asset, asset_id},
};
use crate::{
    catalog::{Catalog, Cell, Field, FieldId, FieldKind, Row, RowBuffer, ScalarType, TypeId},
    model::{SliceKey, SliceState, Time},
};

/// How slices become rows of one catalog.
#[derive(Debug)]
pub(super) struct SliceRows {
    of: TypeId,
    /// Nothing where the type is another than is shipped: each slice is then judged as any asset is.
    fields: Option<Fields>,
}

/// The fields of the type, as far as it has them.
#[derive(Debug, Default)]
struct Fields {
    account_id: Option<FieldId>,
    region: Option<FieldId>,
    asset_type: Option<FieldId>,
    api: Option<FieldId>,
    outcome: Option<FieldId>,
    reason: Option<FieldId>,
    attempted_at: Option<FieldId>,
    completed_at: Option<FieldId>,
    asset_count: Option<FieldId>,
}

impl SliceRows {
    /// Nothing where the catalog has no type for slices.
    pub(super) fn of(catalog: &Catalog) -> Option<Self> {
        let (of, definition) =
            catalog.find(SLICE_TYPE).filter(|(_, definition)| definition.find("id").is_some())?;
        let mut fields = Some(Fields::default());
        for (id, field) in definition.iter().filter(|(_, field)| field.name != "id") {
            fields = fields.and_then(|fields| fields.with(id, field));
        }
        Some(Self { of, fields })
    }

    /// The type of slices.
    pub(super) fn of_type(&self) -> TypeId {
        self.of
    }

    /// Hands on the row of each slice.
    pub(super) fn each(
        &self,
        slices: &[SliceState],
        catalog: &Catalog,
        take: &mut dyn FnMut(&Row<'_, '_>),
    ) -> Result<(), GraphError> {
        let mut buffer = RowBuffer::default();
        for slice in slices {
            let Some(fields) = &self.fields else {
                if let Some(asset) = as_asset(slice, catalog) {
                    take(&catalog.row_of(&asset, 0, &mut RowBuffer::default())?);
                }
                continue;
            };
            buffer.clear();
            fields.give(slice, &mut buffer);
            take(&buffer.row(self.of, &asset_id(&slice.key), 0));
        }
        Ok(())
    }
}

impl Fields {
    /// Takes in a field; nothing where it is of another kind than this knows to fill.
    fn with(mut self, id: FieldId, field: &Field) -> Option<Self> {
        let FieldKind::Scalar { scalar, list: None, .. } = field.kind else {
            let is_filled = matches!(field.kind, FieldKind::Relation { .. } | FieldKind::Computed { .. });
            return is_filled.then_some(self);
        };
        let (slot, kind, may_lack) = match field.name.as_str() {
            "accountId" => (&mut self.account_id, ScalarType::String, false),
            "region" => (&mut self.region, ScalarType::String, false),
            "assetType" => (&mut self.asset_type, ScalarType::String, false),
            "api" => (&mut self.api, ScalarType::String, true),
            "outcome" => (&mut self.outcome, ScalarType::String, false),
            "reason" => (&mut self.reason, ScalarType::String, true),
            "attemptedAt" => (&mut self.attempted_at, ScalarType::DateTime, true),
            "completedAt" => (&mut self.completed_at, ScalarType::DateTime, true),
            "assetCount" => (&mut self.asset_count, ScalarType::BigInt, false),
            _ => return field.nullable.then_some(self),
        };
        *slot = Some(id);
        (kind == scalar && (field.nullable || !may_lack)).then_some(self)
    }

    fn give<'a>(&self, slice: &'a SliceState, buffer: &mut RowBuffer<'a>) {
        let SliceKey { account_id, region, asset_type } = &slice.key;
        let text = |text: Option<&'a str>| text.map_or(Cell::Null, Cell::Text);
        let time = |time: Option<Time>| time.map_or(Cell::Null, |time| Cell::Int(time.millis()));
        let api = Some(slice.api.as_str()).filter(|api| !api.is_empty());
        let cells = [
            (self.account_id, Cell::Text(account_id)),
            (self.region, Cell::Text(region)),
            (self.asset_type, Cell::Text(asset_type)),
            (self.api, text(api)),
            (self.outcome, Cell::Text(slice.outcome.as_str())),
            (self.reason, text(slice.reason.as_deref())),
            (self.attempted_at, time(slice.attempted_at)),
            (self.completed_at, time(slice.completed_at)),
            (self.asset_count, Cell::Int(i64::try_from(slice.assets).unwrap_or(i64::MAX))),
        ];
        for (field, cell) in cells {
            if let Some(field) = field {
                buffer.give(field, cell);
            }
        }
    }
}
