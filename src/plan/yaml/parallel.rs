//! Work on many tickets by a few threads, for files of megabytes only; a small file stays on the caller's thread.

use std::num::NonZero;
use std::thread;

/// Bytes of text from which a second thread pays.
const WORTHWHILE: usize = 1 << 19;

/// Most threads: beyond, memory is the limit and not the processor.
const MOST: usize = 4;

/// `each` over slices of `items`, results joined in order; `None` when any of them is `None`. `size` is the number of
/// bytes the items stand for.
pub(super) fn flat_map<T: Sync, R: Send>(
    items: &[T],
    size: usize,
    each: impl Fn(&[T]) -> Option<Vec<R>> + Sync,
) -> Option<Vec<R>> {
    let threads =
        if size < WORTHWHILE { 1 } else { thread::available_parallelism().map_or(1, NonZero::get).min(MOST) };
    if threads < 2 || items.len() < threads {
        return each(items);
    }
    let parts: Vec<&[T]> = items.chunks(items.len().div_ceil(threads)).collect();
    let (first, others) = parts.split_first()?;
    thread::scope(|scope| {
        let handles: Vec<_> = others.iter().map(|part| scope.spawn(|| each(part))).collect();
        let mut all = each(first)?;
        for handle in handles {
            all.append(&mut handle.join().ok()??);
        }
        Some(all)
    })
}
