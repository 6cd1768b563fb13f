//! The targets one after the other, until one judges the message.

use std::io::{self, ErrorKind, Read};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use qmail_core::tcpto::{TimeoutFile, Verdict};

use crate::channel::{Socket, Wire};
use crate::connection::Connection;
use crate::dialogue::{Dialogue, Ending, Hello, Terms, Without};
use crate::envelope::Envelope;
use crate::extension::starttls::Security;
use crate::message::Facts;
use crate::report::{Failure, Records, Report, Subject};
use crate::route::Route;
use crate::security::TlsPlan;
use crate::settings::Settings;
use crate::surroundings::Surroundings;
use crate::targets::Target;

/// How long an IPv6 connection is waited for while there is an IPv4 address left.
const IMPATIENT: Duration = Duration::from_secs(10);

/// A message on its way to a server.
pub(crate) struct Delivery<'d, S> {
    pub(crate) settings: &'d Settings,
    pub(crate) envelope: &'d Envelope,
    pub(crate) facts: Facts,
    pub(crate) route: &'d Route,
    pub(crate) home: &'d Path,
    pub(crate) system: &'d S,
}

/// What came of trying one target.
enum Attempt {
    /// Its word is final.
    Done(Report),
    /// It said something, but did not let us begin.
    Refused(Report),
    /// It could not be reached.
    Unreached,
}

impl<S: Surroundings> Delivery<'_, S> {
    /// Tries the targets in their order. The message is read only for the one that judges it.
    pub(crate) fn to_any(
        &self,
        targets: &[Target],
        message: &mut impl Read,
    ) -> Result<Report, Failure> {
        let started = Instant::now();
        let mut last = Err(Failure::NoConnection);
        for (number, target) in targets.iter().enumerate() {
            if number > 0 && started.elapsed() >= self.settings.run_timeout {
                break;
            }
            let following = targets.get(number + 1..).unwrap_or_default();
            match self.attempt(target, following, message)? {
                Attempt::Done(report) => return Ok(report),
                Attempt::Refused(report) => last = Ok(report),
                Attempt::Unreached => {}
            }
        }
        last
    }

    /// Tries one target: again, without what it does not agree with.
    fn attempt(
        &self,
        target: &Target,
        following: &[Target],
        message: &mut impl Read,
    ) -> Result<Attempt, Failure> {
        let host = target.host.as_deref();
        let plan = TlsPlan::find(self.home, self.settings, host, self.route.port())
            .map_err(|_| Failure::Controls)?;
        let end = Instant::now() + self.patience();
        let (mut hello, mut security) = (Hello::Extended, plan.security);
        let mut outcome = Attempt::Unreached;
        // Each round gives up something that the one before tried, so there are three at most.
        loop {
            let Some(stream) = self.connect(target.address, following, end)? else {
                return Ok(outcome);
            };
            let round = Round { target, plan: &plan, hello, security, end };
            match self.converse(stream, &round, message) {
                Ending::Final(report) => return Ok(Attempt::Done(report)),
                Ending::TryNext(report) => return Ok(Attempt::Refused(report)),
                Ending::Again(without, report) => {
                    match without {
                        Without::Ehlo if hello == Hello::Extended => hello = Hello::Plain,
                        Without::Tls if security != Security::Never => {
                            security = Security::Never;
                            plan.remember_failure();
                        }
                        Without::Ehlo | Without::Tls => return Ok(Attempt::Refused(report)),
                    }
                    outcome = Attempt::Refused(report);
                }
            }
        }
    }

    fn converse(&self, stream: TcpStream, round: &Round<'_>, message: &mut impl Read) -> Ending {
        let Round { target, plan, .. } = round;
        let source = stream.local_addr().ok().map(|address| address.ip().to_canonical());
        let relay = target.host.as_deref().unwrap_or_default();
        let terms = Terms {
            greeting_name: self.settings.greeting_name(source),
            envelope: self.envelope,
            message: self.facts,
            peer: target.address,
            hello: round.hello,
            security: round.security,
            credentials: self.route.credentials(),
            clear_credentials: self.trusts_relay(),
            tls_file: &plan.file(),
        };
        let records = Records::new(Subject {
            style: self.settings.style,
            sender: self.envelope.sender.clone(),
            recipient: self.envelope.recipients.first().cloned().unwrap_or_default(),
            host: relay.to_vec(),
            peer: target.address,
        });
        // Each write is whole: nothing is gained by waiting for more of it. If this fails, it is
        // because the server is gone, which will be noticed.
        let _: io::Result<()> = stream.set_nodelay(true);
        let socket = Socket::new(stream, self.settings.transfer_timeout, round.end);
        Connection::new(Wire::new(socket, plan)).converse(
            Dialogue::begin(&terms, records),
            message,
            |failure| plan.explain(failure),
        )
    }

    /// How long one host may take altogether: a long message has more time.
    fn patience(&self) -> Duration {
        let kibibytes = self.facts.length.unwrap_or(0) / 1024;
        self.settings.host_timeout.saturating_add(Duration::from_secs(kibibytes))
    }

    fn trusts_relay(&self) -> bool {
        match self.route {
            Route::Relay(relay) => self.settings.trusted_relays.contains(&relay.host),
            Route::Exchangers => false,
        }
    }

    /// Connects, unless the target has lately been silent too often, and remembers how it went.
    fn connect(
        &self,
        address: IpAddr,
        following: &[Target],
        end: Instant,
    ) -> Result<Option<TcpStream>, Failure> {
        let memory = Memory::of(self, address);
        if memory.verdict == Verdict::Skip {
            return Ok(None);
        }
        let server = SocketAddr::new(address, self.route.port());
        let source = self.settings.sources.find(&self.envelope.sender, address);
        let timeout = self.connect_timeout(address, following, end);
        match qmail_sys::connect(server, source, timeout) {
            Err(error) if is_hopeless(&error, has_other(address, following)) => {
                Err(Failure::Resources)
            }
            Err(error) if error.kind() == ErrorKind::TimedOut => {
                memory.time_out();
                Ok(None)
            }
            // Our side of it is wrong, which says nothing of the other.
            Err(error) if is_ours(&error) => Ok(None),
            Err(_) => {
                memory.clear();
                Ok(None)
            }
            Ok(stream) => {
                memory.clear();
                Ok(Some(stream))
            }
        }
    }

    fn connect_timeout(&self, address: IpAddr, following: &[Target], end: Instant) -> Duration {
        let left = end.saturating_duration_since(Instant::now());
        let limit = if has_other(address, following) { IMPATIENT } else { Duration::MAX };
        self.settings.connect_timeout.min(left).min(limit)
    }
}

/// Whether this system cannot connect to anybody now. What it lacks may be IPv6 alone.
fn is_hopeless(error: &io::Error, has_other: bool) -> bool {
    qmail_sys::lacks_resources(error) && !has_other
}

fn is_ours(error: &io::Error) -> bool {
    error.kind() == ErrorKind::AddrNotAvailable || qmail_sys::lacks_resources(error)
}

/// Whether IPv4 is left for what this address, one of IPv6, cannot do.
fn has_other(address: IpAddr, following: &[Target]) -> bool {
    address.is_ipv6() && following.iter().any(|target| target.address.is_ipv4())
}

/// One connection to a target, and what it is to be like.
struct Round<'r> {
    target: &'r Target,
    plan: &'r TlsPlan<'r>,
    hello: Hello,
    security: Security,
    /// When all must be over.
    end: Instant,
}

/// What the tables of time-outs have on a target.
struct Memory<'d, S> {
    file: TimeoutFile,
    address: IpAddr,
    verdict: Verdict,
    system: &'d S,
}

impl<'d, S: Surroundings> Memory<'d, S> {
    fn of(delivery: &Delivery<'d, S>, address: IpAddr) -> Self {
        let (file, system) = (TimeoutFile::new(delivery.home), delivery.system);
        let verdict = file.check(address, system.now(), system.process());
        Self { file, address, verdict, system }
    }

    fn time_out(&self) {
        self.file.time_out(self.address, self.system.now());
    }

    /// Whatever it said, it answered.
    fn clear(&self) {
        if self.verdict == Verdict::Remembered {
            self.file.clear(self.address);
        }
    }
}

#[cfg(test)]
#[path = "attempt_tests.rs"]
mod tests;
