//! YAML as kustomize prints it: keys in natural order, lists at their key's indent, lines folded
//! where they grow wider than 80.
//!
//! **Spec:** the emitter of go-yaml 2.

mod order;
mod text;

use crate::node::{Content, Fields, Node};
use crate::scalar::{self, Tag};

/// Adds a document to a text.
pub(crate) fn document(out: &mut String, node: &Node) {
    let mut writer = Writer { out, column: 0 };
    match &node.content {
        Content::Map(fields) if !fields.is_empty() => writer.map(fields, 0),
        Content::List(items) if !items.is_empty() => writer.list(items, 0),
        _ => {
            writer.value(node, 0);
            writer.break_line();
        }
    }
}

/// A text being written, and in which column.
struct Writer<'o> {
    out: &'o mut String,
    column: usize,
}

impl Writer<'_> {
    fn put(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.chars().count();
    }

    fn break_line(&mut self) {
        self.out.push('\n');
        self.column = 0;
    }

    fn indent(&mut self, indent: usize) {
        for _ in self.column..indent {
            self.put(" ");
        }
    }

    /// A map whose first key goes where the writer stands, if that is at its indent.
    fn map(&mut self, fields: &Fields, indent: usize) {
        let mut entries: Vec<_> = fields.iter().collect();
        order::sort(&mut entries);
        for (name, value) in entries {
            self.indent(indent);
            // Longer keys need a sign before them and before their value.
            let is_long = name.chars().count() > 128;
            if is_long {
                self.put("? ");
            }
            self.text(name, indent, true);
            if is_long {
                self.break_line();
                self.indent(indent);
            }
            self.put(":");
            match &value.content {
                Content::Map(fields) if !fields.is_empty() => {
                    self.break_line();
                    self.map(fields, indent + 2);
                }
                Content::List(items) if !items.is_empty() => {
                    self.break_line();
                    self.list(items, indent);
                }
                _ => {
                    self.put(" ");
                    self.value(value, indent + 2);
                    self.break_line();
                }
            }
        }
    }

    fn list(&mut self, items: &[Node], indent: usize) {
        for item in items {
            self.indent(indent);
            self.put("- ");
            match &item.content {
                Content::Map(fields) if !fields.is_empty() => self.map(fields, indent + 2),
                Content::List(items) if !items.is_empty() => self.list(items, indent + 2),
                _ => {
                    self.value(item, indent + 2);
                    self.break_line();
                }
            }
        }
    }

    /// A scalar, or something empty; further lines of it are indented so far.
    fn value(&mut self, node: &Node, indent: usize) {
        match &node.content {
            Content::List(_) => self.put("[]"),
            Content::Map(_) => self.put("{}"),
            Content::Scalar(tag, text) => match tag {
                Tag::Null => self.put("null"),
                Tag::Bool => self.put(&text.to_ascii_lowercase()),
                Tag::Integer | Tag::Float => self.put(&scalar::number(text, *tag)),
                Tag::Time => self.text(&scalar::time(text), indent, false),
                Tag::Text => self.text(text, indent, false),
            },
        }
    }
}
