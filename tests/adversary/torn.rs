//! A planfile that others edit while we read or write it, or that was made to be too much for a reader.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::cli::{Place, Ran};
use super::hostile::harmless;
use super::support::project::{Project, human, shell};

/// Verbs that read, and one that writes.
const CALLS: [&[&str]; 7] = [
    &["ticket", "list", "--sprint", "all", "--format", "json"],
    &["ticket", "show", "PLF-001"],
    &["ticket", "next"],
    &["brief"],
    &["doctor"],
    &["queue", "run", "--dry-run"],
    &["ticket", "update", "PLF-001", "--name", "Changed"],
];

/// Ends whoever writes meanwhile, also when what is tested fails: else the test would wait for ever.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn project() -> Project {
    Project::with(&[
        shell("PLF-001", "One", "true"),
        human("PLF-002", "Two", "?"),
        shell("PLF-003", "Three", "true"),
    ])
}

#[track_caller]
fn ended(ran: &Ran, what: &str) {
    assert!(matches!(ran.code, 0..=2), "{what}: exit {}: {}", ran.code, ran.all());
    harmless(what, &ran.all());
}

/// Torn at every line and at odd bytes: no tickets are lost by a write, and what is torn is not taken for all there is.
#[test]
fn a_file_torn_anywhere_is_read_as_it_is_or_refused_and_never_shortened() {
    let whole = std::fs::read(project().current()).unwrap();
    let lines = whole.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    let cuts: Vec<usize> = lines.step_by(4).chain((1..whole.len()).step_by(211)).collect();
    assert!(cuts.len() > 20, "{cuts:?}");
    for cut in cuts {
        let place = project();
        std::fs::write(place.current(), &whole[..cut]).unwrap();
        ended(&place.run(&["ticket", "list"]), &format!("torn at {cut}"));
        let ran = place.run(&["ticket", "update", "PLF-001", "--name", "Changed"]);
        ended(&ran, &format!("torn at {cut}"));
        let now = std::fs::read(place.current()).unwrap();
        if ran.code == 0 {
            assert!(now.len() + 200 > cut, "cut at {cut}: {} bytes are left", now.len());
        } else {
            assert_eq!(now, &whole[..cut], "cut at {cut}: refused, and written all the same");
        }
    }
}

/// Emptied, half-written and without rights: nothing is put in its place.
#[test]
fn an_emptied_file_is_not_filled_and_not_taken_for_a_sprint_without_tickets() {
    for bytes in [&b""[..], b"\n", b"\0\0\0\0\0\0\0\0", b"sprint:", b"---\n...\n", b"\xef\xbb\xbf"] {
        let place = project();
        std::fs::write(place.current(), bytes).unwrap();
        for args in CALLS {
            ended(&place.run(args), &format!("{bytes:?} {args:?}"));
            assert_eq!(std::fs::read(place.current()).unwrap(), bytes, "{args:?}");
        }
    }
}

/// Somebody replaces the file again and again, by rename, in place, and by appending: every answer is of one version.
#[test]
fn every_answer_is_of_one_version_while_others_write() {
    let place = project();
    let path = place.current();
    let one = std::fs::read_to_string(&path).unwrap();
    let two = one.replace("\"One\"", "\"Uno\"").replace("\"Two\"", "\"Due\"").replace("\"Three\"", "\"Tre\"");
    assert_ne!(one, two);
    let ends = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _ends = Ends(&ends);
        scope.spawn(|| {
            let beside = path.with_extension("tmp");
            let mut turn = 0;
            while !ends.load(Ordering::Relaxed) {
                turn += 1;
                std::fs::write(&beside, if turn % 2 == 0 { &one } else { &two }).unwrap();
                std::fs::rename(&beside, &path).unwrap();
            }
        });
        for _ in 0..25 {
            let ran = place.run(&["ticket", "list", "--format", "json"]).expect(0);
            let names: Vec<String> =
                ran.json().as_array().unwrap().iter().map(|ticket| ticket["name"].to_string()).collect();
            let versions = [["\"One\"", "\"Two\"", "\"Three\""], ["\"Uno\"", "\"Due\"", "\"Tre\""]];
            let sorted = |mut names: Vec<String>| {
                names.sort();
                names
            };
            let known = versions.map(|version| sorted(version.map(str::to_owned).to_vec()));
            assert!(known.contains(&sorted(names.clone())), "a mixture: {names:?}");
        }
    });
}

/// A writer without the lock replaces the file while we change another ticket: what is there in the end is whole, and
/// holds every ticket.
#[test]
fn a_writer_without_the_lock_loses_nobodys_tickets() {
    let place = project();
    let path = place.current();
    let ends = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _ends = Ends(&ends);
        scope.spawn(|| {
            let beside = path.with_extension("tmp");
            while !ends.load(Ordering::Relaxed) {
                // An editor: reads, changes a word, saves.
                let text = std::fs::read_to_string(&path).unwrap();
                assert!(text.contains("PLF-003"), "a reader without a lock saw half a file");
                std::fs::write(&beside, text.replace("Two", "Twi").replace("Twi", "Two")).unwrap();
                std::fs::rename(&beside, &path).unwrap();
                std::thread::sleep(Duration::from_millis(3));
            }
        });
        for round in 0..20 {
            let name = format!("Name {round}");
            let ran = place.run(&["ticket", "update", "PLF-001", "--name", &name]);
            ended(&ran, &name);
        }
    });
    let listed = place.run(&["ticket", "list", "--format", "json"]).expect(0).json();
    assert_eq!(listed.as_array().unwrap().len(), 3, "{listed}");
}

/// Files may not grow (a full disk says the same in other words): the old file stands whole, and nothing lies beside it.
#[test]
fn without_room_the_old_file_stands_whole() {
    let place = project();
    let before = std::fs::read(place.current()).unwrap();
    let names = |folder: &Path| {
        let mut names: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let folder = place.current().parent().unwrap().to_owned();
    let beside = names(&folder);
    for args in
        ["ticket update PLF-001 --name Changed", "ticket create New", "ticket claim PLF-001 --assigned-to x"]
    {
        let script = format!("ulimit -f 1; trap '' XFSZ; exec '{}' {args}", env!("CARGO_BIN_EXE_koru-tui"));
        let ran = Command::new("sh")
            .args(["-c", &script])
            .current_dir(place.path())
            .env("HOME", place.home_folder())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert_eq!(ran.status.code(), Some(1), "{args}: {said}");
        assert_eq!(std::fs::read(place.current()).unwrap(), before, "{args}");
        assert_eq!(names(&folder), beside, "{args}");
        assert!(said.contains("File too large") || said.contains("os error 27"), "{args}: {said}");
    }
}

/// What would make a reader loop, swell or fall: aliases of aliases, one huge word, very many keys, very deep nesting.
fn too_much() -> Vec<(&'static str, String)> {
    let mut bomb = "sprint:\n  tickets: {}\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..30 {
        let before = format!("*a{}", level - 1);
        bomb.push_str(&format!("a{level}: &a{level} [{}]\n", vec![before; 10].join(", ")));
    }
    bomb.push_str("b: *a29\n");
    let merged = format!(
        "sprint: &s\n  tickets:\n    PLF-001: &t\n      name: {}\n      self: {}\n",
        "&n x", "{<<: [*n, *n]}"
    );
    let deep = |open: &str, close: &str, levels: usize| {
        format!(
            "sprint:\n  tickets:\n    PLF-001:\n      name: {}{}\n",
            open.repeat(levels),
            close.repeat(levels)
        )
    };
    let block: String = (0..3_000).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
    let keys: String = (0..100_000).map(|key| format!("      key{key}: {key}\n")).collect();
    vec![
        ("aliases of aliases", bomb),
        ("merge keys", merged),
        (
            "a scalar of 10 MB",
            format!("sprint:\n  tickets:\n    PLF-001:\n      name: {}\n", "x".repeat(10 << 20)),
        ),
        ("a line of 10 MB without an end", format!("\"{}", "x".repeat(10 << 20))),
        ("100,000 keys", format!("sprint:\n  tickets:\n    PLF-001:\n      name: x\n{keys}")),
        ("lists in lists", deep("[", "]", 100_000)),
        ("lists that never end", deep("[", "", 100_000)),
        ("maps in maps", deep("{a: ", "}", 50_000)),
        ("deep block", block),
        ("deep sequences", format!("{}x\n", "- ".repeat(50_000))),
        ("complex keys", format!("{}x\n", "? ".repeat(50_000))),
        (
            "anchors",
            format!(
                "sprint:\n  tickets: {{}}\nx: [{}]\n",
                (0..50_000).map(|n| format!("&a{n} 1")).collect::<Vec<_>>().join(", ")
            ),
        ),
        ("tags", format!("sprint: !!{} {{}}\n", "x".repeat(1 << 20))),
        (
            "a long number",
            format!("sprint:\n  tickets:\n    PLF-001:\n      priority: {}\n", "9".repeat(1 << 20)),
        ),
    ]
}

#[test]
fn files_made_to_be_too_much_are_refused_or_read_within_bounds() {
    let cases = too_much();
    for (what, text) in &cases {
        for file in [
            ".planfile/sprints/current.yaml",
            ".planfile/config.yaml",
            ".planfile/.koru/config.yaml",
            ".planfile/.koru/policy.yaml",
        ] {
            let place = project();
            place.put(file, text);
            let calls = if file.ends_with("current.yaml") { &CALLS[..] } else { &CALLS[..1] };
            for args in calls.iter().chain([&&["doctor"][..]]) {
                let began = Instant::now();
                let ran = place.run(args);
                ended(&ran, &format!("{what} in {file}: {args:?}"));
                assert!(
                    began.elapsed().as_secs() < 30,
                    "{what} in {file}: {args:?} took {:?}",
                    began.elapsed()
                );
                assert!(ran.out.len() < 64 << 20, "{what} in {file}: {} bytes of output", ran.out.len());
            }
        }
    }
}

/// Records of ours that were made the same way.
#[test]
fn json_of_ours_that_was_made_to_be_too_much_is_passed_over() {
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let maps = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    for text in [deep, maps, "1e999999999".to_owned(), format!("\"{}\"", "x".repeat(20 << 20))] {
        let place = project();
        for file in [
            ".planfile/.koru/known-whole.json",
            ".planfile/.koru/loop/PLF-001/rounds.json",
            ".planfile/.koru/loop/PLF-001/queued.json",
            ".planfile/.koru/loop/PLF-001/comments.json",
            ".planfile/.koru/worktrees/PLF-001.json",
            ".planfile/.koru/runs/PLF-001-20261121T050508Z-1/run.json",
            ".planfile/.koru/runs/PLF-001-20261121T050508Z-1/transcript.jsonl",
            ".planfile/.koru/runs/queue-20261121T050508Z-1.jsonl",
            ".planfile/sprints/current.yaml.fast.json",
            ".planfile/events/operations.jsonl",
            ".planfile/.koru/audit/2026-11-21.jsonl",
        ] {
            place.put(file, &text);
        }
        const MORE: [&[&str]; 6] = [
            &["ticket", "runs", "PLF-001"],
            &["ticket", "log", "PLF-001"],
            &["ticket", "review", "PLF-001"],
            &["worktree", "list"],
            &["diff", "PLF-001"],
            &["queue", "run", "--loop"],
        ];
        for args in CALLS.iter().chain(&MORE) {
            ended(&place.run(args), &format!("{args:?}"));
        }
    }
}

/// Times of a clock that was set back since: tickets, leases and runs from tomorrow are worked all the same.
#[test]
fn times_from_the_future_stop_nobody() {
    let place = project();
    let text =
        place.get(".planfile/sprints/current.yaml").replace("2026-11-20T10:00:00", "2199-01-01T00:00:00");
    place.put(".planfile/sprints/current.yaml", &text);
    let run = ".planfile/.koru/runs/PLF-001-21990101T000000Z-1/run.json";
    place.put(run, "{\"format\":1,\"run\":\"PLF-001-21990101T000000Z-1\",\"ticket\":\"PLF-001\"}");
    place.put(".planfile/.koru/runs/queue-21990101T000000Z-1.jsonl", "{\"t\":\"2199-01-01T00:00:00Z\"}\n");
    place.put(".planfile/.koru/audit/2199-01-01.jsonl", "{\"at\":\"2199-01-01T00:00:00Z\"}\n");
    place.run(&["ticket", "update", "PLF-002", "--name", "Changed"]).expect(0);
    let ran = place.run(&["queue", "run", "--loop"]);
    ended(&ran, "the queue");
    assert_eq!(
        (place.on_disk("PLF-001")["status"].as_str(), place.on_disk("PLF-002")["name"].as_str()),
        (Some("done"), Some("Changed"))
    );
    ended(&place.run(&["ticket", "log", "PLF-001"]), "the log");
}
