//! The memory that an agent's output is read into: a few blocks that go round, so that reading stops while whoever
//! works on them lags behind.
//!
//! A block is shared by the session, which parses it, and the keeper of the raw stream, which writes it; when both are
//! done with it, it comes back by itself. A quiet agent has one, and of that only as much as it fills.

use std::io;
use std::ops::Deref;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

/// Bytes of a block.
pub(super) const SIZE: usize = 256 * 1024;

/// Blocks of one agent: 2 MiB of output may be read and not yet worked on.
const COUNT: usize = 8;

/// The blocks of one agent.
pub(super) struct Blocks {
    made: usize,
    home: UnboundedSender<Vec<u8>>,
    free: UnboundedReceiver<Vec<u8>>,
    /// The one that is read into next.
    next: Option<Vec<u8>>,
}

/// Bytes that were read, shared by whoever works on them.
#[derive(Clone)]
pub(super) struct Block(Arc<Filled>);

struct Filled {
    bytes: Vec<u8>,
    home: UnboundedSender<Vec<u8>>,
}

impl Default for Blocks {
    fn default() -> Self {
        let (home, free) = mpsc::unbounded_channel();
        Self { made: 0, home, free, next: None }
    }
}

impl Blocks {
    /// Waits for a free block and reads into it, as much as is there; `None` at the end. Nothing is lost when this is
    /// dropped before it is done.
    ///
    /// # Errors
    /// Any of the pipe's.
    pub(super) async fn read(&mut self, pipe: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Block>> {
        let mut bytes = match self.next.take().or_else(|| self.at_hand()) {
            Some(bytes) => bytes,
            // Never `None`: a sender stands beside it.
            None => self.free.recv().await.unwrap_or_default(),
        };
        bytes.clear();
        // Held here while it waits.
        let bytes = self.next.insert(bytes);
        if pipe.read_buf(bytes).await? == 0 {
            return Ok(None);
        }
        let home = self.home.clone();
        Ok(self.next.take().map(|bytes| Block(Arc::new(Filled { bytes, home }))))
    }

    /// A block that waits to be used, or a new one while there may be more.
    fn at_hand(&mut self) -> Option<Vec<u8>> {
        self.free.try_recv().ok().or_else(|| {
            let may = self.made < COUNT;
            self.made += usize::from(may);
            may.then(|| Vec::with_capacity(SIZE))
        })
    }
}

impl Deref for Block {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0.bytes
    }
}

impl Drop for Filled {
    fn drop(&mut self) {
        // Whoever reads may be gone.
        let _ = self.home.send(std::mem::take(&mut self.bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    #[tokio::test]
    async fn blocks_go_round_and_reading_waits_for_them() {
        let bytes: Vec<u8> = (0..=255).cycle().take(SIZE * (COUNT + 2)).collect();
        let mut pipe = &*bytes;
        let mut blocks = Blocks::default();
        let mut held: Vec<Block> = Vec::new();
        for _ in 0..COUNT {
            held.push(blocks.read(&mut pipe).await.unwrap().unwrap());
        }
        assert!(blocks.read(&mut pipe).now_or_never().is_none(), "all blocks are in use");
        let first = held.remove(0);
        let also = first.clone();
        drop(first);
        assert!(blocks.read(&mut pipe).now_or_never().is_none(), "somebody else has it still");
        let at = also.as_ptr();
        drop(also);
        held.push(blocks.read(&mut pipe).now_or_never().unwrap().unwrap().unwrap());
        assert_eq!(held[COUNT - 1].as_ptr(), at, "the same memory");
        assert_eq!(
            held.iter().map(|block| block.to_vec()).collect::<Vec<_>>().concat(),
            bytes[SIZE..][..SIZE * COUNT]
        );
        held.clear();
        assert_eq!(&*blocks.read(&mut pipe).await.unwrap().unwrap(), &bytes[SIZE * (COUNT + 1)..]);
        assert!(blocks.read(&mut pipe).await.unwrap().is_none());
        assert_eq!(blocks.made, COUNT);
    }

    #[tokio::test]
    async fn a_quick_worker_needs_one_block() {
        let bytes = vec![7; SIZE * 5];
        let mut pipe = &*bytes;
        let mut blocks = Blocks::default();
        while blocks.read(&mut pipe).await.unwrap().is_some() {}
        assert_eq!(blocks.made, 1);
    }
}
