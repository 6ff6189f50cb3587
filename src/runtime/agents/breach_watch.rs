//! Watches the fence while an agent or a gate works, and keeps what it catches: a breach in the middle of the work stays
//! one, also when it is gone by the end.

use tokio::sync::mpsc;

use crate::base::redact::Redactor;
use crate::execute::fence::{Breach, FenceWatch, Guard, Sighting, Watched};
use crate::runtime::feed::Feed;

/// The watch over one piece of work. Dropping it ends it.
pub(super) struct BreachWatch {
    heard: mpsc::UnboundedReceiver<Sighting>,
    caught: Vec<Breach>,
    redactor: Redactor,
    feed: Feed,
    _watch: FenceWatch,
}

impl BreachWatch {
    /// Starts one, and waits until it watches. What it catches is shown at once, without secrets.
    pub(super) async fn start(
        guard: &Guard,
        watched: Watched,
        redactor: Redactor,
        feed: &Feed,
    ) -> BreachWatch {
        let (found, heard) = mpsc::unbounded_channel();
        let mut watch = FenceWatch::start(guard.clone(), watched, found);
        watch.armed().await;
        BreachWatch { heard, caught: Vec::new(), redactor, feed: feed.clone(), _watch: watch }
    }

    /// Waits for what is seen next; for ever when nothing is watched any more.
    pub(super) async fn next(&mut self) -> Sighting {
        let mut breach = match self.heard.recv().await {
            Some(Sighting::Breach(breach)) => breach,
            Some(Sighting::Denied(mut refusal)) => {
                refusal.what = self.redactor.clean(&refusal.what).into_owned();
                return Sighting::Denied(refusal);
            }
            None => return std::future::pending().await,
        };
        breach.what = self.redactor.clean(&breach.what).into_owned();
        breach.evidence = self.redactor.clean(&breach.evidence).into_owned();
        self.caught.push(breach.clone());
        self.feed.agent(|view| view.breaches.push(breach.clone()));
        Sighting::Breach(breach)
    }

    /// The watch is over; what it caught.
    pub(super) fn finish(self) -> Vec<Breach> {
        self.caught
    }
}

/// Adds to what was found at the end what was caught in the middle and is not there any more.
pub(super) fn join(found: &mut Vec<Breach>, caught: Vec<Breach>) {
    for breach in caught {
        let known = |other: &Breach| other.rule == breach.rule && other.subject() == breach.subject();
        if !found.iter().any(known) {
            let evidence = format!("{}; gone again when it had ended", breach.evidence);
            found.push(Breach { evidence, undone: true, ..breach });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breach(rule: &str, evidence: &str, undone: bool) -> Breach {
        Breach { rule: rule.to_owned(), what: "it did".to_owned(), evidence: evidence.to_owned(), undone }
    }

    #[test]
    fn what_was_caught_counts_once_and_stays_when_it_is_gone() {
        let mut found = vec![breach("allow_commit", "refs/heads/koru/A: 1 → 3", true)];
        let caught = vec![
            breach("allow_commit", "refs/heads/koru/A: 1 → 2", false),
            breach("forbidden_paths", "a/.env (added, +1 -0)", false),
        ];
        join(&mut found, caught);
        let gone = "a/.env (added, +1 -0); gone again when it had ended";
        let first = breach("allow_commit", "refs/heads/koru/A: 1 → 3", true);
        assert_eq!(found, [first, breach("forbidden_paths", gone, true)]);
    }
}
