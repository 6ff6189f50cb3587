//! Tests of `base::process` with small shell children. Every child is stopped by what is tested, and ends by itself
//! within a minute should that be broken.

use super::*;
use std::future::pending;
use std::process::ExitStatus;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::process::{ChildStderr, ChildStdout};

const LONG: Duration = Duration::from_secs(30);

fn program(script: &str) -> Program {
    Program::shell(script, std::env::temp_dir()).env([("PATH", "/usr/bin:/bin")])
}

async fn start(script: &str) -> (Running, Lines<BufReader<ChildStdout>>, ChildStderr) {
    let mut running = program(script).spawn().await.unwrap();
    let (out, err) = running.take_output().unwrap();
    (running, BufReader::new(out).lines(), err)
}

async fn line(lines: &mut Lines<BufReader<ChildStdout>>) -> String {
    tokio::time::timeout(LONG, lines.next_line()).await.unwrap().unwrap().unwrap()
}

async fn wait(running: &mut Running) -> ExitStatus {
    tokio::time::timeout(LONG, running.wait()).await.unwrap().unwrap()
}

async fn read_all(script: &str, input: &[u8]) -> String {
    let mut running = program(script).input(input.to_vec()).spawn().await.unwrap();
    let (mut out, _err) = running.take_output().unwrap();
    let mut text = String::new();
    out.read_to_string(&mut text).await.unwrap();
    wait(&mut running).await;
    text
}

#[tokio::test]
async fn input_folder_and_environment_are_what_was_said() {
    assert_eq!(read_all("cat", b"hello").await, "hello");
    assert_eq!(read_all("cat; echo end", b"").await, "end\n");
    let names = read_all("env | cut -d= -f1 | sort", b"").await;
    assert!(names.contains(MARKER), "{names}");
    assert!(!names.contains("CARGO"), "{names}");
    let folder = std::env::temp_dir().canonicalize().unwrap();
    assert_eq!(read_all("pwd -P", b"").await.trim_end(), folder.to_str().unwrap());
}

#[tokio::test]
async fn a_child_has_no_terminal_to_draw_on() {
    assert_eq!(read_all("(echo x >/dev/tty) 2>/dev/null && echo drawn || echo none", b"").await, "none\n");
}

#[tokio::test]
async fn what_cannot_start_says_why() {
    let folder = std::env::temp_dir();
    let error = Program::new("/no/such/program", &folder).spawn().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "starting /no/such/program failed: it was not found; install it or correct the path"
    );
    let error = Program::shell("true", "/no/such/folder").spawn().await.unwrap_err();
    assert!(matches!(error, SpawnError::NoFolder { .. }), "{error}");
}

#[tokio::test]
async fn wrapper_child_and_grandchild_are_all_stopped() {
    let (mut running, mut lines, _err) = start("sh -c 'sh -c \"echo up; sleep 60; true\"; true'; true").await;
    assert_eq!(line(&mut lines).await, "up");
    let group = running.group();
    assert!(group.members().len() >= 3, "{:?}", group.members());
    let stopped = group.stop(LONG, pending()).await;
    assert_eq!(stopped, Stopped { killed: false, left: vec![] });
    assert_eq!(group.members(), Vec::<u32>::new());
    assert!(!wait(&mut running).await.success());
    assert_eq!(lines.next_line().await.unwrap(), None);
}

#[tokio::test]
async fn who_ignores_term_is_killed_after_the_grace() {
    let (mut running, mut lines, _err) =
        start("trap '' TERM; echo up; for i in $(seq 60); do sleep 1; done").await;
    assert_eq!(line(&mut lines).await, "up");
    let started = std::time::Instant::now();
    let stopped = running.group().stop(Duration::from_millis(200), pending()).await;
    assert_eq!(stopped, Stopped { killed: true, left: vec![] });
    assert!(started.elapsed() >= Duration::from_millis(200));
    assert!(!wait(&mut running).await.success());
}

#[tokio::test]
async fn a_second_request_skips_the_grace() {
    let (running, mut lines, _err) =
        start("trap '' TERM; echo up; for i in $(seq 60); do sleep 1; done").await;
    assert_eq!(line(&mut lines).await, "up");
    let started = std::time::Instant::now();
    let stopped = running.group().stop(LONG, async {}).await;
    assert_eq!(stopped, Stopped { killed: true, left: vec![] });
    assert!(started.elapsed() < LONG);
}

#[tokio::test]
async fn a_stopped_child_hears_term() {
    let (running, mut lines, _err) = start("echo up; kill -STOP $$; sleep 60").await;
    assert_eq!(line(&mut lines).await, "up");
    assert!(!running.group().stop(LONG, pending()).await.killed);
}

#[tokio::test]
async fn the_group_is_stopped_when_its_leader_is_long_gone() {
    let (mut running, mut lines, _err) = start(
        "(trap '' TERM; echo up; for i in $(seq 60); do sleep 1; done) & wait_for=1; read -r x </dev/null; exit 0",
    )
    .await;
    assert_eq!(line(&mut lines).await, "up");
    assert!(wait(&mut running).await.success());
    let group = running.group();
    assert!(!group.members().is_empty());
    // The grandchild holds the pipe: reading to its end would hang without the bound.
    assert!(tokio::time::timeout(Duration::from_millis(20), lines.next_line()).await.is_err());
    let stopped = group.stop(Duration::from_millis(50), pending()).await;
    assert_eq!(stopped, Stopped { killed: true, left: vec![] });
    assert_eq!(tokio::time::timeout(LONG, lines.next_line()).await.unwrap().unwrap(), None);
}

#[tokio::test]
async fn a_process_that_moves_to_another_group_is_still_found() {
    // `timeout` leads a group of its own.
    let (running, mut lines, _err) = start("timeout 60 sh -c 'echo up; sleep 60; true'; true").await;
    assert_eq!(line(&mut lines).await, "up");
    let group = running.group();
    assert!(group.members().len() >= 3, "{:?}", group.members());
    assert_eq!(group.stop(LONG, pending()).await, Stopped { killed: false, left: vec![] });
    assert_eq!(group.members(), Vec::<u32>::new());
}

#[tokio::test]
async fn dropping_a_running_child_kills_it() {
    let (running, mut lines, _err) = start("echo up; sleep 60; true").await;
    assert_eq!(line(&mut lines).await, "up");
    let group = running.group();
    drop(running);
    tokio::time::timeout(LONG, group.gone()).await.unwrap();
}

#[tokio::test]
async fn an_orphan_is_found_by_its_record_and_nobody_else_is() {
    let (mut running, mut lines, _err) = start("(echo up; sleep 60) & read -r x </dev/null; exit 0").await;
    assert_eq!(line(&mut lines).await, "up");
    let record = running.identity().unwrap().clone();
    wait(&mut running).await;
    assert!(!record.is_alive());
    let stranger = ProcessIdentity { marker: Some("1-2-3".into()), ..record.clone() };
    assert_eq!(Group::of_orphan(&stranger).members(), Vec::<u32>::new());
    let nameless = ProcessIdentity { marker: None, ..record.clone() };
    assert_eq!(Group::of_orphan(&nameless).members(), Vec::<u32>::new());
    let rebooted = ProcessIdentity { boot_id: "other".into(), ..record.clone() };
    assert_eq!(Group::of_orphan(&rebooted).members(), Vec::<u32>::new());
    let orphan = Group::of_orphan(&record);
    assert!(!orphan.members().is_empty());
    assert_eq!(orphan.stop(LONG, pending()).await, Stopped { killed: false, left: vec![] });
}

#[tokio::test]
async fn input_that_is_kept_open_is_written_piece_by_piece() {
    use tokio::io::AsyncWriteExt;
    let mut running =
        program("read -r a; echo \"got $a\"; cat; echo end").open_input().spawn().await.unwrap();
    let mut input = running.take_input().unwrap();
    assert!(running.take_input().is_none());
    let (out, _err) = running.take_output().unwrap();
    let mut lines = BufReader::new(out).lines();
    input.write_all(b"one\n").await.unwrap();
    assert_eq!(line(&mut lines).await, "got one");
    input.write_all(b"two\n").await.unwrap();
    assert_eq!(line(&mut lines).await, "two");
    drop(input);
    assert_eq!(line(&mut lines).await, "end");
    assert!(wait(&mut running).await.success());
}

#[tokio::test]
async fn a_tree_holds_who_left_the_session_and_who_forgot_the_environment() {
    // The first child forks twice and leads a session of its own; the second has an empty environment.
    let (running, mut lines, _err) = start(
        "setsid sh -c 'sleep 61 & echo up' </dev/null 2>&1; \
         env -i /bin/sh -c 'exec setsid sh -c \"echo up; exec sleep 62\"' & sleep 60; true",
    )
    .await;
    assert_eq!([line(&mut lines).await, line(&mut lines).await], ["up", "up"]);
    let mut tree = running.tree();
    let known = tree.members();
    assert!(known.len() > running.group().members().len(), "{known:?}");
    // Once seen they are known, also when their parents are gone.
    running.group().kill_now();
    tokio::time::timeout(LONG, running.group().gone()).await.unwrap();
    let left = tree.members();
    let lines = |pids: &[u32]| -> Vec<String> {
        let line = |pid| {
            String::from_utf8_lossy(&std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default())
                .replace('\0', " ")
        };
        pids.iter().map(line).collect()
    };
    // A shell that said "up" is about to become its sleep.
    let became = async {
        while lines(&left) != ["sleep 61 ", "sleep 62 "] {
            tokio::task::yield_now().await;
        }
    };
    let became = tokio::time::timeout(LONG, became).await;
    assert!(became.is_ok(), "{:?}, {left:?} of {known:?}", lines(&left));
    tree.kill_now();
    while !tree.members().is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_reused_number_is_not_ours() {
    let own = ProcessIdentity::own().unwrap();
    assert!(own.is_alive());
    let earlier = ProcessIdentity { start_ticks: own.start_ticks - 1, ..own };
    assert!(!earlier.is_alive());
    assert_eq!(Group::of_orphan(&earlier).members(), Vec::<u32>::new());
}

#[tokio::test]
async fn a_child_dies_with_the_thread_that_spawned_it() {
    // Why `spawn` has a thread of its own, and the proof that a child does not survive our death.
    let handle = tokio::runtime::Handle::current();
    let thread = std::thread::spawn(move || {
        let _entered = handle.enter();
        let mut command = tokio::process::Command::new("/bin/sleep");
        command.arg("60");
        crate::base::sys::lead_session_and_die_with_parent(&mut command);
        command.spawn().unwrap()
    });
    let mut child = thread.join().unwrap();
    let status = tokio::time::timeout(LONG, child.wait()).await.unwrap().unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9));
}

#[test]
fn children_outlive_the_threads_of_the_runtime_that_asked_for_them() {
    let build =
        || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let first = build();
    let (running, lines, err) = first.block_on(async {
        // The thread of this task ends with the runtime, or when the pool has been idle.
        tokio::spawn(async { start("read -r x; echo never; sleep 60").await }).await.unwrap()
    });
    let group = running.group();
    // Ending the runtime ends all its threads. The child must not notice.
    let keep = (running, lines, err);
    first.shutdown_timeout(LONG);
    let second = build();
    // `read` meets the null device, so the script goes on to `sleep`; it lives until it is stopped.
    assert!(!group.members().is_empty());
    let stopped = second.block_on(group.stop(LONG, pending()));
    assert_eq!(stopped, Stopped { killed: false, left: vec![] });
    drop(keep);
}

#[test]
fn an_identity_survives_being_written_down() {
    let own = ProcessIdentity::own().unwrap();
    let text = serde_json::to_string(&own).unwrap();
    assert_eq!(serde_json::from_str::<ProcessIdentity>(&text).unwrap(), own);
}
