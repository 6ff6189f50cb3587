//! `mcp` tickets under the supervisor: not without a server, by their server's name, and stopped like all others.

use koru_tui::plan::ticket::{Status, TicketId};
use koru_tui::runtime::protocol::{Command, QueueCommand, RunCommand, RunState};

use crate::console::{Console, project, ticket, view};

/// A server for one call, in the shell: it answers by rote, in the order in which our client asks.
const SERVER: &str = r#"
say() { echo '{"jsonrpc":"2.0",'"$1"'}'; }
echo $$ >pid
read begin; say '"id":0,"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"k","version":"1"}}'
read begun; read list; say '"id":1,"result":{"tools":[{"name":"bake","inputSchema":{"type":"object"}}]}'
read call; say '"method":"notifications/message","params":{"level":"info","data":"rising"}'
test -e stuck && read never
say '"id":2,"result":{"content":[{"type":"text","text":"a loaf"}]}'
read bye
"#;

fn place(configured: bool) -> tempfile::TempDir {
    let place = project(&[ticket("PLF-1", "mcp", "", "        mcp_tool: bake\n")]);
    if configured {
        let koru = place.path().join(".planfile/.koru");
        std::fs::create_dir_all(&koru).unwrap();
        std::fs::write(koru.join("config.yaml"), "mcp: {kitchen: {command: [sh, server]}}\n").unwrap();
        std::fs::write(place.path().join("server"), SERVER).unwrap();
    }
    place
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_server_nothing_is_started() {
    let place = place(false);
    let mut console = Console::open(place.path());
    console.loaded().await;
    let why = console.refused(Command::Run(RunCommand::Start { ticket: TicketId::new("PLF-1") })).await;
    assert!(why.starts_with("PLF-1 cannot run: no MCP server is configured"), "{why}");
    console.done(Command::Queue(QueueCommand::Resume)).await;
    console.handle.shutdown().await;
    assert_eq!(console.ticket("PLF-1").status, Status::Open);
    assert!(console.handle.snapshot().runs.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_a_run_like_any_other() {
    let place = place(true);
    let mut console = Console::open(place.path());
    console.loaded().await;
    console.until(|snapshot| snapshot.servers == ["kitchen"]).await;
    let run = console.run("PLF-1").await;
    let ended = console.ended(&run).await;
    assert_eq!((ended.state, &*ended.label), (RunState::Done, "mcp kitchen/bake"), "{:?}", ended.message);
    let want = ["[calling bake of kitchen]", "info: rising", "a loaf"];
    assert_eq!(console.transcript(&run).await, want);
    let done = console.ticket("PLF-1");
    assert_eq!(
        (done.status, &*done.outputs.notes),
        (Status::Done, &["Executed by koru-shell: mcp kitchen/bake".to_owned()][..])
    );
    console.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_a_call_releases_its_ticket_and_ends_the_server() {
    let place = place(true);
    std::fs::write(place.path().join("stuck"), "").unwrap();
    let mut console = Console::open(place.path());
    console.loaded().await;
    let run = console.run("PLF-1").await;
    console.until(|snapshot| view(snapshot, &run).is_some_and(|view| view.lines == 2)).await;
    let pid = std::fs::read_to_string(place.path().join("pid")).unwrap();
    console.done(Command::Run(RunCommand::Stop { run: run.clone() })).await;
    assert_eq!(console.ended(&run).await.state, RunState::Stopped);
    let released = console.ticket("PLF-1");
    assert_eq!((released.status, released.execution.attempt), (Status::Open, 0));
    assert!(!std::path::Path::new(&format!("/proc/{}", pid.trim())).exists(), "the server lives on");
    console.handle.shutdown().await;
}
