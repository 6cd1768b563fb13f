//! Programs of the administrator's that take part in a session: they say something, in an end, or
//! take too long.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use qmail_sys::{Child, Exit, Interest, Spawn, pipe, poll, set_nonblocking};

/// How such a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// By itself, or by a signal.
    With(Exit),
    /// It took too long, and was killed.
    TimedOut,
}

/// What a program may use up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowance {
    /// How long it may run.
    pub time: Duration,
    /// How much of what it says is kept; the rest is read and dropped.
    pub bytes: usize,
}

/// Runs a program, whose descriptors `speaking` are one pipe to us. What it said, and its end.
///
/// # Errors
/// If there are no pipes or processes left.
pub(crate) fn run(
    spawn: Spawn<'_>,
    speaking: &[u8],
    allowance: Allowance,
) -> io::Result<(Vec<u8>, Ended)> {
    let output = pipe()?;
    let spawn = speaking.iter().fold(spawn, |spawn, at| spawn.connect(*at, output.write.as_fd()));
    let child = spawn.start()?;
    drop(output.write);
    let ended = child.ended().ok();
    listen(output.read, child, ended, allowance)
}

/// `ended` says when the child has; without it (see [`Child::ended`]) it counts as ended once nobody
/// can say anything more.
fn listen(
    output: OwnedFd,
    child: Child,
    ended: Option<OwnedFd>,
    allowance: Allowance,
) -> io::Result<(Vec<u8>, Ended)> {
    set_nonblocking(&output)?;
    let mut output = File::from(output);
    let mut said = Vec::new();
    let deadline = Instant::now() + allowance.time;
    let mut is_open = true;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            child.kill()?;
            child.wait()?;
            return Ok((said, Ended::TimedOut));
        }
        let mut interests: Vec<_> =
            ended.iter().map(|ended| Interest::reading(ended.as_fd())).collect();
        if is_open {
            interests.push(Interest::reading(output.as_fd()));
        }
        if !poll(&mut interests, Some(left))? {
            continue;
        }
        let is_seen = interests.first().is_some_and(Interest::is_ready);
        // A process that it left behind may hold the pipe: what is there counts, and no more.
        is_open = is_open && take(&mut output, &mut said, allowance.bytes)?;
        let has_ended = if ended.is_some() { is_seen } else { !is_open };
        if has_ended {
            return Ok((said, Ended::With(child.wait()?)));
        }
    }
}

/// Reads what is there; whether more may come.
fn take(output: &mut File, said: &mut Vec<u8>, most: usize) -> io::Result<bool> {
    let mut block = [0; 4096];
    // A flood must not keep us here past the end of its time.
    for _ in 0..64 {
        match output.read(&mut block) {
            Ok(0) => return Ok(false),
            Ok(length) => {
                said.extend_from_slice(block.get(..length).unwrap_or_default());
                said.truncate(most);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, milliseconds: u64) -> (String, Ended) {
        let spawn = Spawn::new("/bin/sh").args(["-c", script]);
        let time = Duration::from_millis(milliseconds);
        let (said, ended) = run(spawn, &[1], Allowance { time, bytes: 100 }).unwrap();
        (String::from_utf8(said).unwrap(), ended)
    }

    #[test]
    fn words_and_end_are_both_told() {
        let expected = ("half a line".to_owned(), Ended::With(Exit::Code(3)));
        assert_eq!(shell("printf 'half a line'; exit 3", 60_000), expected);
        let (_, ended) = shell("kill -9 $$", 60_000);
        assert_eq!(ended, Ended::With(Exit::Signal(9)));
    }

    #[test]
    fn where_the_end_of_a_process_cannot_be_seen_the_end_of_its_words_is_its_end() {
        let run = |script: &str, milliseconds: u64| {
            let output = pipe().unwrap();
            let spawn = Spawn::new("/bin/sh").args(["-c", script]);
            let child = spawn.connect(1, output.write.as_fd()).start().unwrap();
            drop(output.write);
            let time = Duration::from_millis(milliseconds);
            listen(output.read, child, None, Allowance { time, bytes: 100 }).unwrap()
        };
        let said = (b"a\n".to_vec(), Ended::With(Exit::Code(3)));
        assert_eq!(run("echo a; exit 3", 60_000), said);
        assert_eq!(run("exec sleep 600", 100), (Vec::new(), Ended::TimedOut));
    }

    #[test]
    fn who_hangs_is_killed() {
        assert_eq!(shell("echo a; exec sleep 600", 100), ("a\n".to_owned(), Ended::TimedOut));
        assert_eq!(shell("exec >&-; exec sleep 600", 100), (String::new(), Ended::TimedOut));
    }

    #[test]
    fn a_flood_is_cut_and_drained() {
        let (said, ended) = shell("yes | head -c 3000000", 60_000);
        assert_eq!((said.len(), ended), (100, Ended::With(Exit::Code(0))));
        assert_eq!(shell("exec yes", 100).1, Ended::TimedOut);
    }

    #[test]
    fn who_is_left_behind_is_not_waited_for() {
        let (said, ended) = shell("sleep 20 2>/dev/null & echo done", 60_000);
        assert_eq!((said.as_str(), ended), ("done\n", Ended::With(Exit::Code(0))));
    }
}
