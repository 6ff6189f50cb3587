//! Tokens, as the grammar sees them.

use std::borrow::Cow;

use super::super::tape::Kind;

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) enum Tok<'a> {
    /// End of the text.
    End,
    /// `---`.
    DocStart,
    /// `...`.
    DocEnd,
    /// `%YAML`; true when the version is one that libyaml reads.
    Version(bool),
    /// `%TAG handle prefix`.
    TagDirective(String, String),
    /// A block sequence begins.
    SeqStart,
    /// A block mapping begins.
    MapStart,
    /// A block collection ends.
    BlockEnd,
    /// `[`.
    FlowSeqStart,
    /// `]`.
    FlowSeqEnd,
    /// `{`.
    FlowMapStart,
    /// `}`.
    FlowMapEnd,
    /// `- `.
    Entry,
    /// `,`.
    Comma,
    /// A key follows.
    Key,
    /// A value follows.
    Value,
    /// `*name`.
    Alias(&'a str),
    /// `&name`.
    Anchor(&'a str),
    /// Handle (empty for a verbatim tag) and suffix.
    Tag(&'a str, String),
    /// A scalar with its style.
    Scalar(Kind, Cow<'a, str>),
}

/// A token and its bytes.
#[derive(Clone, Debug)]
pub(in super::super) struct Token<'a> {
    /// What it is.
    pub(in super::super) tok: Tok<'a>,
    /// First byte.
    pub(in super::super) start: usize,
    /// One past the last byte.
    pub(in super::super) end: usize,
}
