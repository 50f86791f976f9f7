//! Which variables an expression takes from outside.

use std::collections::BTreeSet;

use cel::common::ast::{EntryExpr, Expr, IdedExpr};

/// The names an expression needs a value for; those that `all`, `map` and their like bind are not.
pub(crate) fn variables(expression: &IdedExpr) -> BTreeSet<String> {
    let mut free = BTreeSet::new();
    walk(expression, &mut Vec::new(), &mut free);
    free
}

fn walk<'e>(expression: &'e IdedExpr, bound: &mut Vec<&'e str>, free: &mut BTreeSet<String>) {
    match &expression.expr {
        Expr::Ident(name) if !bound.contains(&name.as_str()) && !name.starts_with('@') => {
            free.insert(name.clone());
        }
        Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => {}
        Expr::Select(select) => walk(&select.operand, bound, free),
        Expr::Call(call) => {
            let target = call.target.iter().map(|target| &**target);
            target.chain(&call.args).for_each(|part| walk(part, bound, free));
        }
        Expr::List(list) => list.elements.iter().for_each(|item| walk(item, bound, free)),
        Expr::Map(map) => map.entries.iter().for_each(|entry| walk_entry(&entry.expr, bound, free)),
        Expr::Struct(fields) => fields.entries.iter().for_each(|entry| walk_entry(&entry.expr, bound, free)),
        Expr::Comprehension(loop_) => {
            walk(&loop_.iter_range, bound, free);
            walk(&loop_.accu_init, bound, free);
            let before = bound.len();
            bound.extend([loop_.iter_var.as_str(), loop_.accu_var.as_str()]);
            bound.extend(loop_.iter_var2.as_deref());
            for part in [&loop_.loop_cond, &loop_.loop_step, &loop_.result] {
                walk(part, bound, free);
            }
            bound.truncate(before);
        }
    }
}

fn walk_entry<'e>(entry: &'e EntryExpr, bound: &mut Vec<&'e str>, free: &mut BTreeSet<String>) {
    match entry {
        EntryExpr::StructField(field) => walk(&field.value, bound, free),
        EntryExpr::MapEntry(entry) => {
            walk(&entry.key, bound, free);
            walk(&entry.value, bound, free);
        }
    }
}
