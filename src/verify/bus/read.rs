//! Reading a file of the bus that anybody may be writing: bounded, never through a link, whole or not at all, and with a
//! name for everything that can be wrong with it.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::fields::Invalid;
use super::ids::BadName;
use crate::base::atomic::Stamp;

/// Longest file that is read: a review request holds a whole difference.
pub(super) const LIMIT: u64 = 32 * 1024 * 1024;

/// How often a file that changes under us is read again.
const TRIES: usize = 4;

/// A file of the bus that could not be used, and why.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {why}", path = path.display())]
pub struct BusError {
    /// The file.
    pub path: PathBuf,
    /// What is the matter.
    pub why: Unread,
}

/// What is the matter with a file of the bus.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    /// It is not there.
    #[error("it is not there")]
    Missing,
    /// It is a symbolic link.
    #[error("it is a symbolic link, which is not followed; put a regular file in its place")]
    Link,
    /// It is a folder, a pipe, a device.
    #[error("it is not a regular file; put one in its place")]
    NoFile,
    /// It is too long to be read.
    #[error("it has more than {} MiB and is not read", LIMIT >> 20)]
    Huge,
    /// It changed whenever it was read.
    #[error("it changes while it is read; try again when nobody writes it")]
    Changing,
    /// It is not UTF-8.
    #[error("it is not UTF-8 text")]
    NotText,
    /// It ends in the middle.
    #[error("it ends too early (line {line}); it was cut off or is still being written")]
    Truncated {
        /// Where.
        line: usize,
    },
    /// It holds no JSON.
    #[error("it is not JSON: line {line}, column {column}: {message}")]
    NotJson {
        /// Where.
        line: usize,
        /// Where.
        column: usize,
        /// What the parser says.
        message: String,
    },
    /// Something follows the JSON.
    #[error("there is text after the JSON object (line {line}); it must stand alone in the file")]
    Trailing {
        /// Where.
        line: usize,
    },
    /// It is JSON of another shape.
    #[error("it must hold a JSON object, not {found}")]
    NoObject {
        /// What it holds.
        found: &'static str,
    },
    /// A key stands in it twice, so that it says two things.
    #[error("the key {key:?} stands in it twice; which one counts cannot be known")]
    Twice {
        /// The key.
        key: String,
    },
    /// A field is wrong.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// An id or a name in it is refused.
    #[error(transparent)]
    Name(#[from] BadName),
    /// The system refuses.
    #[error("{doing} it failed: {source}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// Why.
        source: io::Error,
    },
}

impl BusError {
    pub(super) fn new(path: &Path, why: Unread) -> Self {
        Self { path: path.to_owned(), why }
    }

    pub(super) fn io(path: &Path, doing: &'static str, source: io::Error) -> Self {
        Self::new(path, Unread::Io { doing, source })
    }

    /// Whether the file is simply not there.
    pub fn is_missing(&self) -> bool {
        matches!(self.why, Unread::Missing)
    }
}

/// Reads an object and makes something of it.
pub(super) fn object<T>(
    path: &Path,
    parse: impl FnOnce(Map<String, Value>) -> Result<T, Invalid>,
) -> Result<T, BusError> {
    let read = || -> Result<T, Unread> { Ok(parse(of_bytes(&bytes(path)?)?)?) };
    read().map_err(|why| BusError::new(path, why))
}

/// All bytes of the file, of one version of it.
pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, Unread> {
    for _ in 0..TRIES {
        if let Some(bytes) = once(path)? {
            return Ok(bytes);
        }
    }
    Err(Unread::Changing)
}

/// `None` when it changed meanwhile.
fn once(path: &Path) -> Result<Option<Vec<u8>>, Unread> {
    // A pipe is opened without waiting for its writer, and refused below.
    let flags = (OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits();
    let mut file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(named)?;
    let before = file.metadata().map_err(named)?;
    if !before.is_file() {
        return Err(Unread::NoFile);
    }
    if before.len() > LIMIT {
        return Err(Unread::Huge);
    }
    let mut bytes = Vec::new();
    file.by_ref().take(LIMIT + 1).read_to_end(&mut bytes).map_err(named)?;
    if bytes.len() as u64 > LIMIT {
        return Err(Unread::Huge);
    }
    let after = file.metadata().map_err(named)?;
    let here = std::fs::symlink_metadata(path).map(|found| Stamp::of(&found));
    let same = Stamp::of(&before) == Stamp::of(&after) && here.is_ok_and(|here| here == Stamp::of(&after));
    Ok((same && bytes.len() as u64 == after.len()).then_some(bytes))
}

fn named(error: io::Error) -> Unread {
    match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::ENOENT) => Unread::Missing,
        Some(Errno::ELOOP) => Unread::Link,
        Some(Errno::ENOTDIR | Errno::EISDIR | Errno::ENXIO) => Unread::NoFile,
        _ => Unread::Io { doing: "reading", source: error },
    }
}

/// The object that the bytes are. A byte order mark and one code fence around all of it are taken off: agents add them.
pub(super) fn of_bytes(bytes: &[u8]) -> Result<Map<String, Value>, Unread> {
    let text = std::str::from_utf8(bytes).map_err(|_| Unread::NotText)?;
    let text = unfenced(text.strip_prefix('\u{feff}').unwrap_or(text));
    if text.trim().is_empty() {
        return Err(Unread::Truncated { line: 1 });
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = Once::deserialize(&mut reader).map_err(|error| failure(&error))?;
    reader.end().map_err(|error| Unread::Trailing { line: error.line() })?;
    match read.0 {
        Shape::Object(map) => Ok(map),
        Shape::Twice(key) => Err(Unread::Twice { key }),
        Shape::Other(found) => Err(Unread::NoObject { found }),
    }
}

fn failure(error: &serde_json::Error) -> Unread {
    if error.is_eof() {
        return Unread::Truncated { line: error.line() };
    }
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default().to_owned();
    Unread::NotJson { line: error.line(), column: error.column(), message }
}

/// Without a fence that opens with the first line and closes with the last.
fn unfenced(text: &str) -> &str {
    let inner = || {
        let body = text.trim().strip_prefix("```")?.strip_suffix("```")?;
        let (word, rest) = body.split_once('\n')?;
        matches!(word.trim(), "" | "json" | "JSON").then_some(rest)
    };
    inner().unwrap_or(text)
}

/// The outermost value; a key that stands in it twice is seen.
struct Once(Shape);

enum Shape {
    Object(Map<String, Value>),
    Twice(String),
    Other(&'static str),
}

impl<'de> Deserialize<'de> for Once {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Outermost).map(Once)
    }
}

struct Outermost;

impl<'de> Visitor<'de> for Outermost {
    type Value = Shape;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Shape, A::Error> {
        let mut map = Map::new();
        let mut twice = None;
        while let Some((key, value)) = entries.next_entry::<String, Value>()? {
            if map.contains_key(&key) {
                twice.get_or_insert_with(|| key.clone());
            }
            map.insert(key, value);
        }
        Ok(twice.map_or(Shape::Object(map), Shape::Twice))
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut items: A) -> Result<Shape, A::Error> {
        while items.next_element::<Value>()?.is_some() {}
        Ok(Shape::Other("a list"))
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<Shape, E> {
        Ok(Shape::Other("a text"))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Shape, E> {
        Ok(Shape::Other("true or false"))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Shape, E> {
        Ok(Shape::Other("a number"))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Shape, E> {
        Ok(Shape::Other("a number"))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Shape, E> {
        if number.is_finite() { Ok(Shape::Other("a number")) } else { Err(E::custom("not a number")) }
    }

    fn visit_unit<E>(self) -> Result<Shape, E> {
        Ok(Shape::Other("null"))
    }
}
