//! YAML as a tree of nodes that know their line, within bounds. It must not know what a pack is.
//!
//! A pack needs little of YAML: maps, lists and scalars. Anchors, aliases and tags are refused, so
//! that a small file cannot unfold into a large tree, and nesting is bounded. Of two equal keys
//! the second is a mistake, not the winner.

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

/// How deep maps and lists may nest; a pack needs nine levels.
pub const DEPTH_MAX: usize = 16;

/// How many nodes one file may hold.
pub const NODES_MAX: usize = 50_000;

/// The line that ends every file of a pack: YAML's own end of a document. A file without it was
/// cut off on its way here.
pub const END_OF_FILE: &str = "...";

/// A value and the line on which it stands.
#[derive(Debug)]
pub(super) struct Node {
    /// From 1.
    pub line: u32,
    pub value: Value,
}

#[derive(Debug)]
pub(super) enum Value {
    Scalar { text: String, style: ScalarStyle },
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One key of a map, with its value.
#[derive(Debug)]
pub(super) struct Entry {
    pub key: String,
    /// The line of the key, from 1.
    pub line: u32,
    pub value: Node,
}

/// What is wrong with a file as YAML, and on which line.
#[derive(Debug)]
pub(super) struct Syntax {
    pub line: u32,
    pub description: String,
}

impl Syntax {
    fn new(line: u32, description: impl Into<String>) -> Syntax {
        Syntax { line, description: description.into() }
    }
}

/// Reads the one document of a file. An empty file reads as an empty map.
pub(super) fn parse(content: &[u8]) -> Result<Node, Syntax> {
    let text = std::str::from_utf8(content).map_err(|error| {
        let good = &content[..error.valid_up_to()];
        Syntax::new(line_after(good), "not UTF-8")
    })?;
    let mut tree = Tree::default();
    for event in Events(Parser::new_from_str(text)) {
        let (event, span) = event?;
        tree.take(event, span)?;
    }
    Ok(tree.root.unwrap_or(Node { line: 1, value: Value::Map(Vec::new()) }))
}

/// What to say of a file that does not end with [`END_OF_FILE`]: cut between two items it would
/// read as a good, shorter file.
pub(super) fn cut_off(content: &[u8]) -> Option<Syntax> {
    let kept = content.trim_ascii_end();
    let last = kept.rsplit(|&byte| byte == b'\n').next().unwrap_or_default();
    (last != END_OF_FILE.as_bytes()).then(|| {
        let rule = format!("the file is cut off: its last line must be \"{END_OF_FILE}\"");
        Syntax::new(line_after(kept), rule)
    })
}

/// The number of the line that begins or goes on after these bytes.
fn line_after(bytes: &[u8]) -> u32 {
    let breaks = bytes.iter().filter(|&&byte| byte == b'\n').count();
    u32::try_from(breaks).unwrap_or(u32::MAX).saturating_add(1)
}

/// The parser's events up to the end of the stream or the first error.
struct Events<'a>(Parser<'a, saphyr_parser::StrInput<'a>>);

impl<'a> Iterator for Events<'a> {
    type Item = Result<(Event<'a>, Span), Syntax>;

    fn next(&mut self) -> Option<Self::Item> {
        let event = self.0.next_event()?;
        Some(event.map_err(|error| {
            Syntax::new(line(error.marker().line()), format!("not YAML: {}", error.info()))
        }))
    }
}

fn line(line: usize) -> u32 {
    u32::try_from(line).unwrap_or(u32::MAX).max(1)
}

/// The tree while it is built: what is open, innermost last.
#[derive(Default)]
struct Tree {
    root: Option<Node>,
    open: Vec<Open>,
    nodes: usize,
}

enum Open {
    List { line: u32, items: Vec<Node> },
    Map { line: u32, entries: Vec<Entry>, key: Option<(String, u32)> },
}

impl Tree {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Syntax> {
        let at = line(span.start.line());
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                refuse_extras(at, anchor, tag.is_some())?;
                let value = Value::Scalar { text: text.into_owned(), style };
                self.place(Node { line: at, value })
            }
            Event::SequenceStart(anchor, tag) => {
                refuse_extras(at, anchor, tag.is_some())?;
                self.start(at, Open::List { line: at, items: Vec::new() })
            }
            Event::MappingStart(anchor, tag) => {
                refuse_extras(at, anchor, tag.is_some())?;
                self.start(at, Open::Map { line: at, entries: Vec::new(), key: None })
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open::List { line, items }) => {
                    self.place(Node { line, value: Value::List(items) })
                }
                Some(Open::Map { line, entries, .. }) => {
                    self.place(Node { line, value: Value::Map(entries) })
                }
                None => Err(Syntax::new(at, "not YAML: a list or map ends that never began")),
            },
            Event::Alias(_) => Err(Syntax::new(at, "anchors and aliases are not allowed")),
            Event::DocumentStart(_) if self.root.is_some() => {
                Err(Syntax::new(at, "a file holds one document, this is a second one"))
            }
            _ => Ok(()),
        }
    }

    fn start(&mut self, at: u32, open: Open) -> Result<(), Syntax> {
        if self.open.len() == DEPTH_MAX {
            return Err(Syntax::new(at, format!("nested deeper than {DEPTH_MAX} levels")));
        }
        if let Some(Open::Map { key: None, .. }) = self.open.last() {
            return Err(Syntax::new(at, "a key must be plain text"));
        }
        self.open.push(open);
        Ok(())
    }

    /// Puts a finished node where it belongs: into the innermost open list or map.
    fn place(&mut self, node: Node) -> Result<(), Syntax> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            return Err(Syntax::new(node.line, format!("more than {NODES_MAX} values")));
        }
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Map { entries, key, .. }) => match (key.take(), node) {
                (Some((name, line)), value) => entries.push(Entry { key: name, line, value }),
                (None, Node { line, value: Value::Scalar { text, .. } }) => {
                    *key = Some((text, line));
                }
                (None, node) => return Err(Syntax::new(node.line, "a key must be plain text")),
            },
        }
        Ok(())
    }
}

fn refuse_extras(at: u32, anchor: usize, tagged: bool) -> Result<(), Syntax> {
    match (anchor, tagged) {
        (0, false) => Ok(()),
        (0, true) => Err(Syntax::new(at, "tags are not allowed")),
        _ => Err(Syntax::new(at, "anchors and aliases are not allowed")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fails(text: &str) -> (u32, String) {
        let error = parse(text.as_bytes()).expect_err(text);
        (error.line, error.description)
    }

    #[test]
    fn nodes_know_their_lines() {
        let root = parse(b"# one\na: 1\nb:\n  - x\n  - y: |\n      text\n...\n").unwrap();
        let Value::Map(entries) = root.value else { panic!("a map") };
        assert_eq!([entries[0].line, entries[1].line], [2, 3]);
        let Value::List(items) = &entries[1].value.value else { panic!("a list") };
        assert_eq!([items[0].line, items[1].line], [4, 5]);
    }

    #[test]
    fn an_empty_file_is_an_empty_map() {
        for text in ["...", "\n\n...\n", "---\n...\n", "# nothing\n...\n"] {
            let root = parse(text.as_bytes()).unwrap();
            let empty = match &root.value {
                Value::Map(entries) => entries.is_empty(),
                Value::Scalar { text, .. } => matches!(text.as_str(), "" | "~"),
                Value::List(_) => false,
            };
            assert!(empty, "{text:?}: {root:?}");
        }
    }

    #[test]
    fn what_unfolds_or_hides_is_refused() {
        let bomb = "a: &a [x, x]\nb: [*a, *a]\n...\n";
        assert_eq!(fails(bomb), (1, "anchors and aliases are not allowed".to_owned()));
        assert_eq!(fails("a: 1\nb: !!str 2\n...\n"), (2, "tags are not allowed".to_owned()));
        assert!(fails("a: 1\n---\nb: 2\n...\n").1.contains("one document"));
        assert!(fails("a: 1\n...\nb: 2\n...\n").1.contains("one document"));
        assert!(fails("? [a]\n: 1\n...\n").1.contains("plain text"));
    }

    #[test]
    fn nesting_is_bounded_at_the_limit() {
        let nested = |depth: usize| format!("{}{}\n...\n", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(nested(DEPTH_MAX).as_bytes()).is_ok());
        assert!(fails(&nested(DEPTH_MAX + 1)).1.contains("nested deeper"));
        assert!(parse(nested(500_000).as_bytes()).is_err());
        assert!(parse("- ".repeat(100_000).as_bytes()).is_err());
        assert!(parse("? ".repeat(100_000).as_bytes()).is_err());
        assert!(parse("{a: ".repeat(100_000).as_bytes()).is_err());
    }

    #[test]
    fn values_are_counted_at_the_limit() {
        let items = |count: usize| format!("[{}]\n...\n", "x,".repeat(count));
        assert!(parse(items(NODES_MAX - 1).as_bytes()).is_ok());
        assert!(fails(&items(NODES_MAX)).1.contains("more than 50000 values"));
    }

    #[test]
    fn a_cut_file_is_refused() {
        for text in ["", "a: 1\n", "a: 1\n..", "a: 1\n  ...\n", "a: '...'\n", "a: 1 ...\n"] {
            assert!(cut_off(text.as_bytes()).is_some(), "{text:?}");
        }
        for text in ["...", "a: 1\n...\n", "a: 1\r\n...\r\n", "...\n \n"] {
            assert!(cut_off(text.as_bytes()).is_none(), "{text:?}");
        }
        assert_eq!(cut_off(b"a: 1\nb: 2\n").expect("no end").line, 2);
        assert_eq!(fails("a: 1\nb: [\n").0, 3);
        assert_eq!(parse(b"a: 1\nb: \xff\n...\n").expect_err("not UTF-8").line, 2);
    }
}
