//! One stream, held by whoever reads and whoever writes.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::rc::Rc;

use crate::Stream;

/// The half of a stream that reads.
#[derive(Debug)]
pub struct Reader<S: Read + Write>(Rc<RefCell<Ending<S>>>);

/// The half of a stream that writes.
#[derive(Debug)]
pub struct Writer<S: Read + Write>(Rc<RefCell<Ending<S>>>);

/// Both halves of a stream. When both are gone, the other side is told that nothing will follow.
pub fn halves<S: Read + Write>(stream: Stream<S>) -> (Reader<S>, Writer<S>) {
    let shared = Rc::new(RefCell::new(Ending(stream)));
    (Reader(Rc::clone(&shared)), Writer(shared))
}

#[derive(Debug)]
struct Ending<S: Read + Write>(Stream<S>);

impl<S: Read + Write> Drop for Ending<S> {
    fn drop(&mut self) {
        // He may have gone already.
        let _: io::Result<()> = self.0.close();
    }
}

impl<S: Read + Write> Read for Reader<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.borrow_mut().0.read(buffer)
    }
}

impl<S: Read + Write> Write for Writer<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.borrow_mut().0.flush()
    }
}
