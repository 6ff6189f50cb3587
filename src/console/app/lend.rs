//! Lending the terminal to another program and taking it back: the operator's editor, or a shell in a worktree.
//!
//! While it is lent the runtime is heard, so that nothing is lost or held up, and nothing is drawn.

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};

use crossterm::event::Event as TerminalEvent;
use futures_util::Stream;

use super::signals::Signal;
use super::{App, ConsoleError};
use crate::base::paths::ProjectPaths;
use crate::console::display::Display;
use crate::console::message::{Effect, ExitReason, Message, SystemMessage};
use crate::console::port::Port;
use crate::console::{editor, notify, shell};

impl<P, D, F, K> App<P, D, F>
where
    P: Port,
    D: Display,
    F: FnMut() -> K,
    K: Stream<Item = io::Result<TerminalEvent>> + Unpin,
{
    /// Lets the operator's editor have the terminal.
    pub(super) async fn edit(
        &mut self,
        key: String,
        text: &str,
        keys: &mut K,
    ) -> Result<Option<ExitReason>, ConsoleError> {
        let drafts = ProjectPaths::new(PathBuf::from(self.console.root())).drafts();
        self.display.leave().map_err(ConsoleError::Draw)?;
        let (result, leaving) = match editor::start(text, &drafts, &editor::chosen()) {
            Err(sentence) => (Err(sentence), None),
            Ok(mut editing) => {
                let (ended, leaving) = self.hear_until(editing.ended()).await;
                // Left in a hurry, what the editor has saved so far is what there is.
                (ended.unwrap_or(Ok(())).and_then(|()| editing.text()), leaving)
            }
        };
        self.take_back(keys)?;
        Ok(self.after(SystemMessage::Edited { key, result }, leaving))
    }

    /// Lets a shell in `folder` have the terminal.
    pub(super) async fn attach(
        &mut self,
        folder: &Path,
        keys: &mut K,
    ) -> Result<Option<ExitReason>, ConsoleError> {
        self.display.leave().map_err(ConsoleError::Draw)?;
        let (result, leaving) = match shell::start(folder) {
            Err(sentence) => (Err(sentence), None),
            Ok(mut child) => {
                let (ended, leaving) = self.hear_until(shell::ended(&mut child)).await;
                if ended.is_none() {
                    shell::hang_up(&child);
                }
                (ended.unwrap_or(Ok(())), leaving)
            }
        };
        self.take_back(keys)?;
        Ok(self.after(SystemMessage::Attached { result }, leaving))
    }

    /// Hears signals and the runtime until the other program has ended, or we must go first (no result then).
    async fn hear_until(
        &mut self,
        guest: impl Future<Output = Result<(), String>>,
    ) -> (Option<Result<(), String>>, Option<ExitReason>) {
        let mut guest = std::pin::pin!(guest);
        loop {
            tokio::select! {
                biased;
                ended = &mut guest => return (Some(ended), None),
                signal = self.signals.next() => {
                    // An interrupt was meant for the program that had the terminal.
                    if signal == Signal::Terminate && !self.signals.was_interrupt() {
                        return (None, Some(ExitReason::Terminated));
                    }
                }
                event = self.events.recv() => {
                    let gone = event.is_none();
                    if let Some(message) = self.heard(event) {
                        let effects = self.console.update(self.clock.now(), Message::Runtime(message));
                        self.send_only(effects);
                    }
                    if gone {
                        return (None, Some(ExitReason::RuntimeGone));
                    }
                }
            }
        }
    }

    fn take_back(&mut self, keys: &mut K) -> Result<(), ConsoleError> {
        self.display.retake().map_err(ConsoleError::Draw)?;
        *keys = (self.keys)();
        Ok(())
    }

    fn after(&mut self, message: SystemMessage, leaving: Option<ExitReason>) -> Option<ExitReason> {
        let now = self.clock.now();
        let effects = self.console.update(now, Message::System(message));
        self.send_only(effects);
        if leaving == Some(ExitReason::Terminated) {
            let effects = self.console.update(now, Message::System(SystemMessage::Terminate));
            self.send_only(effects);
        }
        leaving
    }

    /// Of what is to be done, only the commands, and calling the operator by their own: the terminal is not ours to draw
    /// on or to ring.
    fn send_only(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send { request, command } => self.port.send(request, command),
                Effect::Notify(call) => notify::start(&self.console.settings.notify.command, &call),
                _ => {}
            }
        }
    }
}
