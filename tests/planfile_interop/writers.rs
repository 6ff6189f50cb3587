//! Eight writers of planfile beside two of ours: 2,000 changes, none lost. The tale stays in one piece, though longer
//! than 60 lines.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use koru_tui::plan::lifecycle::{NewTicket, Op, Patch};
use koru_tui::plan::store::{MutateError, Store};

use crate::support::{Copy, id};
use crate::{dump, peer};

/// One of planfile's own writers: makes tickets and notes on them through its Python interface.
const WRITER: &str = "
import sys, warnings
warnings.simplefilter('ignore')
from planfile import Planfile, Ticket
root, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
plan = Planfile(root)
print('READY', flush=True)
sys.stdin.readline()
mine = []
for n in range(count):
    if n % 5 == 0:
        made = plan.create_ticket(name=f'{name}-{n}', source={'tool': name})
        mine.append(made.id)
        print('MADE', made.id, flush=True)
    else:
        key = mine[-1]
        plan.add_ticket_note(key, f'{name}-{n}')
        print('NOTED', key, f'{name}-{n}', flush=True)
print('DONE', flush=True)
";

/// planfile's writers, and the changes that each makes. A change costs planfile a tenth of a second and more, so that
/// most of the 2,000 are ours.
const THEIRS: usize = 8;
const THEIR_CHANGES: usize = 50;
/// Our writers, the changes that each makes, and after how many it finishes a ticket, so that the archive moves too.
const OURS: usize = 2;
const OUR_CHANGES: usize = 800;
const OUR_LIFE: usize = 40;

/// How long the ten writers may take: a minute where the machine is free, three where it is busy. Beyond it they wait
/// for each other for ever, and the test says so instead of hanging.
const WRITERS_LIMIT: Duration = Duration::from_secs(360);

/// Kills the writers of planfile when the time is over; dropped, it ends its thread.
struct Watchdog {
    _end: std::sync::mpsc::Sender<()>,
}

impl Watchdog {
    fn over(children: Vec<nix::unistd::Pid>) -> Watchdog {
        let (end, ended) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            if ended.recv_timeout(WRITERS_LIMIT) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                for pid in children {
                    let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
                }
            }
        });
        Watchdog { _end: end }
    }
}

#[test]
fn ten_writers_lose_nothing() {
    let Some(python) = peer::planfile_python() else { return };
    let began = Instant::now();
    let copy = Copy::of("fresh-init");
    let mut children = Vec::new();
    for n in 0..THEIRS {
        let mut child = Command::new(&python)
            .arg("-c")
            .arg(WRITER)
            .arg(copy.path())
            .arg(format!("py{n}"))
            .arg(THEIR_CHANGES.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "READY");
        children.push((child, lines));
    }
    let pids = children.iter().map(|(child, _)| i32::try_from(child.id()).unwrap());
    let watchdog = Watchdog::over(pids.map(nix::unistd::Pid::from_raw).collect());
    children.iter_mut().for_each(|(child, _)| drop(child.stdin.take()));
    let ours: Vec<_> = (0..OURS)
        .map(|n| {
            let root = copy.path().to_path_buf();
            std::thread::spawn(move || write_as_we_do(&root, &format!("rs{n}"), began))
        })
        .collect();
    let mut wanted: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (mut child, lines) in children {
        let mut done = false;
        for line in lines.map(Result::unwrap) {
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                ["MADE", id] => {
                    assert_eq!(wanted.insert(id.to_owned(), vec![]), None, "{id} was given twice")
                }
                ["NOTED", id, note] => wanted.get_mut(id).unwrap().push(note.to_owned()),
                _ => done = line == "DONE",
            }
        }
        let ended = child.wait().unwrap();
        assert!(
            ended.success() && done,
            "a writer of planfile did not finish within {WRITERS_LIMIT:?} ({ended}, after {:?})",
            began.elapsed()
        );
    }
    drop(watchdog);
    for thread in ours {
        for (id, notes) in thread.join().unwrap() {
            assert_eq!(wanted.insert(id.clone(), notes), None, "{id} was given twice");
        }
    }
    let plan = Store::open(copy.path()).unwrap().plan();
    assert_eq!(plan.faults, vec![]);
    let found: BTreeMap<String, Vec<String>> =
        plan.tickets.iter().map(|t| (t.id.to_string(), t.outputs.notes.clone())).collect();
    assert_eq!(found, wanted);
    let seen = dump(&python, &[copy.path()]).remove(0);
    let seen: BTreeMap<String, Vec<String>> = seen["tickets"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(id, ticket)| {
            (id.clone(), serde_json::from_value(ticket["outputs"]["notes"].clone()).unwrap_or_default())
        })
        .collect();
    assert_eq!(seen, wanted);
    let changes = wanted.len() + wanted.values().map(Vec::len).sum::<usize>();
    assert_eq!(changes, 2_000);
    assert_eq!(changes, THEIRS * THEIR_CHANGES + OURS * OUR_CHANGES);
}

/// One of our writers.
fn write_as_we_do(root: &Path, name: &str, began: Instant) -> BTreeMap<String, Vec<String>> {
    let mut store = Store::open(root).unwrap().with_lock_wait(Duration::from_secs(120));
    let mut mine: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut last = id("");
    for n in 0..OUR_CHANGES {
        if n % OUR_LIFE == 0 {
            let made = retried(began, || {
                store.create(&NewTicket { name: format!("{name}-{n}"), ..NewTicket::default() })
            });
            last = made.ticket.id.clone();
            mine.insert(last.to_string(), vec![]);
            continue;
        }
        let note = Some(format!("{name}-{n}"));
        let op = if n % OUR_LIFE == OUR_LIFE - 1 {
            Op::Complete { note: note.clone(), artifacts: vec![], result: None }
        } else {
            Op::Update(Patch { note: note.clone(), ..Patch::default() })
        };
        let done = retried(began, || store.mutate(&last, op.clone(), Some(name)));
        mine.get_mut(last.as_str()).unwrap().extend(note);
        assert_eq!(done.ticket.outputs.notes, mine[last.as_str()]);
    }
    mine
}

/// A lock that was not had in time is asked for again: the machine may be slow, nothing may be lost.
fn retried<T>(began: Instant, mut act: impl FnMut() -> Result<T, MutateError>) -> T {
    loop {
        match act() {
            Err(error @ MutateError::Locked { .. }) => {
                assert!(began.elapsed() < WRITERS_LIMIT, "no lock within {WRITERS_LIMIT:?}: {error}");
            }
            other => return other.unwrap(),
        }
    }
}
