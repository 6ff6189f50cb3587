//! The threads that colour source text, one a text, and the way back into the loop.
//!
//! Owns the channel. The threads are not joined: what they make is only looks, so the console never waits for one, at
//! its end neither. They are few, because each text is asked for once, and short, because painting has a deadline.

use tokio::sync::mpsc;

use super::{Job, Painted};

/// Hands texts out and gives them back coloured.
#[derive(Debug)]
pub(crate) struct Painter {
    done: mpsc::UnboundedSender<Painted>,
    ready: mpsc::UnboundedReceiver<Painted>,
}

impl Default for Painter {
    fn default() -> Self {
        let (done, ready) = mpsc::unbounded_channel();
        Self { done, ready }
    }
}

impl Painter {
    /// Colours a text in the background. Where there is no thread to be had the text stays plain.
    pub(crate) fn start(&self, job: Job) {
        let done = self.done.clone();
        // A console that has gone meanwhile wants nothing any more.
        let work = move || drop(done.send(job.paint()));
        let _ = std::thread::Builder::new().name("koru-source".to_owned()).spawn(work);
    }

    /// The next coloured text; waits for ever when none is being coloured.
    pub(crate) async fn next(&mut self) -> Painted {
        match self.ready.recv().await {
            Some(painted) => painted,
            // Never: the sender stands beside it.
            None => std::future::pending().await,
        }
    }
}
