//! The terminal guard: raw mode, alternate screen, bracketed paste and cursor are entered and left in one place, also
//! on panic, on a signal, on suspend and resume.
