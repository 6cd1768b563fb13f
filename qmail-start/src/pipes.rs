//! Everything that the daemons say to each other.

use std::io;

use qmail_sys::{Pipe, pipe};

/// Two pipes between somebody who asks and somebody who answers.
pub(crate) struct Dialogue {
    /// From who asks to who answers.
    pub(crate) there: Pipe,
    /// And back.
    pub(crate) back: Pipe,
}

/// All pipes. None of them reaches a program that it is not connected to.
pub(crate) struct Pipes {
    /// From qmail-send to the logger, if there is one.
    pub(crate) log: Option<Pipe>,
    /// qmail-send asks qmail-lspawn.
    pub(crate) lspawn: Dialogue,
    /// qmail-send asks qmail-rspawn.
    pub(crate) rspawn: Dialogue,
    /// qmail-send asks its qmail-clean.
    pub(crate) clean: Dialogue,
    /// qmail-send asks qmail-todo.
    pub(crate) todo: Dialogue,
    /// qmail-todo asks a qmail-clean of its own.
    pub(crate) todo_clean: Dialogue,
}

impl Pipes {
    pub(crate) fn open(has_logger: bool) -> io::Result<Self> {
        Ok(Self {
            log: if has_logger { Some(pipe()?) } else { None },
            lspawn: Dialogue::open()?,
            rspawn: Dialogue::open()?,
            clean: Dialogue::open()?,
            todo: Dialogue::open()?,
            todo_clean: Dialogue::open()?,
        })
    }
}

impl Dialogue {
    fn open() -> io::Result<Self> {
        Ok(Self { there: pipe()?, back: pipe()? })
    }
}
