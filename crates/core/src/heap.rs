//! Memory that a daemon keeps between messages.
//!
//! musl gives pages back to the system as soon as nothing in them is in use. A daemon that waits for the
//! next message uses next to nothing, so that each message takes the same pages again: for a file that is
//! read or a path that is put together an mmap(2), a page fault, which clears the page, and a
//! munmap(2), some microseconds each. One small piece that stays, of each size that the allocator knows,
//! keeps them. With another allocator it does neither good nor harm.

/// The sizes to which musl rounds, up to that for blocks of 8 KiB, in units of 16 bytes. Not two pieces
/// of one size: there are pages that have room for no more.
const SIZES: [usize; 33] = [
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 18, 20, 25, 31, 36, 42, 50, 63, 72, 84, 102, 127, 146,
    170, 204, 255, 292, 340, 409, 511, 584,
];
const UNIT: usize = 16;
/// Of each piece, musl's.
const OVERHEAD: usize = 4;

/// Has the allocator keep its pages from now on: some tens of KiB.
pub fn keep_pages() {
    for size in SIZES {
        let piece = Vec::<u8>::with_capacity(size * UNIT - OVERHEAD);
        // What is not used is not there at all, if the compiler sees it.
        std::mem::forget(std::hint::black_box(piece));
    }
}
