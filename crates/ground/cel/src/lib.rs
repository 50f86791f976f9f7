//! CEL expressions over Kubernetes objects.
//!
//! An [`Expression`] is compiled once and asked often; a [`Value`] is an object as CEL sees it, made
//! once and shared. Whole numbers are CEL's `int`, as upstream's are.
//!
//! **Invariants:** an expression is bounded in length, and names only variables it was told of.
//! Nothing here reads a clock: there are no `timestamp` and `duration` values.
//!
//! **Not here:** what an expression is about (`drill`), Kubernetes' own function libraries beyond
//! CEL's strings, lists and math.
//!
//! SPEC: the Common Expression Language; `has`, `all`, `exists`, `exists_one`, `map`, `filter`.

mod expression;
mod free;
mod value;

pub use expression::{Expression, InvalidExpression, NoAnswer};
pub use value::Value;
