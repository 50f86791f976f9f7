//! YAML text into nodes of the tree.
//!
//! The text may be a whole file or a block inside Markdown; `Lines` says where each of its lines
//! stands in the file. After broken YAML reading goes on at the next line that starts a document.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use mainstay_base::{Diagnostic, limits};
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, Tag};

use crate::file::{File, count};
use crate::problem;
use crate::scalar::Form;
use crate::tree::{Extent, NodeId, Place, Tree};

mod mapping;
mod quoted;

use quoted::{Mended, position};

/// Where the lines of a text stand in the file.
pub(crate) enum Lines {
    /// The text is the file.
    Same,
    /// For each line of the text the file's line, from 1, and how many characters precede it there.
    Moved(Vec<(u32, u32)>),
    /// They cannot be told apart: all that is in the text stands at one place.
    Point(Place),
}

/// A document's root and what is to be said of it.
#[derive(Default)]
pub(crate) struct Parsed {
    /// The roots of the documents that are not empty.
    pub roots: Vec<NodeId>,
    /// What is wrong.
    pub diagnostics: Vec<Diagnostic>,
}

impl Parsed {
    /// Adds to what is wrong, as far as anybody would read it.
    fn extend(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        let room = self.room();
        self.diagnostics.extend(diagnostics.into_iter().take(room));
    }

    /// How many more problems are told.
    fn room(&self) -> usize {
        limits::SOURCE_PROBLEMS.saturating_sub(self.diagnostics.len())
    }
}

/// How a parser ended.
enum Ended {
    /// All was read.
    Whole,
    /// It broke at this line of its text, from 0.
    Broken(u32),
    /// The document that starts at this line of its text is to be read again, out of another text.
    Again(u32, String),
}

/// Reads all documents of a text.
pub(crate) fn parse(tree: &mut Tree, file: u32, text: &str, lines: &Lines) -> Parsed {
    let mut parsed = Parsed::default();
    let mut mended = Mended::default();
    let (mut text, mut start, mut line) = (Cow::Borrowed(text), 0, 0);
    loop {
        let source = Arc::clone(&tree.files[file as usize]);
        let rest = &text[start..];
        let builder = Builder {
            document: (0, parsed.diagnostics.len(), tree.extent()),
            tree,
            file,
            source,
            lines,
            line,
            mended: &mut mended,
            parsed,
            anchors: BTreeMap::new(),
            open: Vec::new(),
        };
        let (back, ended) = builder.run(rest);
        parsed = back;
        match ended {
            Ended::Whole => return parsed,
            Ended::Again(document, other) => {
                start = other.split_inclusive('\n').take(document as usize).map(str::len).sum();
                line += document;
                text = Cow::Owned(other);
            }
            Ended::Broken(at) => {
                let Some((skipped, remaining)) = next_document(rest, at) else { return parsed };
                start += rest.len() - remaining.len();
                line += skipped;
            }
        }
    }
}

/// What starts with the first `---` line from a line (from 0) on: the lines before it, and the rest.
/// It is never the whole text, so that every step moves on.
fn next_document(text: &str, from: u32) -> Option<(u32, &str)> {
    let mut start = 0;
    for (number, line) in (0..).zip(text.split_inclusive('\n')) {
        if number >= from.max(1) && line.starts_with("---") {
            return Some((number, &text[start..]));
        }
        start += line.len();
    }
    None
}

/// A collection whose end was not seen yet.
struct Open {
    is_mapping: bool,
    children: Vec<NodeId>,
    place: Place,
    anchor: usize,
}

struct Builder<'t> {
    tree: &'t mut Tree,
    file: u32,
    source: Arc<File>,
    lines: &'t Lines,
    /// The line of the text, from 0, at which this parser started.
    line: u32,
    mended: &'t mut Mended,
    /// The line of the text at which this document starts; how many problems were told, and how much
    /// the tree held before it.
    document: (u32, usize, Extent),
    parsed: Parsed,
    /// The nodes of this document's anchors.
    anchors: BTreeMap<usize, NodeId>,
    open: Vec<Open>,
}

impl Builder<'_> {
    /// Reads until the end, or until broken YAML.
    fn run(mut self, text: &str) -> (Parsed, Ended) {
        let mut parser = Parser::new_from_str(text);
        let mut root = None;
        while let Some(event) = parser.next_event() {
            let (event, span) = match event {
                Ok((Event::StreamEnd, _)) => break,
                Ok(event) => event,
                Err(error) => return self.broken(text, &error),
            };
            match event {
                Event::DocumentStart(_) => {
                    root = None;
                    self.document =
                        (position(span.start).0, self.parsed.diagnostics.len(), self.tree.extent());
                }
                Event::DocumentEnd => {
                    self.finish(root.take());
                    self.anchors.clear();
                }
                event => {
                    if let Some(node) = self.event(event, span) {
                        root = self.attach(node).or(root);
                    }
                }
            }
            if count(self.open.len()) > limits::SOURCE_DEPTH {
                let message = format!("values are nested more than {} deep", limits::SOURCE_DEPTH);
                let at = self.place(span);
                self.report(problem::SYNTAX, message, at);
                return (self.parsed, Ended::Broken(position(span.start).0));
            }
        }
        (self.parsed, Ended::Whole)
    }

    fn broken(mut self, text: &str, error: &ScanError) -> (Parsed, Ended) {
        let at = self.place(Span::empty(*error.marker()));
        let broken = position(*error.marker());
        if let Some(other) = self.mended.mend(text, self.line, broken, (error.info(), at)) {
            let (line, told, extent) = self.document;
            self.parsed.diagnostics.truncate(told);
            self.tree.cut(extent);
            return (self.parsed, Ended::Again(line, other));
        }
        let first = self.mended.instead(self.line.saturating_add(broken.0));
        let (info, at) = first.unwrap_or_else(|| (error.info().to_owned(), at));
        let message = format!("broken YAML: {info}");
        let line = self.source.line(at.line);
        let has_tab = line.trim_start_matches(' ').starts_with('\t');
        let help = has_tab.then_some("indent with spaces: YAML does not take tabs there");
        let mut diagnostic = self.problem(problem::SYNTAX, message, at);
        let help = help.or_else(|| problem::template_help(line)).unwrap_or(problem::SYNTAX_HELP);
        diagnostic.help = Some(help.to_owned());
        if self.parsed.diagnostics.last() != Some(&diagnostic) {
            self.parsed.extend([diagnostic]);
        }
        (self.parsed, Ended::Broken(broken.0))
    }

    /// The node that an event completes.
    fn event(&mut self, event: Event<'_>, span: Span) -> Option<NodeId> {
        let place = self.place(span);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let node = self.tree.add_scalar(&text, form(style, tag.as_deref()), place);
                self.anchor(anchor, node);
                Some(node)
            }
            Event::Alias(anchor) => Some(self.alias(anchor, place)),
            Event::SequenceStart(anchor, _) => self.start(false, anchor, place),
            Event::MappingStart(anchor, _) => self.start(true, anchor, place),
            Event::SequenceEnd | Event::MappingEnd => {
                let open = self.open.pop()?;
                let node = if open.is_mapping {
                    mapping::close(self, &open.children, open.place)
                } else {
                    self.tree.add_sequence(&open.children, open.place)
                };
                self.anchor(open.anchor, node);
                Some(node)
            }
            _ => None,
        }
    }

    fn start(&mut self, is_mapping: bool, anchor: usize, place: Place) -> Option<NodeId> {
        self.open.push(Open {
            is_mapping,
            children: Vec::new(),
            place: Place { length: 0, ..place },
            anchor,
        });
        None
    }

    fn anchor(&mut self, anchor: usize, node: NodeId) {
        if anchor != 0 {
            self.anchors.insert(anchor, node);
        }
    }

    fn alias(&mut self, anchor: usize, place: Place) -> NodeId {
        if let Some(target) = self.anchors.get(&anchor) {
            return self.tree.add_alias(*target, place);
        }
        let is_inside = self.open.iter().any(|open| open.anchor == anchor);
        let message = if is_inside {
            "the alias stands inside the value that it names"
        } else {
            "the alias names an anchor of another document"
        };
        let diagnostic = self.problem(problem::ALIAS, message, place).help(problem::ALIAS_HELP);
        self.parsed.extend([diagnostic]);
        self.tree.add_scalar("", Form::Plain, place)
    }

    /// Puts a node into the open collection; gives it back when it is the document's root.
    fn attach(&mut self, node: NodeId) -> Option<NodeId> {
        match self.open.last_mut() {
            Some(open) => {
                open.children.push(node);
                None
            }
            None => Some(node),
        }
    }

    fn finish(&mut self, root: Option<NodeId>) {
        let Some(root) = root.filter(|root| !self.tree.node(*root).is_null()) else { return };
        let location = self.tree.node(root).location();
        let limit = if self.tree.height(root) > limits::SOURCE_DEPTH {
            format!("values are nested more than {} deep", limits::SOURCE_DEPTH)
        } else if !self.anchors.is_empty() && self.tree.weight(root) > limits::SOURCE_ALIASED_VALUES {
            format!("its aliases written out make more than {} values", limits::SOURCE_ALIASED_VALUES)
        } else {
            self.parsed.roots.push(root);
            return;
        };
        let diagnostic = problem::at(problem::ALIAS, limit, &self.source, location);
        self.parsed.extend([diagnostic.help(problem::EXTENT_HELP)]);
    }

    /// Where a span of the text is in the file.
    fn place(&self, span: Span) -> Place {
        if let Lines::Point(place) = self.lines {
            return *place;
        }
        let (line, column) = position(span.start);
        let line = line.saturating_add(self.line);
        let column = self.mended.column(line, column);
        let (line, before) = match self.lines {
            Lines::Same | Lines::Point(_) => (line.saturating_add(1), 0),
            Lines::Moved(lines) => {
                lines.get(line as usize).or_else(|| lines.last()).copied().unwrap_or((1, 0))
            }
        };
        let column = column.saturating_add(before);
        let length = if span.start.line() == span.end.line() {
            count(span.end.col().saturating_sub(span.start.col()))
        } else {
            count(self.source.line(line).trim_end().chars().count()).saturating_sub(column)
        };
        Place { file: self.file, line, column: column.saturating_add(1), length }
    }

    fn problem(&self, code: &'static str, message: impl Into<String>, place: Place) -> Diagnostic {
        let location = self.source.location(place.line, place.column, place.length);
        problem::at(code, message, &self.source, location)
    }

    fn report(&mut self, code: &'static str, message: impl Into<String>, place: Place) {
        let diagnostic = self.problem(code, message, place);
        self.parsed.extend([diagnostic]);
    }
}

fn form(style: ScalarStyle, tag: Option<&Tag>) -> Form {
    match tag.filter(|tag| tag.is_yaml_core_schema()).map(|tag| tag.suffix.as_str()) {
        Some("str" | "binary" | "timestamp") => Form::Text,
        Some("int" | "float" | "bool" | "null") => Form::Tagged,
        _ if style == ScalarStyle::Plain => Form::Plain,
        _ => Form::Text,
    }
}
