//! What a parser remembers of tool calls that have no result yet, bounded.

/// Calls that are remembered; the oldest is forgotten first.
const LIMIT: usize = 64;

/// A small table from call ids to what is known of the call.
#[derive(Debug)]
pub(super) struct Pending<T>(Vec<(String, T)>);

impl<T> Default for Pending<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Pending<T> {
    /// Remembers a call.
    pub(super) fn put(&mut self, id: &str, what: T) {
        if self.0.len() == LIMIT {
            self.0.remove(0);
        }
        self.0.push((id.to_owned(), what));
    }

    /// Forgets a call and gives what was known.
    pub(super) fn take(&mut self, id: &str) -> Option<T> {
        let at = self.0.iter().position(|(known, _)| known == id)?;
        Some(self.0.remove(at).1)
    }
}
