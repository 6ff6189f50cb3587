//! The exact commands an agent may use, under koru's names (koru §2.6).

use std::collections::BTreeMap;

use crate::plan::policy::Policy;
use crate::plan::ticket::Ticket;

/// Name → command.
pub(super) type Commands = BTreeMap<&'static str, String>;

/// The commands that make sense now.
pub(super) fn commands(
    policy: &Policy,
    initialised: bool,
    ticket: Option<&Ticket>,
    queue: Option<&str>,
) -> Commands {
    if !initialised {
        return BTreeMap::from([
            ("init_project", "koru-tui init".to_owned()),
            ("init_from_pipeline", "koru-tui init --from <pipeline.yaml>".to_owned()),
            ("refresh_brief", "koru-tui brief".to_owned()),
        ]);
    }
    let queue = queue.map(|queue| format!(" --queue-name {}", quoted(queue))).unwrap_or_default();
    let mut commands = BTreeMap::from([
        ("next_brief", format!("koru-tui brief{queue}")),
        ("list_open", "koru-tui ticket list --status open".to_owned()),
        ("show_ticket", "koru-tui ticket show <ID>".to_owned()),
        ("list_agents", "koru-tui agent --list".to_owned()),
        ("create_ticket", "koru-tui ticket create \"<what and why>\" --description \"<details>\"".to_owned()),
    ]);
    if let Some(ticket) = ticket {
        let id = quoted(ticket.id.as_str());
        commands.extend([
            ("show_ticket", format!("koru-tui ticket show {id}")),
            (
                "claim_this",
                format!("koru-tui ticket claim {id} --assigned-to <your name> --lease-seconds 3600"),
            ),
            ("start_this", format!("koru-tui ticket start {id} --assigned-to <your name>")),
            ("complete_this", format!("koru-tui ticket complete {id} --note \"<what was done>\"")),
            ("done_this", format!("koru-tui ticket done {id}")),
            ("fail_this", format!("koru-tui ticket fail {id} --error \"<why>\"")),
            ("input_this", format!("koru-tui ticket input {id} --prompt \"<question>\"")),
            ("block_for_input", format!("koru-tui ticket input {id} --prompt \"<question>\"")),
            ("block_this", format!("koru-tui ticket block {id} --reason \"<why>\"")),
            ("release_this", format!("koru-tui ticket ready {id} --note \"<why>\"")),
        ]);
    }
    if !policy.ci_command.is_empty() {
        commands.insert("verify_ci", policy.ci_command.clone());
    }
    commands
}

/// The commands of an agent whose run is kept by the runtime: those that only read.
pub(super) fn of_run(policy: &Policy, ticket: &Ticket) -> Commands {
    let mut commands =
        BTreeMap::from([("show_ticket", format!("koru-tui ticket show {}", quoted(ticket.id.as_str())))]);
    if !policy.ci_command.is_empty() {
        commands.insert("verify_ci", policy.ci_command.clone());
    }
    commands
}

/// A word for a shell. Ids and queue names come from files and are not trusted to be plain.
pub(super) fn quoted(word: &str) -> String {
    shlex::try_quote(word).map_or_else(|_| "''".to_owned(), |quoted| quoted.into_owned())
}
