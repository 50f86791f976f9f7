//! A file has at most 800 lines and a function at most 70, tests aside.

use proc_macro2::Span;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

use super::RustFile;

const FILE_LINES: usize = 800;
const FUNCTION_LINES: usize = 70;

/// Objections to one file.
pub(super) fn check(file: &RustFile) -> anyhow::Result<Vec<String>> {
    if file.is_test() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    if file.text.lines().count() > FILE_LINES {
        found.push(format!("{} has more than {FILE_LINES} lines", file.name()));
    }
    let tree = syn::parse_file(&file.text)?;
    let mut visitor = Functions { long: Vec::new() };
    visitor.visit_file(&tree);
    found.extend(
        visitor
            .long
            .iter()
            .map(|name| format!("{}: fn {name} has more than {FUNCTION_LINES} lines", file.name())),
    );
    Ok(found)
}

struct Functions {
    long: Vec<String>,
}

impl Functions {
    fn measure(&mut self, name: &syn::Ident, span: Span) {
        if span.end().line - span.start().line + 1 > FUNCTION_LINES {
            self.long.push(name.to_string());
        }
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if !is_test_module(module) {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.measure(
            &function.sig.ident,
            function.sig.span().join(function.block.span()).unwrap_or_else(|| function.block.span()),
        );
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.measure(&function.sig.ident, function.block.span());
        visit::visit_impl_item_fn(self, function);
    }
}

/// Whether the module is `#[cfg(test)]`.
fn is_test_module(module: &syn::ItemMod) -> bool {
    module.attrs.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Ident>().is_ok_and(|condition| condition == "test")
    })
}
