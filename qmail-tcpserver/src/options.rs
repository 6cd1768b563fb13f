//! The command line: tcpserver's, with `-4`, `-6` and `-C`.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::time::Duration;

use qmail_core::control::leading_number;
use qmail_core::options::{BadOption, Given, Options};
use qmail_core::tcp_rules::WithoutRules;
use qmail_sys::{Gid, Uid};

use crate::address::Families;
use crate::log::Volume;

const LETTERS: &[u8] = b"146dDvqQhHrRUXx:t:u:g:l:b:B:c:C:pPoO";
const USUAL_LIMIT: usize = 40;
const USUAL_BACKLOG: u32 = 20;
/// What a new connection has room for in any case: the kernel gives it 4096 at least.
const SHORT_BANNER: usize = 1024;
const USUAL_TIMEOUT: Duration = Duration::from_secs(26);

/// Whether the name that an address has is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Belief {
    /// Whatever it says: `-P`.
    Any,
    /// Only a name that has the address, too: `-p`.
    Confirmed,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// How much is told.
    pub volume: Volume,
    /// How many connections are served at once: `-c`.
    pub limit: usize,
    /// How many of one address: `-C`.
    pub limit_for_each: Option<usize>,
    /// How many may wait to be accepted: `-b`.
    pub backlog: u32,
    /// Whether answers follow the route that the client has chosen: `-o`.
    pub keeps_route: bool,
    /// Whether what a program writes goes out at once: `-D`.
    pub at_once: bool,
    /// Rules by the address of the client: `-x`, and `-X`.
    pub rules: Option<(PathBuf, WithoutRules)>,
    /// What every client is told first: `-B`.
    pub banner: Vec<u8>,
    /// Whom to become: `-g`, `-u`, `-U`.
    pub group: Option<Gid>,
    /// See [`Self::group`].
    pub user: Option<Uid>,
    /// Whether the port is printed: `-1`.
    pub prints_port: bool,
    /// The name of this end; without one it is looked up: `-l`.
    pub local_name: Option<Vec<u8>>,
    /// Whether the name of the other end is looked up: `-h`.
    pub remote_name: Option<Belief>,
    /// Whether the other host is asked about its user, and how long each step may take: `-r`, `-t`.
    pub remote_user: Option<Duration>,
    /// Which families are used: `-4`, `-6`.
    pub families: Families,
    /// Where to listen.
    pub host: Vec<u8>,
    /// On which port.
    pub port: Vec<u8>,
    /// What to run for each connection.
    pub program: OsString,
    /// Its arguments.
    pub arguments: Vec<OsString>,
}

/// A command line that cannot be obeyed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Misuse {
    /// An option that is not one.
    pub option: Option<BadOption>,
    /// How much is told.
    pub volume: Volume,
}

/// What the options say, before it is known whether anything follows them.
struct Settings {
    request: Request,
    looks_up: bool,
    belief: Belief,
    asks: bool,
    timeout: Duration,
    without_rules: WithoutRules,
}

impl Request {
    /// Reads a whole command line; `variable` knows the environment, for `-U`.
    pub(crate) fn parse(
        words: impl IntoIterator<Item = OsString>,
        variable: &impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, Misuse> {
        let mut options = Options::new(LETTERS, words);
        let mut settings = Settings::usual();
        loop {
            match options.next_option() {
                Ok(Some(Given::Letter(b'U'))) => settings.take_identity(variable)?,
                Ok(Some(Given::Letter(letter))) => settings.set(letter),
                Ok(Some(Given::Argument(letter, argument))) => settings.take(letter, argument)?,
                Ok(None) => break,
                // Nothing is quiet before all options are known.
                Err(bad) => return Err(Misuse { option: Some(bad), volume: Volume::Trouble }),
            }
        }
        let mut request = settings.settled();
        let misuse = Misuse { option: None, volume: request.volume };
        let mut operands = options.operands().into_iter();
        let (Some(host), Some(port), Some(program)) =
            (operands.next(), operands.next(), operands.next())
        else {
            return Err(misuse);
        };
        (request.host, request.port) = (host, port);
        request.program = OsString::from_vec(program);
        request.arguments = operands.map(OsString::from_vec).collect();
        Ok(request)
    }

    /// Whether everything about a connection is known without asking anybody and without waiting.
    pub(crate) fn is_decided_here(&self) -> bool {
        let asks = self.remote_name.is_some() || self.remote_user.is_some();
        self.local_name.is_some() && !asks && self.banner.len() <= SHORT_BANNER
    }
}

impl Settings {
    fn usual() -> Self {
        let request = Request {
            volume: Volume::Trouble,
            limit: USUAL_LIMIT,
            limit_for_each: None,
            backlog: USUAL_BACKLOG,
            keeps_route: false,
            at_once: false,
            rules: None,
            banner: Vec::new(),
            group: None,
            user: None,
            prints_port: false,
            local_name: None,
            remote_name: None,
            remote_user: None,
            families: Families::Any,
            host: Vec::new(),
            port: Vec::new(),
            program: OsString::new(),
            arguments: Vec::new(),
        };
        Self {
            request,
            looks_up: true,
            belief: Belief::Any,
            asks: true,
            timeout: USUAL_TIMEOUT,
            without_rules: WithoutRules::Refuse,
        }
    }

    /// Options may come in any order, and some mean something only with others.
    fn settled(self) -> Request {
        let mut request = self.request;
        request.remote_name = self.looks_up.then_some(self.belief);
        request.remote_user = self.asks.then_some(self.timeout);
        request.rules = request.rules.map(|(path, _)| (path, self.without_rules));
        request
    }

    fn set(&mut self, letter: u8) {
        let request = &mut self.request;
        match letter {
            b'1' => request.prints_port = true,
            b'4' => request.families = Families::Older,
            b'6' => request.families = Families::Newer,
            b'd' | b'D' => request.at_once = letter == b'D',
            b'o' | b'O' => request.keeps_route = letter == b'o',
            b'q' => request.volume = Volume::Nothing,
            b'Q' => request.volume = Volume::Trouble,
            b'v' => request.volume = Volume::Everything,
            b'h' | b'H' => self.looks_up = letter == b'h',
            b'r' | b'R' => self.asks = letter == b'r',
            b'p' => self.belief = Belief::Confirmed,
            b'P' => self.belief = Belief::Any,
            b'X' => self.without_rules = WithoutRules::Serve,
            _ => {}
        }
    }

    fn take(&mut self, letter: u8, argument: Vec<u8>) -> Result<(), Misuse> {
        let request = &mut self.request;
        match letter {
            b'B' => request.banner = argument,
            b'l' => request.local_name = Some(argument),
            b'x' => {
                let path = OsString::from_vec(argument).into();
                request.rules = Some((path, WithoutRules::Refuse));
            }
            b'b' => request.backlog = number(&argument)?,
            b't' => self.timeout = Duration::from_secs(number(&argument)?),
            b'u' => request.user = Uid::new(number(&argument)?),
            b'g' => request.group = group(number(&argument)?),
            b'C' => request.limit_for_each = Some(number(&argument)?).filter(|limit| *limit > 0),
            b'c' => {
                request.limit = number(&argument)?;
                // Nobody would ever be served, and nobody would know why.
                if request.limit == 0 {
                    return Err(MISUSE);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn take_identity(
        &mut self,
        variable: &impl Fn(&str) -> Option<OsString>,
    ) -> Result<(), Misuse> {
        let named = |name| variable(name).map(|value| number(&value.into_vec())).transpose();
        if let Some(user) = named("UID")? {
            self.request.user = Uid::new(user);
        }
        if let Some(gid) = named("GID")? {
            self.request.group = group(gid);
        }
        Ok(())
    }
}

const MISUSE: Misuse = Misuse { option: None, volume: Volume::Trouble };

/// What is no number is no 0 either: as a user, that would be root.
fn number<N: TryFrom<u64>>(argument: &[u8]) -> Result<N, Misuse> {
    leading_number(argument).and_then(|number| N::try_from(number).ok()).ok_or(MISUSE)
}

/// Quirk: group 0, like user 0, means that it stays as it is.
fn group(gid: u32) -> Option<Gid> {
    (gid != 0).then_some(Gid(gid))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Request, Misuse> {
        let words = ["qmail-tcpserver"].iter().chain(words).map(OsString::from);
        Request::parse(words, &|name: &str| match name {
            "UID" => Some("7".into()),
            "GID" => Some("8".into()),
            _ => None,
        })
    }

    fn with(options: &[&str]) -> Request {
        parse(&[options, &["0", "25", "cat", "-v"]].concat()).unwrap()
    }

    #[test]
    fn without_options_it_is_as_tcpserver_is() {
        let request = with(&[]);
        assert_eq!((request.volume, request.limit, request.backlog), (Volume::Trouble, 40, 20));
        assert_eq!(request.remote_name, Some(Belief::Any));
        assert_eq!(request.remote_user, Some(Duration::from_secs(26)));
        assert_eq!((request.local_name.as_ref(), request.rules.as_ref()), (None, None));
        assert!(!request.keeps_route && !request.at_once && !request.prints_port);
        assert_eq!((request.host.as_slice(), request.port.as_slice()), (&b"0"[..], &b"25"[..]));
        assert_eq!((request.program, request.arguments), ("cat".into(), vec!["-v".into()]));
    }

    #[test]
    fn every_option_says_what_it_says() {
        let request = with(&["-vHRDo1", "-c", "3", "-C2", "-b100", "-lhere", "-Bhi", "-4"]);
        assert_eq!((request.volume, request.limit), (Volume::Everything, 3));
        assert_eq!((request.limit_for_each, request.backlog), (Some(2), 100));
        assert_eq!((request.remote_name, request.remote_user), (None, None));
        assert_eq!(request.local_name.as_deref(), Some(&b"here"[..]));
        assert_eq!((request.banner.as_slice(), request.families), (&b"hi"[..], Families::Older));
        assert!(request.at_once && request.keeps_route && request.prints_port);
        let banner = |length| with(&["-HRl0", "-B", &"x".repeat(length)]);
        assert!(banner(1024).is_decided_here() && !banner(1025).is_decided_here());
        assert!(request.is_decided_here());
    }

    #[test]
    fn the_last_of_opposites_counts_and_the_order_of_others_does_not() {
        let request = with(&["-DdoOHhRrvqQ46", "-C0"]);
        assert!(!request.at_once && !request.keeps_route && !request.is_decided_here());
        assert_eq!((request.volume, request.families), (Volume::Trouble, Families::Newer));
        assert_eq!(request.limit_for_each, None);
        assert_eq!(with(&["-pPp"]).remote_name, Some(Belief::Confirmed));
        assert_eq!(with(&["-pH"]).remote_name, None);
        let rules = |options: &[&str]| with(options).rules.unwrap();
        assert_eq!(rules(&["-X", "-xa"]), ("a".into(), WithoutRules::Serve));
        assert_eq!(rules(&["-xa"]), ("a".into(), WithoutRules::Refuse));
        assert_eq!(with(&["-t3", "-r"]).remote_user, Some(Duration::from_secs(3)));
    }

    #[test]
    fn identities_are_numbers_and_0_is_none() {
        let ids = |options: &[&str]| {
            let request = with(options);
            (request.user.map(Uid::as_raw), request.group.map(|gid| gid.0))
        };
        assert_eq!(ids(&["-u5", "-g6"]), (Some(5), Some(6)));
        assert_eq!(ids(&["-U"]), (Some(7), Some(8)));
        assert_eq!(ids(&["-U", "-u9"]), (Some(9), Some(8)));
        assert_eq!(ids(&["-u0", "-g0"]), (None, None));
    }

    #[test]
    fn what_cannot_be_meant_is_wrong_usage() {
        for words in [&["-Z"][..], &["-c"], &["-cx"], &["-c0"], &["-uqmaild"], &["-g", "-1"]] {
            assert!(parse(&[words, &["0", "25", "cat"]].concat()).is_err(), "{words:?}");
        }
        for words in [&[][..], &["0"], &["0", "25"], &["-v", "0", "25"]] {
            assert_eq!(parse(words).unwrap_err().option, None, "{words:?}");
        }
        assert_eq!(parse(&["-q"]).unwrap_err().volume, Volume::Nothing);
        assert_eq!(parse(&["-qZ"]).unwrap_err().volume, Volume::Trouble);
    }
}
