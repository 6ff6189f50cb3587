//! `mcp` tickets through the real binary: what is written down, and what is in no file.

use serde_json::json;

use crate::bench::{Web, command};
use crate::cli::Place;
use crate::support::project::{Project, Ticket};

const SECRET: &str = "sesame-bread-1";

fn tool(id: &str, tool: &str, arguments: &str) -> Ticket {
    Ticket::new(id, "Call", "mcp")
        .input(&format!("mcp_tool: {tool}"))
        .input(&format!("mcp_arguments: {arguments}"))
        .input("timeout_seconds: 30")
}

fn configured(tickets: &[Ticket], servers: &serde_json::Value) -> Project {
    let place = Project::with(tickets);
    // JSON is YAML.
    place.put(".planfile/.koru/config.yaml", &json!({"mcp": servers}).to_string());
    place
}

/// Everything that runs left, as one text: all but the configuration itself.
fn left(place: &Project) -> String {
    let mut text = String::new();
    let mut folders = vec![place.root().join(".planfile"), place.home_folder()];
    while let Some(folder) = folders.pop() {
        // A home folder is made when something is to be kept in it.
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with(".koru/config.yaml") {
                text.push_str(&String::from_utf8_lossy(&std::fs::read(path).unwrap()));
            }
        }
    }
    text
}

#[test]
fn a_queue_calls_tools_and_writes_their_answers_down() {
    let Some(program) = command("stdio", &[]) else { return };
    let tickets = [tool("PLF-001", "kitchen/echo", "{text: warm}"), tool("PLF-002", "fail", "{}")];
    let place = configured(&tickets, &json!({"kitchen": {"command": program}}));
    let ran = place.run(&["queue", "run"]).expect(0);
    assert!(ran.out.contains("status=completed ticket=PLF-001 executor=mcp"), "{}", ran.out);
    let record = place.on_disk("PLF-001");
    let want = json!({
        "exit_code": 0, "stdout": "warm", "stderr": "", "mcp_server": "kitchen", "mcp_tool": "echo",
    });
    assert_eq!((&record["status"], &record["outputs"]["result"]), (&json!("done"), &want));
    assert!(left(&place).contains("mcp kitchen/echo"), "the run is called by server and tool");
    let ran = place.run(&["queue", "run"]).expect(1);
    assert!(ran.out.contains("status=failed ticket=PLF-002 executor=mcp"), "{}", ran.out);
    let record = place.on_disk("PLF-002");
    let said = "the tool says that it failed: no such page: oven";
    assert_eq!((&record["status"], &record["execution"]["last_error"]), (&json!("failed"), &json!(said)));
}

#[test]
fn a_ticket_is_run_by_its_id_and_a_dry_run_shows_the_call() {
    let Some(program) = command("stdio", &[]) else { return };
    let place =
        configured(&[tool("PLF-001", "echo", "{text: warm}")], &json!({"kitchen": {"command": program}}));
    let ran = place.run(&["queue", "run", "--dry-run"]).expect(0);
    let call = r#"{"server":"kitchen","tool":"echo","arguments":{"text":"warm"},"timeout_seconds":30.0}"#;
    assert!(ran.out.contains(call), "{}", ran.out);
    place.run(&["ticket", "run", "PLF-001"]).expect(0);
    assert_eq!(place.on_disk("PLF-001")["status"], "done");
}

#[test]
fn an_unknown_server_fails_its_ticket_and_names_the_known_ones() {
    let Some(program) = command("stdio", &[]) else { return };
    let ticket = tool("PLF-001", "echo", "{}").input("mcp_server: cellar");
    let place =
        configured(&[ticket], &json!({"kitchen": {"command": program}, "pantry": {"command": "true"}}));
    place.run(&["queue", "run"]).expect(1);
    let want = "no MCP server \"cellar\" under `mcp` in .planfile/.koru/config.yaml; known: kitchen, pantry";
    assert_eq!(place.on_disk("PLF-001")["execution"]["last_error"], want);
}

#[test]
fn what_is_configured_for_a_server_is_in_no_file_and_no_output() {
    let Some(web) = Web::start(&["--sse", "--key", SECRET]) else { return };
    let Some(program) = command("stdio", &[]) else { return };
    let tickets = [
        tool("PLF-001", "kitchen/tell", "{variables: [OVEN]}"),
        tool("PLF-002", "kitchen/die", "{}"),
        tool("PLF-003", "pantry/echo", &format!("{{text: {SECRET}}}")),
    ];
    let servers = json!({
        "kitchen": {"command": program, "env": {"OVEN": SECRET}},
        "pantry": {"url": format!("{}?key={SECRET}", web.url), "headers": {"x-key": SECRET}},
    });
    // The third names the secret itself, as a careless ticket would: its own file keeps it, nothing else does.
    let place = configured(&tickets[..2], &servers);
    let ran = place.run(&["queue", "run", "--loop"]);
    assert!(place.on_disk("PLF-001")["outputs"]["result"]["stdout"] == "OVEN=[redacted]", "{}", ran.all());
    assert!(!left(&place).contains(SECRET) && !ran.all().contains(SECRET), "{}", ran.all());
    let place = configured(&tickets[2..], &servers);
    let mut ran = place.command(&["queue", "run"]);
    let output = ran.env("KORU_TUI_LOG", "trace").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(place.on_disk("PLF-003")["outputs"]["result"]["stdout"], "[redacted]");
    assert!(place.on_disk("PLF-003").to_string().contains(SECRET), "the ticket's own text stays as it is");
    let told: Vec<String> =
        left(&place).lines().filter(|line| line.contains(SECRET)).map(str::to_owned).collect();
    assert!(told.iter().all(|line| line.contains("text") && line.matches(SECRET).count() == 1), "{told:#?}");
}
