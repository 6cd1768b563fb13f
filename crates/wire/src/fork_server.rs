//! Between a program that starts others and one that stays for it: a fork server.
//!
//! A [`FORK_SERVER`] has a copy of itself do each [`Job`] that it is sent: one message for each, which
//! has the descriptors of the job with it, and one [`Reply`] to each. A copy that is to
//! [stay, too](Job::stays) has a socket as the last of them: by this it sends what the job ended with,
//! one byte, and gets further jobs for the same user.
//!
//! A job is a row of strings, as in the files of the queue: a letter, what it says, a NUL.

use crate::stay::Service;

/// What a program that has copies of itself do jobs is to others.
pub const FORK_SERVER: Service =
    Service { mark: b"qmail-rs fork server 2\0", argument: "--fork-server", room: 1000 };
/// Bytes of a job, at most.
pub const LONGEST_JOB: usize = 1 << 16;
/// Descriptors of a job, at most.
pub const MOST_DESCRIPTORS: usize = 8;

const CODE: u8 = b'c';
const USER: u8 = b'u';
const GROUP: u8 = b'g';
const TARGET: u8 = b't';
const DIRECTORY: u8 = b'd';
const ARGUMENT_OF_JOB: u8 = b'a';
const SET: u8 = b's';
const REMOVE: u8 = b'r';
const STAYS: u8 = b'w';

/// A change of the environment: a name, and the value that it gets, if any.
pub type Change = (Vec<u8>, Option<Vec<u8>>);

/// What a copy of the program is to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Job {
    /// What it ends with if it cannot be set up.
    pub setup_code: u8,
    /// What it ends with if it cannot enter its directory.
    pub directory_code: u8,
    /// The user and the group to become.
    pub identity: Option<(u32, u32)>,
    /// The numbers that its descriptors are to have.
    pub targets: Vec<u8>,
    /// Where to work.
    pub directory: Option<Vec<u8>>,
    /// The arguments, and before them the name of the program.
    pub arguments: Vec<Vec<u8>>,
    /// What is different in the environment.
    pub environment: Vec<Change>,
    /// Whether the copy waits for further jobs.
    pub stays: bool,
}

impl Job {
    /// The message; `None` if there is none: the job is too long, or nothing that a program can be
    /// given.
    pub fn encode(&self) -> Option<Vec<u8>> {
        let mut strings = Vec::new();
        for code in [self.setup_code, self.directory_code] {
            strings.push((CODE, code.to_string().into_bytes()));
        }
        if let Some((user, group)) = self.identity {
            strings.push((USER, user.to_string().into_bytes()));
            strings.push((GROUP, group.to_string().into_bytes()));
        }
        strings.extend(self.targets.iter().map(|number| (TARGET, number.to_string().into_bytes())));
        strings.extend(self.directory.iter().map(|directory| (DIRECTORY, directory.clone())));
        strings.extend(self.arguments.iter().map(|argument| (ARGUMENT_OF_JOB, argument.clone())));
        for (name, value) in &self.environment {
            is_name(name).then_some(())?;
            strings.push(match value {
                Some(value) => (SET, [name.as_slice(), b"=", value].concat()),
                None => (REMOVE, name.clone()),
            });
        }
        if self.stays {
            strings.push((STAYS, Vec::new()));
        }
        let mut message = Vec::new();
        for (letter, string) in strings {
            if string.contains(&0) {
                return None;
            }
            message.push(letter);
            message.extend(string);
            message.push(0);
        }
        let fits = message.len() <= LONGEST_JOB && self.targets.len() <= MOST_DESCRIPTORS;
        fits.then_some(message)
    }

    /// The job that a message is; `None` if it is none.
    pub fn parse(message: &[u8]) -> Option<Self> {
        let (mut job, mut codes, mut user) = (Self::default(), Vec::new(), None);
        for string in message.strip_suffix(b"\0")?.split(|byte| *byte == 0) {
            let (letter, string) = string.split_first()?;
            match *letter {
                CODE => codes.push(number(string)?),
                USER => user = Some(number(string)?),
                GROUP => job.identity = Some((user?, number(string)?)),
                TARGET => job.targets.push(number(string)?),
                DIRECTORY => job.directory = Some(string.to_vec()),
                ARGUMENT_OF_JOB => job.arguments.push(string.to_vec()),
                SET => job.environment.push(assignment(string)?),
                REMOVE => job.environment.push((string.to_vec(), None)),
                STAYS => job.stays = true,
                _ => return None,
            }
        }
        [job.setup_code, job.directory_code] = codes.try_into().ok()?;
        let named = job.environment.iter().all(|(name, _)| is_name(name));
        // Whoever is somebody for a moment only has not been told whose group he is in.
        let is_whole = named && user.is_some() == job.identity.is_some();
        (is_whole && !job.arguments.is_empty()).then_some(job)
    }
}

/// What a fork server says to a job: the process id of the copy, or the errno of why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply(pub Result<u32, u32>);

impl Reply {
    /// Bytes of every reply.
    pub const LENGTH: usize = 5;

    /// The message.
    pub fn encode(self) -> [u8; Self::LENGTH] {
        let (kind, number) = match self.0 {
            Ok(process) => (b'K', process),
            Err(errno) => (b'Z', errno),
        };
        let [a, b, c, d] = number.to_be_bytes();
        [kind, a, b, c, d]
    }

    /// The reply that a message is; `None` if it is none.
    pub fn parse(message: &[u8]) -> Option<Self> {
        let (kind, number) = message.split_first()?;
        let number = u32::from_be_bytes(number.try_into().ok()?);
        match kind {
            b'K' => Some(Self(Ok(number))),
            b'Z' => Some(Self(Err(number))),
            _ => None,
        }
    }
}

fn number<N: std::str::FromStr>(digits: &[u8]) -> Option<N> {
    let digits = std::str::from_utf8(digits).ok()?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

fn assignment(string: &[u8]) -> Option<Change> {
    let equals = string.iter().position(|byte| *byte == b'=')?;
    let (name, value) = string.split_at_checked(equals)?;
    Some((name.to_vec(), Some(value.get(1..)?.to_vec())))
}

fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && !name.contains(&b'=')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job() -> Job {
        Job {
            setup_code: 116,
            directory_code: 111,
            identity: Some((1000, 100)),
            targets: vec![0, 1, 2],
            directory: Some(b"/var/qmail".to_vec()),
            arguments: vec![b"bin/qmail-local".to_vec(), b"--".to_vec(), Vec::new()],
            environment: vec![(b"A".to_vec(), Some(b"x=y".to_vec())), (b"B".to_vec(), None)],
            stays: true,
        }
    }

    #[test]
    fn a_job_arrives_as_it_was_sent() {
        let least = Job { arguments: vec![b"x".to_vec()], ..Job::default() };
        for job in [job(), least] {
            assert_eq!(Job::parse(&job.encode().unwrap()), Some(job));
        }
    }

    #[test]
    fn what_no_program_can_be_given_is_not_sent() {
        let of = |change: fn(&mut Job)| {
            let mut job = job();
            change(&mut job);
            job.encode()
        };
        assert_eq!(of(|job| job.arguments.push(b"a\0b".to_vec())), None);
        assert_eq!(of(|job| job.arguments.push(vec![b'a'; LONGEST_JOB])), None);
        assert_eq!(of(|job| job.environment.push((Vec::new(), None))), None);
        assert_eq!(of(|job| job.environment.push((b"A=B".to_vec(), None))), None);
        assert_eq!(of(|job| job.targets = vec![0; MOST_DESCRIPTORS + 1]), None);
    }

    #[test]
    fn what_is_no_job_is_not_taken_for_one() {
        for message in [
            &b""[..],
            b"\0",
            b"ax",
            b"ax\0",
            b"c0\0c0\0",
            b"c0\0c0\0c0\0ax\0",
            b"c0\0c256\0ax\0",
            b"c0\0c-1\0ax\0",
            b"c0\0c0\0u1\0ax\0",
            b"c0\0c0\0g1\0ax\0",
            b"c0\0c0\0ax\0sA\0",
            b"c0\0c0\0ax\0s=A\0",
            b"c0\0c0\0ax\0rA=\0",
            b"c0\0c0\0ax\0\0",
            b"c0\0c0\0ax\0zz\0",
        ] {
            assert_eq!(Job::parse(message), None, "{}", message.escape_ascii());
        }
        assert!(Job::parse(b"c0\0c0\0ax\0").is_some());
    }

    #[test]
    fn a_reply_arrives_as_it_was_sent() {
        for reply in [Reply(Ok(1)), Reply(Ok(u32::MAX)), Reply(Err(11))] {
            assert_eq!(Reply::parse(&reply.encode()), Some(reply));
        }
        for message in [&b""[..], b"K", b"K123", b"K12345", b"X1234"] {
            assert_eq!(Reply::parse(message), None);
        }
    }
}
