//! The program that stays.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::process::ExitCode;

use qmail_sys::{
    FailureCodes, Gid, Identity, Siblings, Spawn, Title, Uid, inherit, receive_message,
    send_message,
};
use qmail_wire::fork_server::{ARGUMENT, Job, LONGEST_JOB, MARK, Reply, SOCKET};

/// What a copy ends with that was told nothing it can do.
const UNINTELLIGIBLE: u8 = 111;

/// Does once what `body` does with the arguments, the name of the program before them; or, if it is
/// asked to stay, each time that it is asked, in a copy of this process. `body` returns the exit
/// code.
///
/// Nothing may be asked of this process before: every copy would have what it found out.
pub fn main(body: impl Fn(Vec<OsString>) -> u8) -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if arguments.get(1).is_none_or(|argument| argument != ARGUMENT) {
        return ExitCode::from(body(arguments));
    }
    match stay(&arguments, body) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(111),
    }
}

/// Until nobody is there any more to ask.
fn stay(arguments: &[OsString], body: impl Fn(Vec<OsString>) -> u8) -> io::Result<()> {
    let mut socket = Some(inherit(SOCKET)?);
    let siblings = Siblings::new()?;
    let mut title = Title::find();
    show(&mut title, arguments.get(..2).unwrap_or_default());
    let mut buffer = vec![0; LONGEST_JOB];
    let mut say = MARK.to_vec();
    while let Some(asker) = &socket {
        send_message(asker, &say, &[])?;
        let (length, descriptors) = receive_message(asker, &mut buffer)?;
        let message = buffer.get_mut(..length).unwrap_or_default();
        if message.is_empty() {
            return Ok(());
        }
        let copy = siblings.fork(|| {
            // Whoever asks us is nobody for it to talk to.
            socket = None;
            match begin(message, &descriptors) {
                Ok(arguments) => {
                    drop(descriptors);
                    show(&mut title, &arguments);
                    body(arguments)
                }
                Err(code) => code,
            }
        });
        // The next copy is to have nothing of this one's job.
        message.fill(0);
        let errno = |error: io::Error| error.raw_os_error().unwrap_or_default().unsigned_abs();
        say = Reply(copy.map_err(errno)).encode().to_vec();
    }
    Ok(())
}

/// In the copy: makes it what the job says. Returns its arguments, or what it ends with.
fn begin(message: &[u8], descriptors: &[OwnedFd]) -> Result<Vec<OsString>, u8> {
    let job = Job::parse(message).ok_or(UNINTELLIGIBLE)?;
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

fn show(title: &mut Option<Title>, arguments: &[OsString]) {
    if let Some(title) = title {
        title.show(arguments.iter().map(|argument| argument.as_bytes()));
    }
}
