//! The loop: connections come, processes end.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use qmail_sys::signal::{self, Signal, Signals};
use qmail_sys::{Interest, fork, poll, reap_status, send_at_once};

use crate::asking::{self, unable_to_run};
use crate::crowd::Crowd;
use crate::ends::{Door, Ends};
use crate::facts::Facts;
use crate::lines::{self, Decision};
use crate::log::Log;
use crate::options::Request;
use crate::pause::Pause;
use crate::reception::{admit, prepare};
use crate::sessions::{Accepted, Copies, Programs, Sessions};

/// Statuses of a session that ended before there was a process for it.
const DENIED: u32 = 100 << 8;
const FAILED: u32 = 111 << 8;

/// A server that listens.
pub(crate) struct Server<'a, S> {
    request: &'a Request,
    /// None in a child, which would keep the port from the next server.
    listener: Option<TcpListener>,
    door: Door,
    signals: Signals,
    sessions: S,
    programs: Programs,
    crowd: Crowd,
    pause: Pause,
    log: Log,
    /// What is known of every connection without asking anybody.
    facts: Facts,
}

impl<'a> Server<'a, Copies> {
    /// Starts `programs` for the connections to `listener`.
    pub(crate) fn new(
        request: &'a Request,
        listener: TcpListener,
        signals: Signals,
        programs: Programs,
    ) -> Self {
        Self {
            request,
            door: Door::of(&listener),
            listener: Some(listener),
            signals,
            sessions: Copies::of(programs.clone()),
            programs,
            crowd: Crowd::new(request.limit, request.limit_for_each),
            pause: Pause::none(),
            log: Log::new(request.volume),
            facts: Facts { local_name: request.local_name.clone(), ..Facts::default() },
        }
    }
}

impl<S: Sessions> Server<'_, S> {
    /// Serves until SIGTERM. Sessions that have begun go on.
    pub(crate) fn run(&mut self) {
        self.tell_status();
        loop {
            self.log.flush();
            let (signal, connection) = self.wait();
            if signal && self.is_over() {
                return self.log.flush();
            }
            if connection && !self.crowd.is_full() {
                self.accept();
            }
        }
    }

    /// Waits until there is a signal, or a connection that may be accepted.
    fn wait(&mut self) -> (bool, bool) {
        let pause = self.pause.left(Instant::now());
        let mut interests = vec![Interest::reading(self.signals.as_fd())];
        // Who waits is accepted when there is room, and not dropped meanwhile.
        if !self.crowd.is_full() && pause.is_none() {
            interests.extend(self.listener.iter().map(|one| Interest::reading(one.as_fd())));
        }
        match poll(&mut interests, pause) {
            Ok(_) => {
                let mut ready = interests.iter().map(Interest::is_ready);
                (ready.next().unwrap_or(false), ready.next().unwrap_or(false))
            }
            Err(error) => {
                drop(interests);
                self.log.complain(&lines::warning("unable to wait", &error));
                self.log.flush();
                std::thread::sleep(Duration::from_secs(1));
                (true, true)
            }
        }
    }

    /// Takes a signal; whether it is the last one.
    fn is_over(&mut self) -> bool {
        let signal = self.signals.take();
        self.reap();
        matches!(signal, Ok(Some(Signal::SIGTERM)))
    }

    fn reap(&mut self) {
        while let Ok(Some((process, status))) = reap_status() {
            if self.crowd.leave(process) {
                // The lower bits are the signal: see wait(2).
                self.sessions.ended(status & 0x7f != 0);
                self.log.tell(|| lines::end(process, status));
                self.tell_status();
            }
        }
    }

    fn accept(&mut self) {
        match self.listener.as_ref().map(TcpListener::accept) {
            None => {}
            Some(Ok((connection, remote))) => self.receive(connection, remote),
            Some(Err(error)) if error.kind() == ErrorKind::WouldBlock => {}
            Some(Err(error)) => self.rest(&lines::warning("unable to accept", &error)),
        }
    }

    /// Something is missing that may be there again soon, and until then would only be missed again.
    fn rest(&mut self, line: &str) {
        self.log.complain(line);
        self.pause.begin(Instant::now());
    }

    fn receive(&mut self, connection: TcpStream, remote: SocketAddr) {
        let ends = match Ends::of(&connection, remote, &self.door) {
            Ok(ends) => ends,
            Err(error) => {
                self.log.complain(&lines::dropped("unable to get local address", &error));
                return;
            }
        };
        if let Some(count) = self.crowd.crowded(ends.remote.ip()) {
            self.log.complain(&lines::crowded(&ends, count));
        } else if self.request.is_decided_here() {
            self.decide(connection, &ends);
        } else {
            self.ask(connection, &ends);
        }
    }

    /// Has a child find out about a connection.
    fn ask(&mut self, connection: TcpStream, ends: &Ends) {
        self.tell_one_more();
        // The child has a log of its own.
        self.log.flush();
        let (request, programs, listener) = (self.request, &self.programs, &mut self.listener);
        let child = fork(move || {
            // However long it asks: nobody is accepted here.
            *listener = None;
            // SIGTERM ends it like any other process.
            let _ = signal::unblock_all();
            asking::serve(connection, ends, request, programs)
        });
        match child {
            Ok(child) => self.begin(child.id(), ends),
            Err(error) => self.drop_for_want(&error),
        }
    }

    /// Decides about a connection, of which everything is known.
    fn decide(&mut self, connection: TcpStream, ends: &Ends) {
        prepare(&connection, ends, self.request);
        if let Err(error) = greet(&connection, &self.request.banner) {
            return self.turn_away(ends, FAILED, &lines::dropped("unable to print banner", &error));
        }
        match admit(ends, &self.facts, self.request) {
            Err((what, error)) => self.turn_away(ends, FAILED, &lines::dropped(&what, &error)),
            Ok(None) => self.deny(ends),
            Ok(Some(changes)) => {
                let started = self.sessions.start(Accepted { socket: connection.into(), changes });
                self.tell_one_more();
                match started {
                    Err(error) => self.drop_for_want(&error),
                    Ok(session) => {
                        self.tell_decision(Decision::Ok, session.process, ends);
                        if let Some(error) = session.failure {
                            let what = unable_to_run(&self.programs);
                            self.log.complain(&lines::dropped(&what, &error));
                        }
                        self.begin(session.process, ends);
                    }
                }
            }
        }
    }

    fn begin(&mut self, process: u32, ends: &Ends) {
        self.pause.forget();
        self.crowd.enter(process, ends.remote.ip());
    }

    /// There is no process for a connection.
    fn drop_for_want(&mut self, error: &io::Error) {
        self.rest(&lines::dropped("unable to fork", error));
        self.tell_status();
    }

    /// The log tells of every connection as if it had a process of its own: it is we, here.
    fn deny(&mut self, ends: &Ends) {
        let process = std::process::id();
        self.tell_one_more();
        self.tell_decision(Decision::Deny, process, ends);
        self.log.tell(|| lines::end(process, DENIED));
        self.tell_status();
    }

    fn turn_away(&mut self, ends: &Ends, status: u32, line: &str) {
        let process = std::process::id();
        self.tell_one_more();
        self.log.tell(|| lines::arrival(process, ends));
        self.log.complain(line);
        self.log.tell(|| lines::end(process, status));
        self.tell_status();
    }

    fn tell_decision(&mut self, decision: Decision, process: u32, ends: &Ends) {
        self.log.tell(|| lines::arrival(process, ends));
        let facts = &self.facts;
        self.log.tell(|| lines::decision(decision, process, ends, facts));
    }

    fn tell_status(&mut self) {
        let (count, limit) = (self.crowd.count(), self.crowd.limit());
        self.log.tell(|| lines::status(count, limit));
    }

    fn tell_one_more(&mut self) {
        let (count, limit) = (self.crowd.count() + 1, self.crowd.limit());
        self.log.tell(|| lines::status(count, limit));
    }
}

/// Writes the banner, which a connection that has just begun has room for.
fn greet(connection: &TcpStream, banner: &[u8]) -> io::Result<()> {
    if banner.is_empty() { Ok(()) } else { send_at_once(connection, banner) }
}
