//! Any YAML text → tape, by libyaml's grammar and PyYAML's composer: one document, declared tag handles, no duplicate anchors,
//! no recursive aliases, bounded depth and expansion.

mod collections;

use std::borrow::Cow;
use std::collections::HashMap;

use super::fault::Bad;
use super::scan::{MAX_DEPTH, Scanner, Tok, too_deep};
use super::tape::{Kind, Props, Tag, Tape};

/// Most nodes a document may stand for once its aliases are expanded; planfile expands them all on every read.
const MAX_EXPANDED: u64 = 4_000_000;

/// Parses `text` from byte `from` (past a BOM) into `tape`. True when there is a document, false when there is none.
///
/// # Errors
/// Where planfile's loader would refuse the text.
pub(super) fn parse<'a>(text: &'a str, from: usize, tape: &mut Tape<'a>) -> Result<bool, Bad> {
    tape.clear();
    let mut parser = Parser {
        text,
        scanner: Scanner::new(text, from),
        tape,
        anchors: HashMap::new(),
        tags: Vec::new(),
        depth: 0,
        deepest: 0,
        extra: 0,
        end: 0,
    };
    parser.document()
}

struct Anchor {
    node: usize,
    /// Expanded size; `None` while the node is still open.
    weight: Option<u64>,
    /// Levels below it, aliases expanded.
    height: usize,
}

struct Parser<'a, 't> {
    text: &'a str,
    scanner: Scanner<'a>,
    tape: &'t mut Tape<'a>,
    anchors: HashMap<&'a str, Anchor>,
    tags: Vec<(String, String)>,
    depth: usize,
    /// Deepest level in the node at hand, aliases expanded.
    deepest: usize,
    /// Nodes that aliases would add.
    extra: u64,
    /// End of the last node or property taken.
    end: usize,
}

impl<'a> Parser<'a, '_> {
    fn document(&mut self) -> Result<bool, Bad> {
        if self.scanner.peek()?.tok == Tok::DocEnd {
            return Err(Bad::new(
                self.scanner.peek()?.start,
                "the file begins with the end of a document (`...`); remove the line",
            ));
        }
        if !self.directives()? && self.scanner.peek()?.tok == Tok::End {
            return Ok(false);
        }
        let token = self.scanner.peek()?;
        if matches!(
            token.tok,
            Tok::DocEnd | Tok::DocStart | Tok::End | Tok::Version(_) | Tok::TagDirective(..)
        ) {
            let at = token.start;
            self.tape.push(Kind::Plain, at, at, Cow::Borrowed(""));
        } else {
            self.node(true, false)?;
        }
        self.finish()?;
        Ok(true)
    }

    /// Reads directives and `---`; true when there was `---`.
    fn directives(&mut self) -> Result<bool, Bad> {
        let mut any = false;
        let mut versions = 0;
        loop {
            let token = self.scanner.peek()?.clone();
            match token.tok {
                Tok::Version(known) => {
                    versions += 1;
                    if !known || versions > 1 {
                        return Err(Bad::new(
                            token.start,
                            "this %YAML version is not one that planfile reads; remove the line",
                        ));
                    }
                }
                Tok::TagDirective(handle, prefix) => {
                    if self.tags.iter().any(|(known, _)| *known == handle) {
                        return Err(Bad::new(token.start, "this %TAG handle is declared twice; remove one"));
                    }
                    self.tags.push((handle, prefix));
                }
                Tok::DocStart => {
                    self.scanner.take()?;
                    return Ok(true);
                }
                _ if any => {
                    return Err(Bad::new(token.start, "a `---` line must follow the % directives; add it"));
                }
                _ => return Ok(false),
            }
            any = true;
            self.tape.directives = true;
            self.scanner.take()?;
        }
    }

    /// After the one document: nothing but `...` and the end.
    fn finish(&mut self) -> Result<(), Bad> {
        let mut ended = false;
        loop {
            let token = self.scanner.peek()?;
            let at = token.start;
            match token.tok {
                Tok::End => return Ok(()),
                Tok::DocEnd => {
                    ended = true;
                    self.scanner.take()?;
                }
                Tok::DocStart | Tok::Version(_) | Tok::TagDirective(..) => return Err(second_document(at)),
                _ if ended => return Err(second_document(at)),
                _ => {
                    let message = "this line does not belong to the block above it; align its indentation with its neighbours";
                    return Err(Bad::new(at, message));
                }
            }
        }
    }

    /// Parses one node; returns its expanded weight.
    fn node(&mut self, block: bool, indentless: bool) -> Result<u64, Bad> {
        if self.depth > MAX_DEPTH {
            return Err(too_deep(self.scanner.peek()?.start));
        }
        if let Tok::Alias(name) = self.scanner.peek()?.tok {
            return self.alias(name);
        }
        let (anchor, tag, first) = self.properties()?;
        let index = self.tape.nodes.len();
        if let Some(start) = first {
            self.tape.props.push(Props {
                node: index as u32,
                start: start as u32,
                anchored: anchor.is_some(),
                tag,
            });
        }
        if let Some((name, at)) = anchor {
            let open = Anchor { node: index, weight: None, height: 0 };
            if self.anchors.insert(name, open).is_some() {
                return Err(Bad::new(
                    at,
                    format!("the anchor &{name} is defined twice, which planfile refuses; rename one"),
                ));
            }
        }
        let outside = std::mem::replace(&mut self.deepest, self.depth);
        self.depth += 1;
        let weight = self.content(block, indentless, first)?;
        self.depth -= 1;
        let height = self.deepest - self.depth;
        self.deepest = self.deepest.max(outside);
        if let Some((name, _)) = anchor
            && let Some(anchor) = self.anchors.get_mut(name)
        {
            anchor.weight = Some(weight);
            anchor.height = height;
        }
        Ok(weight)
    }

    fn alias(&mut self, name: &'a str) -> Result<u64, Bad> {
        let token = self.scanner.take()?;
        let Some(anchor) = self.anchors.get(name) else {
            return Err(Bad::new(
                token.start,
                format!("the alias *{name} has no anchor &{name} above it; write the value out"),
            ));
        };
        let Some(weight) = anchor.weight else {
            return Err(Bad::new(
                token.start,
                format!("the alias *{name} contains itself; write the value out"),
            ));
        };
        // A chain of aliases nests as deep as brackets do.
        self.deepest = self.deepest.max(self.depth + anchor.height);
        if self.deepest > MAX_DEPTH {
            return Err(too_deep(token.start));
        }
        self.extra = self.extra.saturating_add(weight);
        if self.extra > MAX_EXPANDED {
            return Err(Bad::new(
                token.start,
                "aliases multiply here to millions of values; write the values out",
            ));
        }
        let index = self.tape.push(Kind::Alias, token.start, token.end, Cow::Borrowed(""));
        self.tape.nodes[index].target = anchor.node as u32;
        self.tape.aliases += 1;
        self.end = token.end;
        Ok(weight)
    }

    /// Reads anchor and tag, in either order.
    fn properties(&mut self) -> Result<NodeProps<'a>, Bad> {
        let mut anchor = None;
        let mut tag = None;
        let mut first = None;
        loop {
            let token = self.scanner.peek()?;
            let start = token.start;
            match &token.tok {
                Tok::Anchor(name) if anchor.is_none() => anchor = Some((*name, start)),
                Tok::Tag(handle, suffix) if tag.is_none() => {
                    let (handle, suffix) = (*handle, suffix.clone());
                    tag = Some(self.tag(handle, &suffix, start)?);
                }
                _ => return Ok((anchor, tag, first)),
            }
            first.get_or_insert(start);
            self.end = self.scanner.take()?.end;
        }
    }

    fn tag(&mut self, handle: &str, suffix: &str, at: usize) -> Result<Tag, Bad> {
        let declared = self.tags.iter().find(|(known, _)| known == handle).map(|(_, prefix)| prefix.as_str());
        let prefix = match (handle, declared) {
            (_, Some(prefix)) => prefix,
            ("", _) => "",
            ("!", _) => "!",
            ("!!", _) => "tag:yaml.org,2002:",
            _ => {
                return Err(Bad::new(at, format!("the tag handle {handle} is not declared; remove the tag")));
            }
        };
        let uri = format!("{prefix}{suffix}");
        let tag = Tag::parse(&uri);
        if tag == Tag::Unknown {
            // The node that carries it comes next.
            self.tape.unknown.push((self.tape.nodes.len() as u32, uri));
        }
        Ok(tag)
    }

    fn content(&mut self, block: bool, indentless: bool, first: Option<usize>) -> Result<u64, Bad> {
        let token = self.scanner.peek()?;
        let at = token.start;
        match token.tok {
            Tok::Entry if indentless => self.block_seq(at, true),
            Tok::Scalar(kind, _) => {
                let token = self.scanner.take()?;
                if let Tok::Scalar(_, text) = token.tok {
                    self.tape.push(kind, token.start, token.end, text);
                }
                self.end = token.end;
                Ok(1)
            }
            Tok::FlowSeqStart => self.flow_seq(),
            Tok::FlowMapStart => self.flow_map(),
            Tok::SeqStart if block => self.block_seq(at, false),
            Tok::MapStart if block => self.block_map(at),
            _ => match first {
                Some(_) => Ok(self.empty(self.end)),
                None => Err(Bad::new(at, unexpected(&token.tok))),
            },
        }
    }

    fn empty(&mut self, at: usize) -> u64 {
        self.tape.push(Kind::Plain, at, at, Cow::Borrowed(""));
        self.end = at;
        1
    }
}

type NodeProps<'a> = (Option<(&'a str, usize)>, Option<Tag>, Option<usize>);

fn second_document(at: usize) -> Bad {
    Bad::new(
        at,
        "a second YAML document begins here, and planfile reads such a file as empty; keep one document in a file",
    )
}

fn unexpected(tok: &Tok<'_>) -> &'static str {
    match tok {
        Tok::End => "the text ends where a value was expected (was the file cut off?)",
        Tok::FlowSeqEnd | Tok::FlowMapEnd => {
            "a closing bracket stands here without an opening one; remove it or quote the text"
        }
        Tok::Comma => "a `,` stands where a value was expected; remove it or quote the text",
        _ => "a value was expected here; write one or remove the key",
    }
}
