//! Amounts by name, and their arithmetic.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::Quantity;

/// Amounts by name.
pub type Amounts = BTreeMap<String, Quantity>;

/// Reads a map of amounts; what is none is left out.
pub fn read(map: Option<&Value>) -> Amounts {
    map.and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(name, amount)| Some((name.clone(), Quantity::from_value(amount).ok()?)))
        .collect()
}

/// Amounts as objects carry them.
pub fn to_value(amounts: &Amounts) -> Value {
    amounts.iter().map(|(name, amount)| (name.clone(), Value::from(amount.to_string()))).collect()
}

/// Adds to each amount that of the same name; one that is not there begins with it.
pub fn add(amounts: &mut Amounts, more: &Amounts) {
    for (name, amount) in more {
        match amounts.get_mut(name) {
            Some(own) => *own = own.checked_add(*amount).unwrap_or(*own),
            None => {
                amounts.insert(name.clone(), *amount);
            }
        }
    }
}

/// Raises each amount to that of the same name, where that is larger.
pub fn raise(amounts: &mut Amounts, other: &Amounts) {
    for (name, amount) in other {
        match amounts.get_mut(name) {
            Some(own) if *own >= *amount => {}
            Some(own) => *own = *amount,
            None => {
                amounts.insert(name.clone(), *amount);
            }
        }
    }
}

/// By how much amounts are more than they were; those that are not are left out.
pub fn increase(before: &Amounts, after: &Amounts) -> Amounts {
    let more = |name: &String, amount: &Quantity| match before.get(name) {
        Some(old) => amount.checked_sub(*old),
        None => Some(*amount),
    };
    after
        .iter()
        .filter_map(|(name, amount)| Some((name.clone(), more(name, amount)?)))
        .filter(|(_, amount)| *amount > Quantity::ZERO)
        .collect()
}

/// Amounts for a message: `cpu=2,pods=1`.
pub fn text<'a>(amounts: impl IntoIterator<Item = (&'a str, Quantity)>) -> String {
    let parts: Vec<String> = amounts.into_iter().map(|(name, amount)| format!("{name}={amount}")).collect();
    parts.join(",")
}
