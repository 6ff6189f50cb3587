//! The writer that a backend draws into: one write a frame, and none after the terminal was left.

use std::io::{self, Write};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Capacity kept between frames: a busy frame of 200 × 60 has about 24 kB.
const CAPACITY: usize = 128 * 1024;
/// Begin and end of a synchronized update (mode 2026): the terminal shows the frame whole. Unknown to a terminal, it is
/// ignored.
const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";

/// A buffered writer to the terminal. Clones share the buffer, so that the loop can end the frame that a backend drew.
///
/// Between [`Screen::begin_frame`] and [`Screen::end_frame`] a flush does nothing (a backend flushes several times a
/// frame); outside of a frame it writes at once.
#[derive(Clone, Debug)]
pub struct Screen {
    shared: Arc<Mutex<Buffer>>,
}

#[derive(Debug)]
struct Buffer {
    bytes: Vec<u8>,
    in_frame: bool,
    synchronized: bool,
    written: u64,
    writes: u64,
    sink: Sink,
}

#[derive(Debug)]
enum Sink {
    Terminal,
    #[cfg(test)]
    Memory(Vec<u8>),
}

impl Screen {
    /// A writer to standard output. `synchronized` asks for frames that the terminal shows whole.
    pub fn new(synchronized: bool) -> Self {
        Self::to(Sink::Terminal, synchronized)
    }

    fn to(sink: Sink, synchronized: bool) -> Self {
        let bytes = Vec::with_capacity(CAPACITY);
        let buffer = Buffer { bytes, in_frame: false, synchronized, written: 0, writes: 0, sink };
        Self { shared: Arc::new(Mutex::new(buffer)) }
    }

    /// What is written from here on belongs to one frame.
    pub fn begin_frame(&self) {
        crate::base::faults::frame();
        self.buffer().in_frame = true;
    }

    /// Writes the frame, in one piece. A frame without bytes writes nothing.
    ///
    /// # Errors
    /// Any I/O error: the terminal is gone, and the program should end.
    pub fn end_frame(&self) -> io::Result<()> {
        let mut buffer = self.buffer();
        buffer.in_frame = false;
        if buffer.synchronized && !buffer.bytes.is_empty() {
            buffer.bytes.splice(0..0, BEGIN.iter().copied());
            buffer.bytes.extend_from_slice(END);
        }
        buffer.write_out()
    }

    /// Bytes and writes that went to the terminal so far.
    pub fn counts(&self) -> (u64, u64) {
        let buffer = self.buffer();
        (buffer.written, buffer.writes)
    }

    fn buffer(&self) -> MutexGuard<'_, Buffer> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer().bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut buffer = self.buffer();
        if buffer.in_frame { Ok(()) } else { buffer.write_out() }
    }
}

impl Buffer {
    fn write_out(&mut self) -> io::Result<()> {
        if self.bytes.is_empty() {
            return Ok(());
        }
        let result = match &mut self.sink {
            // Left, perhaps by a panic in another thread: what was drawn is of no use to anybody any more.
            Sink::Terminal if !super::ENTERED.load(Ordering::SeqCst) => {
                self.bytes.clear();
                return Ok(());
            }
            Sink::Terminal => {
                let mut out = io::stdout().lock();
                out.write_all(&self.bytes).and_then(|()| out.flush())
            }
            #[cfg(test)]
            Sink::Memory(memory) => memory.write_all(&self.bytes),
        };
        self.written += self.bytes.len() as u64;
        self.writes += 1;
        self.bytes.clear();
        self.bytes.shrink_to(CAPACITY);
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(screen: &Screen) -> Vec<u8> {
        match &mut screen.buffer().sink {
            Sink::Memory(memory) => std::mem::take(memory),
            Sink::Terminal => Vec::new(),
        }
    }

    #[test]
    fn a_frame_is_one_write_whatever_the_backend_flushes() {
        let screen = Screen::to(Sink::Memory(Vec::new()), true);
        let mut backend = screen.clone();
        screen.begin_frame();
        for part in ["one ", "two ", "three"] {
            backend.write_all(part.as_bytes()).unwrap();
            backend.flush().unwrap();
        }
        assert_eq!(seen(&screen), b"");
        screen.end_frame().unwrap();
        assert_eq!(seen(&screen), b"\x1b[?2026hone two three\x1b[?2026l");
        assert_eq!(screen.counts(), (29, 1));
    }

    #[test]
    fn an_empty_frame_writes_nothing() {
        let screen = Screen::to(Sink::Memory(Vec::new()), true);
        screen.begin_frame();
        screen.end_frame().unwrap();
        assert_eq!((seen(&screen), screen.counts()), (vec![], (0, 0)));
    }

    #[test]
    fn outside_of_a_frame_a_flush_writes() {
        let mut screen = Screen::to(Sink::Memory(Vec::new()), false);
        screen.write_all(b"x").unwrap();
        screen.flush().unwrap();
        assert_eq!(seen(&screen), b"x");
    }

    #[test]
    fn nothing_is_written_to_a_terminal_that_was_left() {
        let mut screen = Screen::new(true);
        screen.write_all(b"\x1b[2J").unwrap();
        screen.flush().unwrap();
        assert_eq!(screen.counts(), (0, 0));
    }
}
