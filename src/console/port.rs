//! The console's view of a runtime: commands go in, the latest snapshot can be read.
//!
//! The embedded [`Handle`] is one; a socket to a service will be another; tests bring their own.

use std::future::Future;
use std::sync::Arc;

use crate::runtime::Handle;
use crate::runtime::protocol::{Command, RequestId, Snapshot};

/// A runtime as the console needs it.
pub trait Port {
    /// Sends a command; its reply comes as an event with the same number.
    fn send(&self, request: RequestId, command: Command);

    /// The latest snapshot, without waiting.
    fn snapshot(&self) -> Arc<Snapshot>;

    /// Ends the runtime: every run is stopped, its ticket released.
    fn shutdown(&self) -> impl Future<Output = ()>;
}

impl Port for Handle {
    fn send(&self, request: RequestId, command: Command) {
        Handle::send(self, request, command);
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        Handle::snapshot(self)
    }

    async fn shutdown(&self) {
        Handle::shutdown(self).await;
    }
}
