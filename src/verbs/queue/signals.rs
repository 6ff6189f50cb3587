//! Signals while the queue runs: Ctrl-C cancels the question that is open, if any; otherwise it, TERM and HUP stop the
//! drain, whose runs are then ended by the ladder and whose tickets are released.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// What the signals do.
#[derive(Clone, Debug)]
pub(in crate::verbs) struct Signals {
    /// Cancelled when the drain shall stop.
    pub(in crate::verbs) stop: CancellationToken,
    question: Arc<Question>,
}

#[derive(Debug, Default)]
struct Question {
    open: AtomicBool,
    cancelled: Notify,
}

/// Starts listening on the current async runtime.
///
/// # Errors
/// The system refuses a handler.
pub(in crate::verbs) fn listen() -> io::Result<Signals> {
    let signals = Signals { stop: CancellationToken::new(), question: Arc::default() };
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let heard = signals.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => heard.interrupted(),
                _ = terminate.recv() => heard.stop.cancel(),
                _ = hangup.recv() => heard.stop.cancel(),
            }
        }
    });
    Ok(signals)
}

impl Signals {
    fn interrupted(&self) {
        if self.question.open.load(Ordering::SeqCst) {
            self.question.cancelled.notify_one();
        } else {
            self.stop.cancel();
        }
    }

    /// Waits for `answer` while a question is open; `None` when it is cancelled or the drain stops.
    pub(super) async fn or_cancelled<T>(&self, answer: impl Future<Output = T>) -> Option<T> {
        let cancelled = self.question.cancelled.notified();
        self.question.open.store(true, Ordering::SeqCst);
        let answer = tokio::select! {
            answer = answer => Some(answer),
            () = cancelled => None,
            () = self.stop.cancelled() => None,
        };
        self.question.open.store(false, Ordering::SeqCst);
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::Signals;

    fn signals() -> Signals {
        Signals { stop: Default::default(), question: Default::default() }
    }

    #[tokio::test]
    async fn ctrl_c_cancels_the_open_question_and_only_then_the_drain() {
        let signals = signals();
        let asking = signals.clone();
        let question = tokio::spawn(async move { asking.or_cancelled(std::future::pending::<()>()).await });
        while !signals.question.open.load(std::sync::atomic::Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
        signals.interrupted();
        assert_eq!(question.await.unwrap(), None);
        assert!(!signals.stop.is_cancelled());
        signals.interrupted();
        assert!(signals.stop.is_cancelled());
    }

    #[tokio::test]
    async fn an_answer_ends_the_question() {
        let signals = signals();
        assert_eq!(signals.or_cancelled(async { 7 }).await, Some(7));
        assert!(!signals.question.open.load(std::sync::atomic::Ordering::SeqCst));
    }
}
