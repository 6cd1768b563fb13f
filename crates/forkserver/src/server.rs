//! A fork server, as it is seen from outside.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use qmail_sys::{Child, Spawn, errno, message_sockets, receive_message, send_message};
use qmail_wire::fork_server::{ARGUMENT, MARK, Reply, SOCKET};

/// An argument that gives way to what ps(1) is to show of a copy: see `qmail_sys::Title`.
const ROOM: usize = 1000;

/// When this goes, so does the program.
#[derive(Debug)]
pub(crate) struct Server {
    socket: OwnedFd,
}

/// What became of a job.
#[derive(Debug)]
pub(crate) enum Answer {
    /// There is a copy for it.
    Begun(Child),
    /// It was not heard, and can be given to somebody else.
    Unheard,
    /// There is no copy for it now, or it is not known whether there is.
    Failed(io::Error),
    /// There will never be one.
    Never,
}

impl Server {
    /// Starts the program `file`, which shows itself as `name`, to stay. `None` if it does not.
    ///
    /// # Errors
    /// If it could not be started, which may pass.
    pub(crate) fn start(file: &Path, name: &OsStr) -> io::Result<Option<Self>> {
        let (near, far) = message_sockets()?;
        let nothing = File::options().read(true).write(true).open("/dev/null")?;
        let _ = Spawn::new(file)
            .name(name)
            .arg(ARGUMENT)
            .arg(" ".repeat(ROOM))
            .connect(0, nothing.as_fd())
            .connect(1, nothing.as_fd())
            .connect(SOCKET, far.as_fd())
            .start()?;
        drop(far);
        let mut greeting = [0; MARK.len()];
        let heard = receive_message(&near, &mut greeting);
        let stays = heard.is_ok_and(|(length, _)| length == MARK.len() && greeting == MARK);
        Ok(stays.then_some(Self { socket: near }))
    }

    pub(crate) fn ask(&self, job: &[u8], descriptors: &[BorrowedFd<'_>]) -> Answer {
        if send_message(&self.socket, job, descriptors).is_err() {
            return Answer::Unheard;
        }
        let mut message = [0; Reply::LENGTH];
        let reply = match receive_message(&self.socket, &mut message) {
            Ok((length, _)) => message.get(..length).and_then(Reply::parse),
            Err(error) => return Answer::Failed(error),
        };
        match reply {
            Some(Reply(Ok(process))) => match Child::given(process) {
                Some(child) => Answer::Begun(child),
                None => Answer::Failed(ErrorKind::InvalidData.into()),
            },
            Some(Reply(Err(number))) => {
                let error = io::Error::from_raw_os_error(i32::try_from(number).unwrap_or_default());
                // Some kernels and filters of system calls know only children of one's own.
                if errno::is_temporary(&error) { Answer::Failed(error) } else { Answer::Never }
            }
            None => Answer::Failed(ErrorKind::UnexpectedEof.into()),
        }
    }
}
