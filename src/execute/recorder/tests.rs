//! Tests of `execute::recorder`: what is kept of a run, and that no key is.

use super::*;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;

/// Collects all lines.
#[derive(Clone, Default)]
pub(crate) struct Collector(pub(crate) Arc<Mutex<Vec<OutputLine>>>);

impl Listener for Collector {
    fn lines(&mut self, first: u64, lines: Vec<OutputLine>) {
        let mut all = self.0.lock().unwrap();
        assert_eq!(first, all.len() as u64, "no gap");
        all.extend(lines);
    }
}

impl Collector {
    pub(crate) fn texts(&self) -> Vec<(Channel, String)> {
        self.0.lock().unwrap().iter().map(|line| (line.channel, line.text.to_string())).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn streams_are_kept_apart_and_in_order() {
    let collector = Collector::default();
    let mut recorder = Recorder::new(Redactor::default(), None, Box::new(collector.clone()));
    recorder.bytes(Channel::Out, b"a\nb");
    recorder.bytes(Channel::Err, b"oops\n");
    recorder.note("hello");
    recorder.bytes(Channel::Out, b"c\n");
    let (out, err) = recorder.finish();
    let want = [(Channel::Out, "a"), (Channel::Err, "oops"), (Channel::Note, "hello"), (Channel::Out, "bc")];
    assert_eq!(collector.texts(), want.map(|(channel, text)| (channel, text.to_owned())));
    assert_eq!((out.last(99), err.last(99)), ("a\nbc\n", "oops\n"));
}

#[tokio::test(start_paused = true)]
async fn made_lines_are_numbered_with_the_others_cleaned_and_cut() {
    let collector = Collector::default();
    let redactor = Redactor::with_values(["hunter22".to_owned()]);
    let mut recorder = Recorder::new(redactor, None, Box::new(collector.clone()));
    recorder.note("first");
    let tool = OutputLine { block: 3, ..OutputLine::new(7, Channel::Tool, "Bash hunter22") };
    recorder.lines(vec![tool.clone(), OutputLine::new(8, Channel::Text, "é".repeat(LINE_LIMIT))]);
    recorder.new_blocks();
    recorder.lines(vec![OutputLine { block: 1, ..tool }]);
    let lines = collector.0.lock().unwrap();
    assert_eq!(lines[1], OutputLine { block: 3, ..OutputLine::new(7, Channel::Tool, "Bash [redacted]") });
    let cut = format!("{} … [line cut: {LINE_LIMIT} more bytes]", "é".repeat(LINE_LIMIT / 2));
    assert_eq!((lines.len(), &*lines[2].text), (4, &*cut));
    assert_eq!(lines[3].block, 4, "blocks of the next session are others");
}

/// Wherever a cut falls, nothing of the secret that it cuts in two is kept.
#[tokio::test(start_paused = true)]
async fn a_secret_across_the_cut_of_a_long_line_leaves_no_part() {
    let secret = "Swordfish77-Needle33";
    for before in LINE_LIMIT - secret.len() - 1..=LINE_LIMIT {
        let line = format!("{} {secret} and more", "x".repeat(before));
        let collector = Collector::default();
        let redactor = Redactor::with_values([secret.to_owned()]);
        let mut recorder = Recorder::new(redactor, None, Box::new(collector.clone()));
        recorder.bytes(Channel::Out, line.as_bytes());
        recorder.lines(vec![OutputLine::new(0, Channel::Text, line)]);
        let (out, _) = recorder.finish();
        let mut kept: Vec<String> = collector.texts().into_iter().map(|(_, text)| text).collect();
        kept.push(out.last(4000).to_owned());
        assert!(kept.iter().all(|text| !text.contains("Swordf")), "{before}: {:?}", &kept[0][before..]);
    }
}

#[tokio::test(start_paused = true)]
async fn partial_text_and_tally_are_passed_on_when_they_change() {
    #[derive(Clone, Default)]
    struct Watcher(Arc<Mutex<(Vec<String>, u32)>>);
    impl Listener for Watcher {
        fn lines(&mut self, _: u64, _: Vec<OutputLine>) {}
        fn partial(&mut self, partial: Option<(Channel, String)>) {
            self.0.lock().unwrap().0.push(partial.map_or_else(|| "-".to_owned(), |(_, text)| text));
        }
        fn tally(&mut self, _: &Tally) {
            self.0.lock().unwrap().1 += 1;
        }
    }
    let watcher = Watcher::default();
    let redactor = Redactor::with_values(["hunter22".to_owned()]);
    let mut recorder = Recorder::new(redactor, None, Box::new(watcher.clone()));
    let long = format!("hunter22{} end", "x".repeat(PARTIAL_LIMIT - 8));
    for text in [Some("a"), Some("a"), Some("a hunter22"), Some(&long), None, None] {
        recorder.partial(text.map(|text| (Channel::Text, text)));
    }
    for turns in [0, 0, 1] {
        recorder.tally(&Tally { turns, ..Tally::default() });
    }
    let want = (["a", "a [redacted]", " end", "-"].map(str::to_owned).to_vec(), 2);
    assert_eq!(*watcher.0.lock().unwrap(), want);
}

#[tokio::test(start_paused = true)]
async fn a_transcript_that_cannot_be_written_does_not_end_the_run() {
    let collector = Collector::default();
    let transcript = TranscriptWriter::new("/nonexistent/transcript.jsonl".into(), "r");
    let mut recorder = Recorder::new(Redactor::default(), Some(transcript), Box::new(collector.clone()));
    recorder.bytes(Channel::Out, b"a\n");
    recorder.bytes(Channel::Out, b"b\n");
    let (out, _) = recorder.finish();
    assert_eq!(out.last(99), "a\nb\n");
    let texts = collector.texts();
    assert_eq!(texts.len(), 1);
    assert!(texts[0].1.contains("cannot be written"), "{texts:?}");
}

/// Everything that a run's output reaches: kept lines, the line that is being written, what is said of the run, the
/// transcript on disk, what goes into the ticket.
#[derive(Clone, Default)]
struct Surfaces(Arc<Mutex<String>>);

impl Surfaces {
    fn put(&self, text: &str) {
        let mut all = self.0.lock().unwrap();
        all.push_str(text);
        all.push('\n');
    }
}

impl Listener for Surfaces {
    fn lines(&mut self, _: u64, lines: Vec<OutputLine>) {
        lines.iter().for_each(|line| self.put(&line.text));
    }

    fn partial(&mut self, partial: Option<(Channel, String)>) {
        self.put(&partial.unwrap_or((Channel::Text, String::new())).1);
    }

    fn tally(&mut self, tally: &Tally) {
        self.put(&format!("{:?} {:?}", tally.doing, tally.last_error));
    }
}

/// What a run says: texts with the key `%` somewhere in them, over lines of any length.
fn speech() -> impl Strategy<Value = String> {
    let quiet = "[a-z0-9 =:.{}\"'/-]{0,40}";
    let long = (0..3_usize, quiet).prop_map(|(times, text)| match times {
        0 => text,
        // Up to and over the limit of a line.
        times => format!("{text} ").repeat(times * LINE_LIMIT / 2 / (text.len() + 1)),
    });
    let piece = prop_oneof![4 => quiet.prop_map(String::from), 1 => long, 3 => Just("%".to_owned()), 1 => Just("\n".to_owned())];
    proptest::collection::vec(piece, 1..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_key_is_on_no_surface_however_it_is_said_and_split(
        key in prop_oneof!["[A-Za-z0-9_-]{12,64}", "sk-[a-zA-Z0-9]{20,40}", "[a-z]{4,9} [a-z]{4,9} [a-z]{4,9}"],
        said in speech(),
        size in prop_oneof![1..40_usize, 1_000..20_000_usize],
    ) {
        prop_assume!(key.len() >= 12);
        let runtime = tokio::runtime::Builder::new_current_thread().start_paused(true).enable_time().build().unwrap();
        let said = said.replace('%', &key);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("transcript.jsonl");
        let surfaces = Surfaces::default();
        runtime.block_on(async {
            let transcript = TranscriptWriter::new(path.clone(), "r");
            let redactor = Redactor::with_values([key.clone()]);
            let mut recorder = Recorder::new(redactor, Some(transcript), Box::new(surfaces.clone()));
            for (chunk, channel) in said.as_bytes().chunks(size).zip([Channel::Out, Channel::Out].iter().cycle()) {
                recorder.bytes(*channel, chunk);
            }
            recorder.lines(said.lines().map(|line| OutputLine::new(0, Channel::Text, line)).collect());
            let mut end = 0;
            while end < said.len().min(40_000) {
                end = boundary(&said, end + size.max(97));
                recorder.partial(Some((Channel::Text, &said[..end])));
            }
            recorder.note(&said);
            recorder.tally(&Tally { doing: Some(said.clone()), last_error: Some(said.clone()), ..Tally::default() });
            let (out, err) = recorder.finish();
            surfaces.put(out.last(4_000));
            surfaces.put(err.last(4_000));
        });
        surfaces.put(&std::fs::read_to_string(&path).unwrap());
        let all = surfaces.0.lock().unwrap();
        // Of a key that is being written less than that may be seen: it could be anything.
        prop_assert!(!all.contains(&key[..8]), "{key:?} of {} bytes in chunks of {size}", said.len());
    }
}
