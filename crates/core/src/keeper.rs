//! Keeping a program that stays.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use qmail_sys::{Interest, Spawn, message_sockets, poll, reap, receive_message, refuse_messages};
use qmail_wire::stay::{SOCKET, Service};

use crate::program::{Program, may_stay};

/// How long a program that has just been started may take for its greeting. One that is none of ours
/// may never say anything.
const PATIENCE: Duration = Duration::from_secs(30);

/// Has one program started that stays, and again if it goes. Another one that takes its place counts
/// at once.
#[derive(Debug)]
pub struct Keeper {
    service: Service,
    program: Option<Program>,
    file: PathBuf,
    can_stay: bool,
    socket: Option<OwnedFd>,
}

impl Keeper {
    /// A keeper that has started nothing.
    pub fn new(service: Service) -> Self {
        let (program, file, socket) = (None, PathBuf::new(), None);
        Self { service, program, file, can_stay: false, socket }
    }

    /// Finds out whether the program is still the same: the first of these files that is there.
    /// Returns whether it is another one.
    pub fn look_at(&mut self, files: impl IntoIterator<Item = PathBuf>) -> bool {
        let files = files.into_iter();
        let found = files.filter_map(|file| Some((Program::at(&file)?, file))).next();
        let (program, file) = found.map_or_else(Default::default, |(p, file)| (Some(p), file));
        let is_another = program != self.program || file != self.file;
        if is_another {
            self.socket = None;
            self.can_stay = program.is_some() && may_stay(&file, &self.service);
            (self.program, self.file) = (program, file);
        }
        is_another
    }

    /// Whether the program can stay, as far as is known.
    pub fn can_stay(&self) -> bool {
        self.can_stay
    }

    /// By what it is spoken to. It is started, with the name that `name` gives, if it is not there.
    pub fn socket(&mut self, name: impl FnOnce() -> Option<OsString>) -> Option<&OwnedFd> {
        if self.socket.is_none() && self.can_stay {
            // Who cannot be started now may be later.
            let socket = self.start(&name()?).ok()?;
            self.can_stay = socket.is_some();
            self.socket = socket;
        }
        self.socket.as_ref()
    }

    /// By what the program in this file is spoken to, if it is the one that was started.
    pub fn socket_of(&self, file: &Path) -> Option<&OwnedFd> {
        let is_same = self.file == file && Program::at(file) == self.program;
        self.socket.as_ref().filter(|_| is_same)
    }

    /// Lets go of the program that stays: the next one is another process.
    pub fn let_go(&mut self) {
        self.socket = None;
    }

    /// Lets go of it, if it has gone by itself. For a process that has no other children: it waits for
    /// all that have ended.
    pub fn forget_gone(&mut self) {
        let is_gone = |socket: &OwnedFd| {
            let mut interests = [Interest::hanging_up(socket.as_fd())];
            poll(&mut interests, Some(Duration::ZERO)).unwrap_or(false)
        };
        if self.socket.as_ref().is_some_and(is_gone) {
            self.socket = None;
        }
        if self.socket.is_none() {
            while let Ok(Some(_)) = reap() {}
        }
    }

    /// It is not asked again, until there is another one in its place.
    pub fn give_up(&mut self) {
        (self.can_stay, self.socket) = (false, None);
    }

    fn start(&self, name: &OsStr) -> io::Result<Option<OwnedFd>> {
        let (near, far) = message_sockets()?;
        let nothing = File::options().read(true).write(true).open("/dev/null")?;
        let _ = Spawn::new(&self.file)
            .name(name)
            .arg(self.service.argument)
            .args((self.service.room > 0).then(|| " ".repeat(self.service.room)))
            .connect(0, nothing.as_fd())
            .connect(1, nothing.as_fd())
            .connect(SOCKET, far.as_fd())
            .start()?;
        drop(far);
        let Some(program) = self.program else { return Ok(None) };
        let expected = program.greeting(&self.service);
        let mut heard = vec![0; expected.len()];
        let length = match next_message(&near, &mut heard, PATIENCE) {
            Ok((length, _)) => length,
            Err(_) => return Ok(None),
        };
        // What was started may be another one than we have looked at, or a wrapper of it.
        Ok((length == expected.len() && heard == expected).then_some(near))
    }
}

/// The next message, if it comes in this time: its length, and the descriptors that came with it. After
/// that none is taken any more, but for one that was sent before.
///
/// # Errors
/// Those of `qmail_sys::receive_message`.
pub fn next_message(
    socket: &OwnedFd,
    buffer: &mut [u8],
    patience: Duration,
) -> io::Result<(usize, Vec<OwnedFd>)> {
    if !poll(&mut [Interest::reading(socket.as_fd())], Some(patience))? {
        refuse_messages(socket)?;
    }
    receive_message(socket, buffer)
}
