//! Parses the command line and hands over to the console or to a verb. Nothing else.

use std::process::ExitCode;

use koru_tui::verbs::{self, Handover};

fn main() -> ExitCode {
    let code = verbs::guarded(|| match verbs::run(std::env::args_os().collect()) {
        Handover::Exit(code) => code,
        Handover::Console(call) => open(*call),
    });
    ExitCode::from(code)
}

/// The screen, on a runtime of its own.
fn open(call: verbs::ConsoleCall) -> u8 {
    let _ = call;
    0
}
