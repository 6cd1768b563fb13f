//! All deliveries that have not been reported, found by their number and by their process.

use std::collections::{BTreeMap, HashMap};
use std::os::fd::BorrowedFd;

use qmail_sys::{Child, Exit};
use qmail_wire::spawn::DeliveryNumber;

use crate::delivery::Delivery;

/// The deliveries: no step takes longer because of those that it is not about.
pub(crate) struct Deliveries<O> {
    all: BTreeMap<DeliveryNumber, Delivery<O>>,
    processes: HashMap<u32, DeliveryNumber>,
}

impl<O> Deliveries<O> {
    pub(crate) fn new() -> Self {
        Self { all: BTreeMap::new(), processes: HashMap::new() }
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
    pub(crate) fn started(&mut self, number: DeliveryNumber, child: &Child) {
        self.processes.insert(child.id(), number);
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

    /// What to wait for.
    pub(crate) fn reports(&self) -> impl Iterator<Item = (DeliveryNumber, BorrowedFd<'_>)> {
        self.all.iter().filter_map(|(number, delivery)| Some((*number, delivery.report()?)))
    }

    /// Takes a delivery out that is over.
    pub(crate) fn take_over(&mut self, number: DeliveryNumber) -> Option<Delivery<O>> {
        self.all.get(&number).filter(|delivery| delivery.is_over())?;
        self.all.remove(&number)
    }
}
