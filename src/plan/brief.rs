//! The brief that an agent reads first (koru §2), as JSON and as markdown.
