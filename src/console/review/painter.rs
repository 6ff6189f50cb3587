//! The one thread that colours parts of diffs, newest wish first, and the way back into the loop.
//!
//! Owns the channels. A wish that many newer ones overtook is given back undone: whoever scrolls fast through a large
//! file waits for nothing but the part that is seen.

use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};

use tokio::sync::mpsc;

use super::paint::{PaintCache, PaintedPart, PartJob};

/// Wishes that wait.
const WAITING: usize = 12;

/// Hands parts out and gives them back coloured.
#[derive(Debug)]
pub(crate) struct PartPainter {
    wishes: Option<Sender<PartJob>>,
    done: mpsc::UnboundedSender<PaintedPart>,
    ready: mpsc::UnboundedReceiver<PaintedPart>,
}

impl Default for PartPainter {
    fn default() -> Self {
        let (done, ready) = mpsc::unbounded_channel();
        Self { wishes: None, done, ready }
    }
}

impl PartPainter {
    /// Colours a part in the background. The thread is started by the first; where there is none to be had the text
    /// stays plain.
    pub(crate) fn start(&mut self, job: PartJob) {
        let wishes = self.wishes.get_or_insert_with(|| {
            let (wishes, inbox) = channel();
            let done = self.done.clone();
            let _ =
                std::thread::Builder::new().name("koru-diff".to_owned()).spawn(move || work(&inbox, &done));
            wishes
        });
        let _ = wishes.send(job);
    }

    /// The next coloured part; waits for ever when none is being coloured.
    pub(crate) async fn next(&mut self) -> PaintedPart {
        match self.ready.recv().await {
            Some(painted) => painted,
            // Never: the sender stands beside it.
            None => std::future::pending().await,
        }
    }
}

fn work(inbox: &Receiver<PartJob>, done: &mpsc::UnboundedSender<PaintedPart>) {
    let mut cache = PaintCache::default();
    let mut waiting: Vec<PartJob> = Vec::new();
    loop {
        if waiting.is_empty() {
            match inbox.recv() {
                Ok(job) => waiting.push(job),
                Err(_) => return,
            }
        }
        loop {
            match inbox.try_recv() {
                Ok(job) => waiting.push(job),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return,
            }
        }
        let overtaken = waiting.len().saturating_sub(WAITING);
        for job in waiting.drain(..overtaken) {
            let _ = done.send(PaintedPart { key: job.key, lines: None });
        }
        if let Some(job) = waiting.pop() {
            let _ = done.send(cache.paint(&job));
        }
    }
}
