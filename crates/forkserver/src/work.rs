//! What a copy of the program does.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::time::Duration;

use qmail_core::keeper::next_message;
use qmail_sys::{FailureCodes, Gid, Identity, Spawn, Title, Uid, refuse_messages, send_message};
use qmail_wire::fork_server::{Job, LONGEST_JOB};

/// What a copy ends with that was told nothing it can do.
const UNINTELLIGIBLE: u8 = 111;
/// How long a copy waits for another job. He whose process it is may want to be rid of it.
const PATIENCE: Duration = Duration::from_secs(3);
/// Jobs of one copy: what it might lose of its memory is never much.
const MOST_JOBS: u32 = 100;

/// What a program does, again and again.
pub(crate) struct Work<'t, B> {
    pub(crate) title: Option<&'t mut Title>,
    pub(crate) body: B,
}

impl<B: Fn(Vec<OsString>) -> u8> Work<'_, B> {
    /// Does the job that `message` is, and those that come after it. Returns the exit code.
    pub(crate) fn begin_with(mut self, message: &[u8], mut descriptors: Vec<OwnedFd>) -> u8 {
        let Some(job) = Job::parse(message) else { return UNINTELLIGIBLE };
        let asker = if job.stays { descriptors.pop() } else { None };
        let code = self.do_once(job, descriptors);
        match asker {
            Some(asker) => self.go_on(&asker, code).map_or(UNINTELLIGIBLE, |()| 0),
            None => code,
        }
    }

    /// Says what the first job has ended with, and does others.
    fn go_on(mut self, asker: &OwnedFd, mut code: u8) -> io::Result<()> {
        let mut buffer = vec![0; LONGEST_JOB];
        // A copy: the first one may have got the number of what a job is given, and be closed with it.
        let nothing = File::options().read(true).write(true).open("/dev/null");
        let nothing = nothing.and_then(|nothing| nothing.try_clone());
        for jobs in 1.. {
            let has_left = nothing.as_ref().is_ok_and(|nothing| leave(nothing.as_fd()).is_ok());
            let is_last = !has_left || jobs >= MOST_JOBS;
            if is_last {
                refuse_messages(asker)?;
            }
            send_message(asker, &[code], &[])?;
            // What was sent before we refused is there, and has to be done.
            let patience = if is_last { Duration::ZERO } else { PATIENCE };
            let (length, descriptors) = next_message(asker, &mut buffer, patience)?;
            let message = buffer.get(..length).unwrap_or_default();
            if message.is_empty() {
                break;
            }
            let job = Job::parse(message).ok_or(io::ErrorKind::InvalidData)?;
            code = self.do_once(job, descriptors);
        }
        Ok(())
    }

    fn do_once(&mut self, job: Job, descriptors: Vec<OwnedFd>) -> u8 {
        match begin(job, &descriptors) {
            Ok(arguments) => {
                drop(descriptors);
                show(self.title.as_deref_mut(), &arguments);
                (self.body)(arguments)
            }
            Err(code) => code,
        }
    }
}

/// Shows these arguments to whoever looks at processes.
pub(crate) fn show(title: Option<&mut Title>, arguments: &[OsString]) {
    if let Some(title) = title {
        title.show(arguments.iter().map(|argument| argument.as_bytes()));
    }
}

/// Makes this process what the job says. Returns its arguments, or what it ends with.
fn begin(job: Job, descriptors: &[OwnedFd]) -> Result<Vec<OsString>, u8> {
    let codes = FailureCodes { directory: job.directory_code, ..FailureCodes::all(job.setup_code) };
    let mut arguments = job.arguments.into_iter().map(OsString::from_vec);
    let mut spawn = Spawn::new(arguments.next().unwrap_or_default()).args(arguments);
    if job.targets.len() != descriptors.len() {
        return Err(codes.setup);
    }
    for (target, descriptor) in job.targets.iter().zip(descriptors) {
        spawn = spawn.connect(*target, descriptor.as_fd());
    }
    if let Some(directory) = &job.directory {
        spawn = spawn.directory(Path::new(OsStr::from_bytes(directory)));
    }
    if let Some((uid, gid)) = job.identity {
        let uid = Uid::new(uid).ok_or(codes.setup)?;
        spawn = spawn.as_user(Identity { uid, gid: Gid(gid) });
    }
    for (name, value) in &job.environment {
        spawn = match value {
            Some(value) => spawn.env_bytes(name, value),
            None => spawn.env_remove_bytes(name),
        };
    }
    spawn.failing_with(codes).stay()
}

/// Lets go of what belongs to a job that is over: others wait until nobody has its descriptors.
fn leave(nothing: BorrowedFd<'_>) -> io::Result<()> {
    // What cannot be written is not to be found by the next job.
    io::stdout().flush()?;
    let spawn = Spawn::new("").directory(Path::new("/"));
    let spawn = spawn.connect(0, nothing).connect(1, nothing).connect(2, nothing);
    spawn.stay().map(drop).map_err(|_| io::Error::last_os_error())
}
