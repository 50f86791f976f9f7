//! Amounts in their canonical form: upstream reads `0.5` and `1024Mi`, and writes `500m` and `1Gi`.

use mainstay_resource::Quantity;
use serde_json::Value;

use crate::fields::{Fields, Fill as _};

/// The map of amounts below a field; each is rounded up to thousandths, as upstream does.
pub(super) fn list(fields: &mut Fields, name: &str) {
    for value in fields.child(name).into_iter().flat_map(Fields::values_mut) {
        write(value, |amount| {
            let thousandths = Quantity::milli(amount.milli_value());
            if thousandths > amount { thousandths.with_format(amount.format()) } else { amount }
        });
    }
}

/// The amount below a field.
pub(super) fn one(fields: &mut Fields, name: &str) {
    if let Some(value) = fields.get_mut(name) {
        write(value, |amount| amount);
    }
}

/// What a container, a claim or a pod asks for and may use.
pub(super) fn resources(fields: &mut Fields) {
    if let Some(resources) = fields.child("resources") {
        list(resources, "limits");
        list(resources, "requests");
    }
}

/// What is no amount is left for validation.
fn write(value: &mut Value, round: impl Fn(Quantity) -> Quantity) {
    if !matches!(value, Value::String(_) | Value::Number(_)) {
        return;
    }
    let Ok(amount) = Quantity::from_value(value) else { return };
    let canonical = round(amount).to_string();
    if value.as_str() != Some(&canonical) {
        *value = Value::String(canonical);
    }
}
