//! What needs a look inside: an idle supervisor waits for nothing but messages.

use std::sync::RwLock;

use super::*;
use crate::runtime::protocol::PlanHealth;

#[tokio::test]
async fn an_idle_supervisor_has_no_timer() {
    let project = tempfile::tempdir().unwrap();
    let root = project.path().to_owned();
    let clock = crate::base::clock::Clock::System;
    crate::plan::scaffold::init(&root, &Default::default(), &clock).unwrap();
    let (handle, _events) = super::super::start(Options::new(root.clone()));
    let (_calls, inbox) = mpsc::unbounded_channel();
    let (events, mut heard) = mpsc::channel(64);
    let shared = Arc::new(RwLock::new(handle.snapshot()));
    let mut supervisor = Supervisor::new(Options::new(root), inbox, events, shared);
    while !matches!(supervisor.view.health, PlanHealth::Open { .. }) {
        assert!(supervisor.turn().await);
    }
    assert_eq!(supervisor.wake_at(), None);
    assert_eq!(supervisor.view.plan.tickets.len(), 2);
    supervisor.publish();
    assert!(supervisor.turn().await, "the change is told");
    assert_eq!(heard.try_recv().unwrap(), Event::Changed { revision: 1 });
    handle.shutdown().await;
}
