//! What is asked of a fork server.

use std::io::{self, ErrorKind};
use std::os::fd::{BorrowedFd, OwnedFd};

use qmail_sys::{Child, errno, receive_message, send_message};
use qmail_wire::fork_server::Reply;

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

pub(crate) fn ask(server: &OwnedFd, job: &[u8], descriptors: &[BorrowedFd<'_>]) -> Answer {
    if send_message(server, job, descriptors).is_err() {
        return Answer::Unheard;
    }
    let mut message = [0; Reply::LENGTH];
    let reply = match receive_message(server, &mut message) {
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
