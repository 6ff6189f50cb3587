//! Parses the command line and hands over to the console or to a verb. Nothing else.

use std::process::ExitCode;

use koru_tui::console::{self, ConsoleError, ConsoleOptions};
use koru_tui::runtime;
use koru_tui::verbs::{self, Handover};

fn main() -> ExitCode {
    let code = verbs::guarded(|| match verbs::run(std::env::args_os().collect()) {
        Handover::Exit(code) => code,
        Handover::Console(call) => open(*call),
    });
    ExitCode::from(code)
}

/// The screen and what it watches, on a tokio runtime of their own.
fn open(call: verbs::ConsoleCall) -> u8 {
    let tokio = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(tokio) => tokio,
        Err(error) => return verbs::complain(&error),
    };
    let options = ConsoleOptions {
        theme: call.theme.clone(),
        ascii: call.ascii,
        bell: call.bell,
        work: call.resume,
        ..ConsoleOptions::default()
    };
    let hosted = call.options.clone();
    let ended = tokio.block_on(async move {
        let (handle, events) = runtime::start(hosted);
        console::run(options, handle, events).await
    });
    match ended {
        Ok(_) => {
            call.farewell();
            0
        }
        Err(error @ ConsoleError::Panicked) => verbs::bug(&error),
        Err(error) => verbs::complain(&error),
    }
}
