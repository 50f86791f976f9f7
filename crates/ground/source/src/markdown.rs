//! Fenced blocks of a Markdown document.

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

use mainstay_base::diagnostic::Location;

use crate::file::File;
use crate::yaml::Lines;

/// What a Markdown document holds.
#[derive(Default)]
pub(crate) struct Blocks {
    /// The blocks in YAML or JSON: their text, and where its lines stand in the file.
    pub data: Vec<(String, Lines)>,
    /// Where the blocks stand that are diagrams.
    pub diagrams: Vec<Location>,
    /// How many blocks are in other languages, or in none.
    pub others: usize,
}

/// Finds the fenced blocks.
pub(crate) fn blocks(file: &File) -> Blocks {
    let mut blocks = Blocks::default();
    let mut open: Option<(String, Vec<(u32, u32)>)> = None;
    for (event, range) in Parser::new(file.text()).into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => match language(&info).as_str() {
                "yaml" | "yml" | "json" => open = Some((String::new(), Vec::new())),
                "mermaid" | "plantuml" | "puml" | "dot" | "graphviz" | "d2" => {
                    let (line, column) = file.position(range.start);
                    blocks.diagrams.push(file.location(line, column + 1, 0));
                }
                _ => blocks.others += 1,
            },
            Event::Text(text) => {
                if let Some((data, lines)) = &mut open {
                    append(data, lines, &text, file.position(range.start));
                }
            }
            Event::End(TagEnd::CodeBlock) => {
                blocks.data.extend(open.take().map(|(data, lines)| (data, Lines::Moved(lines))));
            }
            _ => {}
        }
    }
    blocks
}

/// Adds a piece of a block's text that stands at this line and column of the file.
fn append(data: &mut String, lines: &mut Vec<(u32, u32)>, text: &str, (line, column): (u32, u32)) {
    for (number, piece) in (0..).zip(text.split_inclusive('\n')) {
        if data.is_empty() || data.ends_with('\n') {
            lines.push((line + number, if number == 0 { column } else { 0 }));
        }
        data.push_str(piece);
    }
}

/// The language of a fence: the first word after it, as in `yaml title="x"` or `{.yaml}`.
fn language(info: &str) -> String {
    let word = info.trim_start_matches(['{', '.', ' ']);
    let end = word.find(|end: char| end.is_whitespace() || matches!(end, ',' | '{' | '}' | ':'));
    word[..end.unwrap_or(word.len())].to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_fenced_yaml_and_json_are_data() {
        let file = File::new(
            "a.md",
            "# T\n```yaml\na: 1\n```\n```mermaid\ngraph LR\n```\n```bash\nls\n```\n```\nx\n```\n    a: indented\n\n```JSON title\n{}\n```\n",
        );
        let blocks = blocks(&file);
        let texts: Vec<&str> = blocks.data.iter().map(|(text, _)| text.as_str()).collect();
        assert_eq!(texts, ["a: 1\n", "{}\n"]);
        assert_eq!((blocks.diagrams[0].line, blocks.diagrams.len(), blocks.others), (5, 1, 2));
    }

    #[test]
    fn lines_of_a_block_know_where_they_stand() {
        let file = File::new(
            "a.md",
            "1. x\n\n   ```yaml\n   a: 1\n   b:\n     c: 2\n   ```\n\n> ```yml\r\n> d: 1\r\n> ```\n",
        );
        let blocks = blocks(&file);
        let (text, Lines::Moved(lines)) = &blocks.data[0] else { panic!("moved") };
        assert_eq!(text, "a: 1\nb:\n  c: 2\n");
        assert_eq!(lines, &[(4, 3), (5, 3), (6, 3)]);
        let (text, Lines::Moved(lines)) = &blocks.data[1] else { panic!("moved") };
        assert_eq!((text.trim_end(), lines.as_slice()), ("d: 1", &[(10, 2)][..]));
    }

    #[test]
    fn languages_are_read_from_the_common_forms() {
        for info in ["yaml", "YAML", "yaml,ignore", "{.yaml}", "yaml title=\"x\"", "yaml:file.yaml", " yaml"]
        {
            assert_eq!(language(info), "yaml", "{info}");
        }
    }
}
