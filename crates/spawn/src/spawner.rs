//! The loop.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::Instant;

use qmail_forkserver::Workers;
use qmail_sys::signal::{self, Signal, Signals};
use qmail_sys::{Interest, pipe, poll, reap, set_nonblocking};
use qmail_wire::spawn::{Command, CommandOverflow, CommandParser, DeliveryNumber, Limit, Report};

use crate::check::{Refused, open_message};
use crate::deliveries::Deliveries;
use crate::delivery::Delivery;
use crate::{Begun, Kind, Order};

/// The two pipes from and to qmail-send.
#[derive(Debug)]
pub struct Descriptors {
    /// Where commands come from.
    pub commands: OwnedFd,
    /// Where reports go.
    pub reports: OwnedFd,
}

/// A spawner at work.
pub struct Spawner<'a, K: Kind> {
    kind: K,
    messages: &'a Path,
    owner: u32,
    limit: Limit,
    /// `None` after its end: what is running is still finished.
    commands: Option<File>,
    parser: CommandParser,
    /// `None` once nobody listens.
    reports: Option<File>,
    /// Reports of this turn, which go out together.
    waiting: Vec<u8>,
    signals: Signals,
    deliveries: Deliveries<K::Output>,
    workers: Workers,
}

/// What has something for us.
struct Ready {
    /// Processes have ended.
    children: bool,
    /// What deliveries wait for that begin later.
    later: Vec<DeliveryNumber>,
    /// Those whose workers are done with them.
    done: Vec<DeliveryNumber>,
    deliveries: Vec<DeliveryNumber>,
    commands: bool,
}

impl<'a, K: Kind> Spawner<'a, K> {
    /// A spawner for the messages below `messages`, which are `owner`'s. It says at once how many
    /// deliveries it can run.
    ///
    /// # Errors
    /// If the signal of children that end cannot be watched.
    pub fn new(
        kind: K,
        limit: Limit,
        descriptors: Descriptors,
        messages: &'a Path,
        owner: u32,
    ) -> io::Result<Self> {
        // Where whoever started us ignores it, children would vanish and never have ended.
        signal::restore(&[Signal::SIGCHLD])?;
        let signals = Signals::watch(&[Signal::SIGCHLD])?;
        let mut spawner = Self {
            kind,
            messages,
            owner,
            limit,
            commands: Some(File::from(descriptors.commands)),
            parser: CommandParser::new(limit.width),
            reports: Some(File::from(descriptors.reports)),
            waiting: limit.encode(),
            signals,
            deliveries: Deliveries::new(),
            workers: Workers::new(),
        };
        spawner.send_reports();
        Ok(spawner)
    }

    /// Works until there are no more commands and every delivery has ended.
    ///
    /// # Errors
    /// If nothing can be waited for any more.
    pub fn run(mut self) -> io::Result<()> {
        while self.commands.is_some() || !self.deliveries.is_empty() {
            let ready = self.wait()?;
            let mut ended = if ready.children { self.reap()? } else { Vec::new() };
            // Before others begin: who is done can do what is next.
            ready.done.iter().for_each(|number| self.release(*number));
            ended.extend(ready.done);
            ready.later.iter().for_each(|number| self.go_on(*number));
            self.collect(&ready.deliveries, &ended);
            if ready.commands {
                self.take_commands();
            }
            self.send_reports();
        }
        Ok(())
    }

    /// Waits until something happens.
    fn wait(&self) -> io::Result<Ready> {
        let (later, descriptors): (Vec<_>, Vec<_>) = self.kind.waits_for().into_iter().unzip();
        let (working, workers): (Vec<_>, Vec<_>) = self.deliveries.workers().unzip();
        let now = Instant::now();
        let (numbers, reports): (Vec<_>, Vec<_>) = self.deliveries.reports(now).unzip();
        let mut interests = vec![Interest::reading(self.signals.as_fd())];
        let descriptors = descriptors.into_iter().chain(workers).chain(reports);
        interests.extend(descriptors.map(Interest::reading));
        interests.extend(self.commands.iter().map(|commands| Interest::reading(commands.as_fd())));
        poll(&mut interests, self.deliveries.unheard(now))?;
        let mut ready = interests.iter().map(Interest::is_ready);
        let children = ready.next() == Some(true);
        let mut of = |numbers: Vec<DeliveryNumber>| {
            let ready = numbers.into_iter().filter(|_| ready.next() == Some(true));
            ready.collect::<Vec<_>>()
        };
        let (later, done, deliveries) = (of(later), of(working), of(numbers));
        Ok(Ready { children, later, done, deliveries, commands: ready.next() == Some(true) })
    }

    /// The worker of this delivery is done with it.
    fn release(&mut self, number: DeliveryNumber) {
        let Some(worker) = self.deliveries.take_worker(number) else { return };
        let exit = self.workers.result(worker);
        if let Some(delivery) = self.deliveries.get_mut(number) {
            delivery.ended(exit);
        }
    }

    /// The deliveries whose processes have ended.
    fn reap(&mut self) -> io::Result<Vec<DeliveryNumber>> {
        while self.signals.take()?.is_some() {}
        let mut ended = Vec::new();
        while let Some((process, exit)) = reap()? {
            if let Some(number) = self.deliveries.ended(process, exit) {
                self.workers.ended(exit);
                ended.push(number);
            } else if let Some(number) = self.kind.ended(process, exit) {
                self.go_on(number);
            }
        }
        self.workers.forget_gone();
        Ok(ended)
    }

    /// Takes what those that are `ready` say, and reports those of them and of the `ended` ones that
    /// are over.
    fn collect(&mut self, ready: &[DeliveryNumber], ended: &[DeliveryNumber]) {
        for number in ready.iter().chain(ended) {
            if let Some(delivery) = self.deliveries.get_mut(*number) {
                delivery.read();
            }
        }
        for number in ended.iter().chain(ready) {
            let over = self.deliveries.take_over(*number);
            if let Some((verdict, text)) = over.and_then(Delivery::finish) {
                self.report(&Report { delivery: *number, verdict, text });
            }
        }
    }

    fn take_commands(&mut self) {
        let Some(commands) = &mut self.commands else { return };
        let mut block = [0; 4096];
        match commands.read(&mut block) {
            Ok(length) if length > 0 => {
                for command in self.parser.push(block.get(..length).unwrap_or_default()) {
                    self.obey(command);
                }
            }
            Err(error)
                if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => {}
            Ok(_) | Err(_) => self.commands = None,
        }
    }

    fn obey(&mut self, command: Result<Command, CommandOverflow>) {
        let (number, result) = match command {
            Ok(command) => (command.delivery, self.start(command)),
            Err(overflow) => (overflow.delivery, Err(Refused::OutOfMemory)),
        };
        if let Err(refused) = result {
            self.refuse(number, refused);
        }
    }

    fn start(&mut self, command: Command) -> Result<(), Refused> {
        let number = command.delivery;
        if number >= self.limit.deliveries {
            return Err(Refused::NumberTooBig);
        }
        if self.deliveries.has(number) {
            return Err(Refused::NumberInUse);
        }
        let message = open_message(&command, self.messages, self.owner)?;
        let report = pipe().map_err(|_| Refused::Pipe)?;
        set_nonblocking(&report.read).map_err(|_| Refused::Pipe)?;
        self.deliveries.add(number, Delivery::new(report.read));
        let order = Order { command, message, report: report.write };
        let begun = self.kind.start(order, &mut self.workers);
        self.begin(number, begun);
        Ok(())
    }

    fn go_on(&mut self, number: DeliveryNumber) {
        for (number, begun) in self.kind.go_on(number, &mut self.workers) {
            self.begin(number, begun);
        }
    }

    fn begin(&mut self, number: DeliveryNumber, begun: io::Result<Begun>) {
        match begun {
            Ok(Begun::Running(started)) => self.deliveries.started(number, started),
            Ok(Begun::Later) => {}
            // Its report ends, too, and with that it is over.
            Ok(Begun::Over(code)) => {
                if let Some(delivery) = self.deliveries.get_mut(number) {
                    delivery.ended(qmail_sys::Exit::Code(code));
                }
            }
            Err(_) => {
                self.deliveries.forget(number);
                self.refuse(number, Refused::Fork);
            }
        }
    }

    fn refuse(&mut self, number: DeliveryNumber, refused: Refused) {
        let (verdict, text) = refused.report();
        self.report(&Report { delivery: number, verdict, text: text.into() });
    }

    fn report(&mut self, report: &Report) {
        self.waiting.extend_from_slice(&report.encode(self.limit.width));
    }

    /// Without qmail-send nobody is told, but deliveries are still finished.
    fn send_reports(&mut self) {
        if let Some(reports) = &mut self.reports
            && !self.waiting.is_empty()
            && reports.write_all(&self.waiting).is_err()
        {
            self.reports = None;
        }
        self.waiting.clear();
    }
}
