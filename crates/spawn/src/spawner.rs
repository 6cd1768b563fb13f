//! The loop.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use qmail_core::built_in;
use qmail_sys::signal::{self, Signal, Signals};
use qmail_sys::{Interest, pipe, poll, reap, set_nonblocking};
use qmail_wire::spawn::{Command, CommandOverflow, CommandParser, DeliveryNumber, Report};

use crate::Kind;
use crate::delivery::Delivery;
use crate::order::{Refused, open_message};

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
    kind: &'a K,
    messages: &'a Path,
    owner: u32,
    /// `None` after its end: what is running is still finished.
    commands: Option<File>,
    parser: CommandParser,
    /// `None` once nobody listens.
    reports: Option<File>,
    /// Reports of this turn, which go out together.
    waiting: Vec<u8>,
    signals: Signals,
    /// By delivery number.
    deliveries: Vec<Option<Delivery<K::Output>>>,
}

/// What has something for us.
struct Ready {
    /// By their numbers.
    deliveries: Vec<usize>,
    commands: bool,
}

impl<'a, K: Kind> Spawner<'a, K> {
    /// A spawner for the messages below `messages`, which are `owner`'s. It says at once how many
    /// deliveries it can run.
    ///
    /// # Errors
    /// If the signal of children that end cannot be watched.
    pub fn new(
        kind: &'a K,
        descriptors: Descriptors,
        messages: &'a Path,
        owner: u32,
    ) -> io::Result<Self> {
        let limit: DeliveryNumber = built_in::spawn_limit();
        // Where whoever started us ignores it, children would vanish and never have ended.
        signal::restore(&[Signal::SIGCHLD])?;
        let signals = Signals::watch(&[Signal::SIGCHLD])?;
        let mut spawner = Self {
            kind,
            messages,
            owner,
            commands: Some(File::from(descriptors.commands)),
            parser: CommandParser::new(),
            reports: Some(File::from(descriptors.reports)),
            waiting: limit.to_le_bytes().to_vec(),
            signals,
            deliveries: std::iter::repeat_with(|| None).take(limit.into()).collect(),
        };
        spawner.send_reports();
        Ok(spawner)
    }

    /// Works until there are no more commands and every delivery has ended.
    ///
    /// # Errors
    /// If nothing can be waited for any more.
    pub fn run(mut self) -> io::Result<()> {
        while self.commands.is_some() || self.deliveries.iter().any(Option::is_some) {
            let ready = self.wait()?;
            while self.signals.take()?.is_some() {}
            self.reap()?;
            self.collect(&ready.deliveries);
            if ready.commands {
                self.take_commands();
            }
            self.send_reports();
        }
        Ok(())
    }

    /// Waits until something happens.
    fn wait(&self) -> io::Result<Ready> {
        let reports = self.deliveries.iter().enumerate();
        let (numbers, reports): (Vec<usize>, Vec<_>) =
            reports.filter_map(|(at, slot)| Some((at, slot.as_ref()?.report()?))).unzip();
        let mut interests = vec![Interest::reading(self.signals.as_fd())];
        interests.extend(reports.into_iter().map(Interest::reading));
        interests.extend(self.commands.iter().map(|commands| Interest::reading(commands.as_fd())));
        poll(&mut interests, None)?;
        let mut ready = interests.iter().skip(1).map(Interest::is_ready);
        let deliveries = numbers.into_iter().filter(|_| ready.next() == Some(true)).collect();
        Ok(Ready { deliveries, commands: ready.next() == Some(true) })
    }

    fn reap(&mut self) -> io::Result<()> {
        while let Some((process, exit)) = reap()? {
            let mut running = self.deliveries.iter_mut().flatten();
            if let Some(delivery) = running.find(|delivery| delivery.is_process(process)) {
                delivery.ended(exit);
            }
        }
        Ok(())
    }

    /// Takes what those that are `ready` say, and reports all that are over.
    fn collect(&mut self, ready: &[usize]) {
        for number in ready {
            if let Some(Some(delivery)) = self.deliveries.get_mut(*number) {
                delivery.read();
            }
        }
        for (number, slot) in self.deliveries.iter_mut().enumerate() {
            let Some(delivery) = slot.take_if(|delivery| delivery.is_over()) else { continue };
            let Ok(number) = DeliveryNumber::try_from(number) else { continue };
            if let Some((verdict, text)) = delivery.finish() {
                let report = Report { delivery: number, verdict, text };
                self.waiting.extend_from_slice(&report.encode());
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
            Ok(command) => (command.delivery, self.start(&command)),
            Err(overflow) => (overflow.delivery, Err(Refused::OutOfMemory)),
        };
        if let Err(refused) = result {
            let (verdict, text) = refused.report();
            let report = Report { delivery: number, verdict, text: text.into() };
            self.waiting.extend_from_slice(&report.encode());
        }
    }

    fn start(&mut self, command: &Command) -> Result<(), Refused> {
        let number = usize::from(command.delivery);
        let slot = self.deliveries.get_mut(number).ok_or(Refused::NumberTooBig)?;
        if slot.is_some() {
            return Err(Refused::NumberInUse);
        }
        let message = open_message(command, self.messages, self.owner)?;
        let report = pipe().map_err(|_| Refused::Pipe)?;
        set_nonblocking(&report.read).map_err(|_| Refused::Pipe)?;
        let started = self.kind.start(command, message.as_fd(), report.write.as_fd());
        let child = started.map_err(|_| Refused::Fork)?;
        *slot = Some(Delivery::new(child, report.read));
        Ok(())
    }

    /// Without qmail-send nobody is told, but deliveries are still finished.
    fn send_reports(&mut self) {
        if let Some(reports) = &mut self.reports
            && reports.write_all(&self.waiting).is_err()
        {
            self.reports = None;
        }
        self.waiting.clear();
    }
}
