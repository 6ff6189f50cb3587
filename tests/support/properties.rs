#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr
)]
//! What must hold for any bytes at all, as plain functions that panic on a counterexample.
//!
//! The fuzz targets under `tests/fuzz/` and the property tests in `tests/properties.rs` call the same bodies, so the
//! targets cannot rot unseen and every crash that a fuzzer finds can be replayed by a stable toolchain.

use std::fs;
use std::path::{Path, PathBuf};

use koru_tui::base::text::{safe_block, safe_line, safe_text};
use koru_tui::console::{Key, Keymap};
use koru_tui::execute::agents::assemble::Assembler;
use koru_tui::execute::agents::kind::AgentKind;
use koru_tui::execute::agents::stream::{StreamParser, parser};
use koru_tui::execute::agents::tally::Tokens;
use koru_tui::execute::folder::{RunFolder, all_records};
use koru_tui::execute::output::{Channel, OutputLine};
use koru_tui::execute::transcript::TranscriptReader;
use koru_tui::plan::lifecycle::Change;
use koru_tui::plan::policy::{Gate, Policy};
use koru_tui::plan::settings::{NoteLevel, Settings};
use koru_tui::plan::ticket::TicketId;
use koru_tui::plan::yaml::sprint::SprintDoc;
use koru_tui::verify::comments::{Notebook, NotebookChange, store::change};
use koru_tui::verify::diff::{Lines, blocks};
use koru_tui::verify::review::{Expected, VerdictError, verdict};
use serde_json::{Value, json};

/// Characters that a terminal obeys instead of showing, or that hide or reorder what is shown.
fn is_control(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[track_caller]
fn assert_shows_only(text: &str, from: &[u8]) {
    if let Some(character) = text.chars().find(|character| is_control(*character)) {
        panic!(
            "U+{:04X} is left in {text:?} (from {})",
            u32::from(character),
            String::from_utf8_lossy(from).escape_debug()
        );
    }
}

/// The sanitiser: nothing a terminal would obey comes out, and sanitising twice changes nothing more.
pub fn sanitiser(bytes: &[u8]) {
    let line = safe_line(bytes);
    let plain = line.plain();
    assert_shows_only(&plain, bytes);
    assert_eq!(safe_line(plain.as_bytes()).plain(), plain, "a safe line is not stable");
    // A cursor movement may open a gap of blanks, so a few bytes can become many, but never without end.
    assert!(plain.len() <= 64 * 1024, "{} bytes grew to {}", bytes.len(), plain.len());

    let text = String::from_utf8_lossy(bytes);
    let safe = safe_text(&text);
    assert_shows_only(safe.as_str(), bytes);
    assert_eq!(safe_text(safe.as_str()).as_str(), safe.as_str(), "a safe text is not stable");
    for part in safe_block(&text) {
        assert_shows_only(part.as_str(), bytes);
        assert_eq!(safe_text(part.as_str()).as_str(), part.as_str(), "a line of a safe block is not stable");
    }
}

/// Changes that lifecycle operations make, with values of the kinds that YAML 1.1 misreads.
const CHANGES: [(&[&str], &str); 10] = [
    (&["status"], "in_progress"),
    (&["execution", "state"], "running"),
    (&["execution", "assigned_to"], "yes"),
    (&["execution", "last_error"], "12:30:00"),
    (&["updated_at"], "2026-11-21T05:05:08.913515+00:00"),
    (&["name"], "a: b # c"),
    (&["priority"], "1e3"),
    (&["inputs", "prompt"], "line one\nline two\n"),
    (&["description"], "\u{1F680} \u{0141}ódź 'q' \"d\" \\"),
    (&["outputs", "result"], "null"),
];

/// The store's document: what parses keeps its bytes; an edit changes the named key of the named ticket and nothing
/// else, survives being parsed again, and can be said a second time without any effect. `bytes`: one byte that picks the
/// ticket, one that picks the change, then the file.
pub fn store(bytes: &[u8]) {
    let [pick_ticket, pick_change, file @ ..] = bytes else { return };
    let Ok(document) = SprintDoc::parse("current", file.to_vec(), None) else { return };
    assert_eq!(document.text().as_bytes(), file, "parsing changed the text");
    let again = SprintDoc::parse("current", file.to_vec(), Some(&document)).expect("it parsed before");
    let plain =
        |document: &SprintDoc| document.tickets().map(|ticket| (**ticket).clone()).collect::<Vec<_>>();
    assert_eq!(plain(&again), plain(&document), "taking tickets over is not the same as parsing them");

    let tickets = plain(&document);
    let Some(ticket) = tickets.get(usize::from(*pick_ticket) % tickets.len().max(1)) else { return };
    let id = ticket.id.as_str();
    let (path, word) = CHANGES[usize::from(*pick_change) % CHANGES.len()];
    let change =
        Change { path: path.iter().map(|key| (*key).to_owned()).collect(), value: Some(json!(word)) };
    // Refusing is always right: a file may be written in a way that cannot be edited faithfully.
    let Ok(edited) = document.edit(id, std::slice::from_ref(&change)) else { return };

    let reparsed = SprintDoc::parse("current", edited.text().as_bytes().to_vec(), None)
        .unwrap_or_else(|fault| panic!("the edit broke the file: {fault}\n{}", edited.text()));
    // By key: a key leads to one ticket only, while an `id` inside may be the key of another.
    for (other, _) in document.keyed().filter(|(_, other)| other.id.as_str() != id) {
        assert_eq!(reparsed.record(other), document.record(other), "{other} was not named");
        assert_eq!(reparsed.source(other), document.source(other), "the text of {other} was not named");
    }
    let mut wanted = document.record(id).expect("a record");
    set(&mut wanted, path, json!(word));
    assert_eq!(reparsed.record(id), Some(wanted), "the edit does not say what was meant");
    let twice = reparsed.edit(id, std::slice::from_ref(&change)).expect("what was edited can be edited");
    assert_eq!(twice.text(), edited.text(), "an edit to the value that is there changed the text");
}

/// Sets a value in a record, making the maps on the way.
fn set(record: &mut Value, path: &[&str], value: Value) {
    let [first, rest @ ..] = path else {
        *record = value;
        return;
    };
    if !record.is_object() {
        *record = json!({});
    }
    set(record.as_object_mut().expect("a map").entry(*first).or_insert(Value::Null), rest, value);
}

/// The policy: no file content opens a gate unless it says `true` under that gate's own key, and none takes a default
/// prohibition away. `bytes` is the file.
pub fn policy(folder: &Path, bytes: &[u8]) {
    let path: PathBuf = folder.join(".planfile/.koru/policy.yaml");
    fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
    fs::write(&path, bytes).expect("a policy file");
    let (read, _) = Policy::load(folder);
    let strict = Policy::default();
    let text = String::from_utf8_lossy(bytes);
    // An escape inside a quoted key can spell it without its letters; such files are judged by the other rules.
    let spelt_out = !text.contains('\\');
    for (gate, open) in gates(&read) {
        let said = text.contains(gate.key()) && text.to_ascii_lowercase().contains("true");
        assert!(!open || said || !spelt_out, "{} is open without a word in {text:?}", gate.key());
    }
    for (what, of_strict, of_read) in [
        ("path", &strict.forbidden_paths, &read.forbidden_paths),
        ("pattern", &strict.forbidden_shell_patterns, &read.forbidden_shell_patterns),
    ] {
        for kept in of_strict {
            assert!(of_read.contains(kept), "the forbidden {what} {kept} was lost by {text:?}");
        }
    }
    assert!(read.ci_timeout_seconds > 0, "no time for CI in {text:?}");
    // Whatever the text is as a command line, judging it is total and gives the same answer twice.
    assert_eq!(strict.check_command(&text), strict.check_command(&text));
}

/// Lines of a transcript that is so short that one look finds them all.
fn read(reader: &mut TranscriptReader, from: u64, count: u32) -> (Vec<OutputLine>, u64) {
    reader.try_read(from, count).expect("it can be read").expect("it is short")
}

/// The run log: any bytes are read as a transcript without loss of count; a window is a part of the whole, and a file
/// that grew is read like one that was always so. The same bytes as a run's record are read or passed over. `bytes`: one
/// byte that says where the file is cut while it grows, one for the window's start, one for its length, then the file.
pub fn run_log(folder: &Path, bytes: &[u8]) {
    let [cut, from, count, file @ ..] = bytes else { return };
    let path = folder.join("transcript.jsonl");
    fs::write(&path, file).expect("a transcript");
    let (whole, total) = read(&mut TranscriptReader::new(&path), 0, u32::MAX);
    let ended = file.iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(total, ended.saturating_sub(1) as u64, "one line is the header, a torn one does not count");
    assert_eq!(whole.len() as u64, total);

    let (from, count) = (usize::from(*from), usize::from(*count));
    let window = read(&mut TranscriptReader::new(&path), from as u64, count as u32).0;
    let wanted = whole.iter().skip(from).take(count).cloned().collect::<Vec<_>>();
    assert_eq!(window, wanted, "the window {from}+{count} is not a part of the whole");

    let half = file.len() * usize::from(*cut) / 256;
    fs::write(&path, &file[..half]).expect("a transcript");
    let mut reader = TranscriptReader::new(&path);
    read(&mut reader, 0, u32::MAX);
    fs::write(&path, file).expect("a transcript");
    assert_eq!(read(&mut reader, 0, u32::MAX), (whole, total), "it grew from {half} bytes");

    let run = folder.join("runs/PLF-001-20261121T050508Z-1");
    fs::create_dir_all(&run).expect("a run folder");
    fs::write(run.join("run.json"), file).expect("a record");
    let record =
        RunFolder::at(&folder.join("runs"), "PLF-001-20261121T050508Z-1").and_then(|run| run.read_record());
    assert_eq!(all_records(&folder.join("runs")).len(), usize::from(record.is_some()));
}

/// Every gate with what a policy says about it.
pub fn gates(policy: &Policy) -> [(Gate, bool); 6] {
    [
        (Gate::AllowCommit, policy.allow_commit),
        (Gate::AllowPush, policy.allow_push),
        (Gate::AllowBranchCreate, policy.allow_branch_create),
        (Gate::AllowBranchSwitch, policy.allow_branch_switch),
        (Gate::AllowTag, policy.allow_tag),
        (Gate::AllowDestructiveShell, policy.allow_destructive_shell),
    ]
}

/// An agent's stream of any bytes at all: the first byte chooses the agent. Nothing panics; lines are lines and bounded;
/// blocks begin with their heads; numbers stay numbers; plain text is written as it came.
pub fn agent_stream(bytes: &[u8]) {
    let Some((choice, stream)) = bytes.split_first() else { return };
    let kinds = [AgentKind::BUILT_IN.as_slice(), &[AgentKind::Custom]].concat();
    let kind = kinds[usize::from(choice.wrapping_sub(b'0')) % kinds.len()];
    let mut parser = parser(kind);
    let mut assembler = Assembler::default();
    let mut events = Vec::new();
    let mut lines = Vec::new();
    let mut take = |parser: &mut dyn StreamParser, line: Option<&[u8]>| {
        match line {
            Some(line) => parser.line(line, &mut events),
            None => parser.end(&mut events),
        }
        for event in events.drain(..) {
            assembler.take(7, event, &mut lines);
        }
        if let Some((_, partial)) = assembler.partial() {
            assert!(!partial.contains('\n') && partial.len() <= 16 * 1024, "a partial line is no line");
        }
        assert!(assembler.answer().is_none_or(|answer| answer.len() <= 1 << 20), "an answer without bounds");
    };
    for line in stream.split(|byte| *byte == b'\n') {
        take(&mut *parser, Some(line));
    }
    take(&mut *parser, None);
    assembler.finish(7, &mut lines);
    assert_eq!(assembler.partial(), None, "something is left after the end");
    let tally = serde_json::to_value(assembler.tally()).unwrap();
    assert_eq!(tally["tokens"], serde_json::to_value::<Tokens>(assembler.tally().tokens).unwrap());
    assert!(assembler.tally().cost.is_none_or(|cost| cost.usd.is_finite() && cost.usd >= 0.0), "{tally}");
    lines_are_whole(&lines);
    if kind == AgentKind::Custom {
        let said: Vec<&str> =
            lines.iter().filter(|line| line.channel == Channel::Text).map(|line| &*line.text).collect();
        let text = String::from_utf8_lossy(stream);
        let short = |line: &&str| line.len() < 16_000;
        let expected: Vec<&str> =
            text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).filter(short).collect();
        assert_eq!(said.into_iter().filter(short).collect::<Vec<_>>(), expected);
    }
}

/// Lines are bounded and have no line end in them; blocks are numbered from 1 in order, and begin with a head.
fn lines_are_whole(lines: &[OutputLine]) {
    let mut blocks = 0;
    for line in lines {
        assert!(!line.text.contains('\n'), "{line:?}");
        assert!(line.text.len() <= 17 * 1024, "a line of {} bytes", line.text.len());
        assert_eq!(line.at_ms, 7);
        if line.block > blocks {
            assert_eq!(line.block, blocks + 1, "{line:?}");
            assert!(!matches!(line.channel, Channel::ToolInput | Channel::Diff), "{line:?}");
            blocks = line.block;
        }
    }
}

/// Where two texts differ: the blocks lead from one to the other, whatever the bytes; lines that are shown have no end in
/// them. `bytes` are the two texts, with a zero byte between them.
pub fn diff(bytes: &[u8]) {
    let (old, new) = bytes.split_at(memchr::memchr(0, bytes).unwrap_or(bytes.len()));
    let new = new.get(1..).unwrap_or_default();
    for text in [old, new] {
        let lines = Lines::decode(text);
        assert!((0..lines.len()).all(|number| lines.get(number).is_some_and(|line| !line.contains('\n'))));
        assert_eq!(lines.get(lines.len()), None);
    }
    let found = blocks(old, new, true).expect("two buffers can be compared");
    let split = |text: &[u8]| -> Vec<Vec<u8>> {
        text.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
    };
    let (before, after) = (split(old), split(new));
    let (mut made, mut at) = (Vec::new(), 0);
    for block in &found {
        let (first, len) = (block.old as usize, block.old_len as usize);
        made.extend_from_slice(&before[at..first]);
        made.extend_from_slice(&after[block.new as usize..(block.new + block.new_len) as usize]);
        at = first + len;
    }
    made.extend_from_slice(&before[at..]);
    assert_eq!(made.concat(), new, "the blocks do not lead from the old text to the new one");
    // Without white space there are at most as many, and never a panic.
    assert!(blocks(old, new, false).is_ok());
}

/// A reviewer's answer of any bytes: it counts only for the ticket and the commit that were asked about, and what is kept
/// of it is bounded.
pub fn verdict_answer(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let expected = Expected {
        ticket: "PLF-001".to_owned(),
        head: "0123456789abcdef0123456789abcdef01234567".to_owned(),
        reviewer: "judge".to_owned(),
        earlier: vec!["f-1".to_owned()],
        folders: vec![PathBuf::from("/w")],
    };
    let structured = serde_json::from_slice::<Value>(bytes).ok();
    for (structured, answer) in
        [(None, Some(&*text)), (structured.as_ref(), None), (structured.as_ref(), Some(&*text))]
    {
        let Ok(found) = verdict(structured, answer, &expected) else { continue };
        assert_eq!(found.head.as_deref(), Some(&*expected.head), "a verdict on another commit");
        assert!(
            found.summary.len() <= 64 * 1024 && found.findings.len() <= 1_000,
            "a verdict without bounds"
        );
        let other = Expected { ticket: "PLF-002".to_owned(), ..expected.clone() };
        let foreign = verdict(structured, answer, &other);
        assert!(matches!(foreign, Err(VerdictError::ForeignTicket { .. })), "{foreign:?}");
        let other = Expected { head: "f".repeat(40), ..expected.clone() };
        let foreign = verdict(structured, answer, &other);
        assert!(matches!(foreign, Err(VerdictError::ForeignHead { .. })), "{foreign:?}");
    }
}

/// Comments on disk of any bytes: they are read, or left as they are by whoever wants to change them.
pub fn comments(folder: &Path, bytes: &[u8]) {
    let path = folder.join(".planfile/.koru/loop/PLF-001/comments.json");
    fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
    fs::write(&path, bytes).expect("a notebook");
    let ticket = TicketId::new("PLF-001");
    let viewed = NotebookChange::Viewed { file: "a\u{1b}".to_owned(), blob: Some("1".to_owned()) };
    match change(folder, &ticket, NotebookChange::Read) {
        Ok(before) => {
            let after = change(folder, &ticket, viewed).expect("what can be read can be changed");
            assert_eq!(after.comments, before.comments, "a mark changed the comments");
            let read: Notebook =
                change(folder, &ticket, NotebookChange::Read).expect("what we wrote can be read");
            assert_eq!(read, after);
        }
        Err(_) => {
            assert!(change(folder, &ticket, viewed).is_err(), "what cannot be read was changed");
            assert_eq!(fs::read(&path).expect("it is there"), bytes, "what cannot be read was written");
        }
    }
}

/// The configuration: a file that does not count as a whole starts no agent, and every other is read within bounds.
pub fn settings(folder: &Path, bytes: &[u8]) {
    let path = folder.join(".planfile/.koru/config.yaml");
    fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
    fs::write(&path, bytes).expect("a configuration");
    let (read, notes) = Settings::load(folder);
    if notes.iter().any(|note| note.level == NoteLevel::WholeFile) {
        assert!(read.refused.is_some(), "a file that does not count lets agents start");
    }
    for note in &notes {
        assert!(!note.to_string().is_empty());
    }
    if let Some(usd) = read.budgets.run_usd {
        assert!(usd.is_finite() && usd >= 0.0, "a budget of {usd}");
    }
}

/// Keys and key maps of any bytes: a key that is read has a name that reads as the same key; a map never comes without keys.
pub fn keys(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for name in text.lines().take(64) {
        if let Ok(key) = Key::parse(name) {
            assert_eq!(Key::parse(&key.to_string()), Ok(key), "{name:?} is called {key}");
        }
    }
    let (_, troubles) = Keymap::read(&text);
    assert!(troubles.iter().all(|trouble| !trouble.is_empty()));
}
