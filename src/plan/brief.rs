//! The brief that an agent reads first (koru §2), as JSON and as markdown.
//!
//! Building it reads and never writes: in a folder without a planfile nothing is created (koru A07). A problem with the
//! planfile is data in the brief (`ticket_error`), not an error of the call.

use std::path::Path;

use serde_json::Value;

use super::store::Store;
use super::surroundings::Surroundings;
use crate::base::clock::Clock;

/// What the brief shall be about.
#[derive(Clone, Debug, Default)]
pub struct BriefOptions {
    /// A named ticket; the next runnable one when `None`.
    pub ticket: Option<String>,
    /// Only tickets of this queue.
    pub queue: Option<String>,
    /// Show fixture tickets; `None` asks the variable `KORU_INCLUDE_FIXTURES`.
    pub include_fixtures: Option<bool>,
    /// The machine to probe for tools.
    pub surroundings: Surroundings,
}

/// A brief, ready to be shown. All text in it is safe and free of known secrets.
#[derive(Clone, Debug, PartialEq)]
pub struct Brief {
    value: Value,
}

/// Builds the brief of the project at `root`. With `store: None` the project's store is opened here, when there is one.
pub fn build(root: &Path, options: &BriefOptions, store: Option<&Store>, clock: &Clock) -> Brief {
    let _ = (root, options, store, clock);
    unimplemented!()
}

impl Brief {
    /// JSON, keys sorted, indented by 2, ending in a line end.
    pub fn to_json(&self) -> String {
        let _ = &self.value;
        unimplemented!()
    }

    /// Markdown, sections in koru's order (§2.3), ending in a line end.
    pub fn to_markdown(&self) -> String {
        unimplemented!()
    }
}
