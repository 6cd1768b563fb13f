//! All deliveries that have not been reported, found by their number and by their process.

use std::collections::{BTreeMap, HashMap};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use qmail_forkserver::{Started, Worker};
use qmail_sys::Exit;
use qmail_wire::spawn::DeliveryNumber;

use crate::delivery::Delivery;

/// The deliveries: no step takes longer because of those that it is not about.
pub(crate) struct Deliveries<O> {
    all: BTreeMap<DeliveryNumber, Delivery<O>>,
    processes: HashMap<u32, DeliveryNumber>,
    workers: BTreeMap<DeliveryNumber, Worker>,
}

impl<O> Deliveries<O> {
    pub(crate) fn new() -> Self {
        Self { all: BTreeMap::new(), processes: HashMap::new(), workers: BTreeMap::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(crate) fn has(&self, number: DeliveryNumber) -> bool {
        self.all.contains_key(&number)
    }

    pub(crate) fn add(&mut self, number: DeliveryNumber, delivery: Delivery<O>) {
        self.all.insert(number, delivery);
    }

    /// It is never reported.
    pub(crate) fn forget(&mut self, number: DeliveryNumber) {
        self.all.remove(&number);
    }

    /// It runs. It is waited for with all the others.
    pub(crate) fn started(&mut self, number: DeliveryNumber, started: Started) {
        match started {
            Started::Process(child) => {
                self.processes.insert(child.id(), number);
            }
            Started::Worker(worker) => {
                self.workers.insert(number, worker);
            }
        }
    }

    /// The worker that has something to say of it.
    pub(crate) fn take_worker(&mut self, number: DeliveryNumber) -> Option<Worker> {
        self.workers.remove(&number)
    }

    /// Whom to wait for.
    pub(crate) fn workers(&self) -> impl Iterator<Item = (DeliveryNumber, BorrowedFd<'_>)> {
        self.workers.iter().map(|(number, worker)| (*number, worker.as_fd()))
    }

    pub(crate) fn get_mut(&mut self, number: DeliveryNumber) -> Option<&mut Delivery<O>> {
        self.all.get_mut(&number)
    }

    /// A process has ended: the delivery that it was, if it was one.
    pub(crate) fn ended(&mut self, process: u32, exit: Exit) -> Option<DeliveryNumber> {
        let number = self.processes.remove(&process)?;
        if let Some(delivery) = self.all.get_mut(&number) {
            delivery.ended(exit);
        }
        Some(number)
    }

    /// What to wait for at this time.
    pub(crate) fn reports(
        &self,
        now: Instant,
    ) -> impl Iterator<Item = (DeliveryNumber, BorrowedFd<'_>)> {
        self.all.iter().filter_map(move |(number, delivery)| Some((*number, delivery.report(now)?)))
    }

    /// After which time there is more to wait for.
    pub(crate) fn unheard(&self, now: Instant) -> Option<Duration> {
        self.all.values().filter_map(|delivery| delivery.unheard(now)).min()
    }

    /// Takes a delivery out that is over.
    pub(crate) fn take_over(&mut self, number: DeliveryNumber) -> Option<Delivery<O>> {
        self.all.get(&number).filter(|delivery| delivery.is_over())?;
        self.all.remove(&number)
    }
}
