//! A parsed YAML document as one flat list of nodes over the source text.
//!
//! A node's subtree is the run of nodes from it to its `next`; a mapping's children alternate key, value. Text is
//! borrowed from the source unless escapes or folding changed it. The two producers (`full`, `fast`) must yield equal
//! tapes for equal text. Invariant: spans are byte offsets into the text that the producer was given.

use std::borrow::Cow;

/// What a node is and how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Scalar without quotes; an absent value is an empty plain scalar.
    Plain,
    /// `'…'`.
    Single,
    /// `"…"`.
    Double,
    /// `|`.
    Literal,
    /// `>`.
    Folded,
    /// `- ` items.
    BlockSeq,
    /// `[…]`.
    FlowSeq,
    /// `key: value` lines.
    BlockMap,
    /// `{…}`, also a single pair inside a flow sequence.
    FlowMap,
    /// `*name`; `target` is the anchored node.
    Alias,
}

impl Kind {
    /// Whether it is a scalar of any style.
    pub(super) fn is_scalar(self) -> bool {
        matches!(self, Kind::Plain | Kind::Single | Kind::Double | Kind::Literal | Kind::Folded)
    }

    /// Whether it is a mapping of either style.
    pub(super) fn is_map(self) -> bool {
        matches!(self, Kind::BlockMap | Kind::FlowMap)
    }

    /// Whether it is a sequence of either style.
    pub(super) fn is_seq(self) -> bool {
        matches!(self, Kind::BlockSeq | Kind::FlowSeq)
    }
}

/// One node.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node<'a> {
    /// Kind and style.
    pub(super) kind: Kind,
    /// First byte of the content, quotes and brackets included, anchor and tag excluded.
    pub(super) start: u32,
    /// One past the last byte of the content; a block collection ends with its last child.
    pub(super) end: u32,
    /// Index of the first node after the subtree.
    pub(super) next: u32,
    /// Alias: index of the anchored node.
    pub(super) target: u32,
    /// Scalar: the text as YAML reads it.
    pub(super) text: Cow<'a, str>,
}

/// A tag that the safe loader knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    /// `!` alone: no implicit typing.
    NonSpecific,
    /// `!!str`.
    Str,
    /// `!!int`.
    Int,
    /// `!!float`.
    Float,
    /// `!!bool`.
    Bool,
    /// `!!null`.
    Null,
    /// `!!timestamp`.
    Timestamp,
    /// `!!binary`.
    Binary,
    /// `!!seq`.
    Seq,
    /// `!!map`.
    Map,
    /// `!!set`.
    Set,
    /// `!!omap`.
    Omap,
    /// `!!pairs`.
    Pairs,
    /// `!!merge`: what `<<` is; only a key can carry it.
    Merge,
    /// `!!value`: what `=` is; only a key can carry it.
    Value,
    /// One that the safe loader has no constructor for.
    Unknown,
}

impl Tag {
    /// The tag of a full tag URI (PyYAML 6 `SafeConstructor`).
    pub(super) fn parse(uri: &str) -> Tag {
        if uri == "!" {
            return Tag::NonSpecific;
        }
        match uri.strip_prefix("tag:yaml.org,2002:").unwrap_or_default() {
            "str" => Tag::Str,
            "int" => Tag::Int,
            "float" => Tag::Float,
            "bool" => Tag::Bool,
            "null" => Tag::Null,
            "timestamp" => Tag::Timestamp,
            "binary" => Tag::Binary,
            "seq" => Tag::Seq,
            "map" => Tag::Map,
            "set" => Tag::Set,
            "omap" => Tag::Omap,
            "pairs" => Tag::Pairs,
            "merge" => Tag::Merge,
            "value" => Tag::Value,
            _ => Tag::Unknown,
        }
    }
}

/// Anchor and tag of a node; kept beside the nodes because nearly no node has any.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Props {
    /// Index of the node.
    pub(super) node: u32,
    /// First byte of the first property.
    pub(super) start: u32,
    /// Whether it is anchored.
    pub(super) anchored: bool,
    /// Its tag.
    pub(super) tag: Option<Tag>,
}

/// The tape. Reusable: clearing keeps the allocation.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tape<'a> {
    /// Nodes in document order; index 0 is the root.
    pub(super) nodes: Vec<Node<'a>>,
    /// Properties in node order.
    pub(super) props: Vec<Props>,
    /// Nodes whose tag the safe loader does not know, in node order, with that tag.
    pub(super) unknown: Vec<(u32, String)>,
    /// Number of aliases.
    pub(super) aliases: u32,
    /// Whether the document begins with `%` directives, which reach into every node.
    pub(super) directives: bool,
}

impl<'a> Tape<'a> {
    /// Forgets the nodes.
    pub(super) fn clear(&mut self) {
        self.nodes.clear();
        self.props.clear();
        self.unknown.clear();
        self.aliases = 0;
        self.directives = false;
    }

    /// Appends a node whose subtree is itself for now; returns its index.
    pub(super) fn push(&mut self, kind: Kind, start: usize, end: usize, text: Cow<'a, str>) -> usize {
        let index = self.nodes.len();
        let next = index as u32 + 1;
        self.nodes.push(Node { kind, start: start as u32, end: end as u32, next, target: 0, text });
        index
    }

    /// Closes a collection at `end`: everything after it so far is its subtree.
    pub(super) fn close(&mut self, index: usize, end: usize) {
        let next = self.nodes.len() as u32;
        let node = &mut self.nodes[index];
        node.next = next;
        node.end = end as u32;
    }

    /// The node at `index`, aliases followed.
    pub(super) fn node(&self, index: usize) -> &Node<'a> {
        &self.nodes[self.resolve(index)]
    }

    /// The index of the node itself, aliases followed.
    pub(super) fn resolve(&self, index: usize) -> usize {
        let node = &self.nodes[index];
        if node.kind == Kind::Alias { node.target as usize } else { index }
    }

    /// Anchor and tag of a node.
    pub(super) fn props(&self, index: usize) -> Option<&Props> {
        if self.props.is_empty() {
            return None;
        }
        let at = self.props.binary_search_by_key(&(index as u32), |props| props.node).ok()?;
        self.props.get(at)
    }

    /// Tag of a node.
    pub(super) fn tag(&self, index: usize) -> Option<Tag> {
        self.props(index).and_then(|props| props.tag)
    }

    /// First byte of a node, anchor and tag included.
    pub(super) fn outer_start(&self, index: usize) -> usize {
        self.props(index).map_or(self.nodes[index].start, |props| props.start) as usize
    }

    /// Key and value indices of a mapping (no alias).
    pub(super) fn pairs(&self, map: usize) -> Pairs<'_, 'a> {
        Pairs { tape: self, at: map + 1, end: self.nodes[map].next as usize }
    }

    /// Item indices of a sequence (no alias).
    pub(super) fn items(&self, seq: usize) -> Items<'_, 'a> {
        Items { tape: self, at: seq + 1, end: self.nodes[seq].next as usize }
    }
}

/// Iterator over a mapping.
#[derive(Clone)]
pub(super) struct Pairs<'t, 'a> {
    tape: &'t Tape<'a>,
    at: usize,
    end: usize,
}

impl Iterator for Pairs<'_, '_> {
    type Item = (usize, usize);

    fn next(&mut self) -> Option<(usize, usize)> {
        if self.at >= self.end {
            return None;
        }
        let key = self.at;
        let value = self.tape.nodes[key].next as usize;
        self.at = self.tape.nodes.get(value)?.next as usize;
        Some((key, value))
    }
}

/// Iterator over a sequence.
pub(super) struct Items<'t, 'a> {
    tape: &'t Tape<'a>,
    at: usize,
    end: usize,
}

impl Iterator for Items<'_, '_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        if self.at >= self.end {
            return None;
        }
        let item = self.at;
        self.at = self.tape.nodes[item].next as usize;
        Some(item)
    }
}
