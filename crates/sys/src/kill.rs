//! Signals to other processes.

use std::io;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Sends `signal` to the process with this number.
///
/// # Errors
/// If there is none, or it is somebody else's. `InvalidInput` for 0 and numbers that no process can
/// have: to the kernel they are groups of processes, or all.
pub fn send_signal(process: u32, signal: Signal) -> io::Result<()> {
    let number = i32::try_from(process).ok().filter(|number| *number > 0);
    let number = number.ok_or(io::ErrorKind::InvalidInput)?;
    Ok(kill(Pid::from_raw(number), signal)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Command, Stdio};

    #[test]
    fn the_process_gets_the_signal() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        send_signal(child.id(), Signal::SIGTERM).unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(Signal::SIGTERM as i32));
    }

    #[test]
    fn numbers_that_are_no_process_are_refused() {
        for number in [0, u32::MAX, 1 << 31] {
            let error = send_signal(number, Signal::SIGTERM).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        }
    }
}
