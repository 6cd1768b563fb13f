//! What a process has asked the kernel to do by io_submit(2), and has not heard of yet.
//!
//! An fsync that is asked for in this way is done when io_getevents(2) has said so, and not before:
//! until then the power may fail with nothing of it on disk.

use nix::unistd::Pid;

use super::event::{Change, File, Ticket};
use super::tracee::Entry;
use super::watch::Watch;

/// The size of `struct iocb`, of linux/aio_abi.h.
const REQUEST: usize = 64;
/// `IOCB_CMD_FSYNC` and `IOCB_CMD_FDSYNC`.
const SYNCS: [u16; 2] = [2, 3];
/// `IOCB_CMD_PWRITE` and `IOCB_CMD_PWRITEV`.
const WRITES: [u16; 2] = [1, 8];

/// The size of `struct io_event`, and where in it the result is.
const OUTCOME: usize = 32;
const RESULT: usize = 16;

/// One thing asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    /// By which its process knows it again.
    data: u64,
    operation: u16,
    /// What it is about, if that is watched.
    file: Option<File>,
}

/// All that is under way, of all processes.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    all: Vec<Flight>,
    next: u64,
}

#[derive(Debug)]
struct Flight {
    pid: Pid,
    data: u64,
    ticket: Option<Ticket>,
    /// What its process is to hear instead of the truth.
    error: Option<i32>,
}

/// What is asked for by an io_submit(2).
pub(crate) fn requests(entry: &Entry, watch: &Watch) -> Vec<Request> {
    let pointers = entry.bytes(entry.argument(2), entry.argument(1).saturating_mul(8));
    let request = |pointer: &[u8]| {
        let bytes = entry.bytes(number(pointer), REQUEST as u64);
        let operation = u16::from_ne_bytes([bytes[16], bytes[17]]);
        let descriptor = i32::from_ne_bytes([bytes[20], bytes[21], bytes[22], bytes[23]]);
        let file = entry.file(descriptor).and_then(|metadata| watch.identify(&metadata));
        Request { data: number(&bytes[..8]), operation, file }
    };
    pointers.chunks(8).map(request).collect()
}

/// How many of them are syncs.
pub(crate) fn syncs(requests: &[Request]) -> usize {
    requests.iter().filter(|request| SYNCS.contains(&request.operation)).count()
}

/// Whether one of them changes a watched file: the model lacks that.
pub(crate) fn has_writes(requests: &[Request]) -> bool {
    let is_write = |one: &Request| WRITES.contains(&one.operation) && one.file.is_some();
    requests.iter().any(is_write)
}

impl Flights {
    /// The kernel takes these; the sync with this number is to fail in the end.
    pub(crate) fn begin(
        &mut self,
        pid: Pid,
        requests: &[Request],
        failing: Option<(usize, i32)>,
    ) -> Change {
        let mut tickets = Vec::new();
        let syncs = requests.iter().filter(|request| SYNCS.contains(&request.operation));
        for (at, request) in syncs.enumerate() {
            let ticket = request.file.map(|file| Ticket { number: self.number(), file });
            let error = failing.filter(|(which, _)| *which == at).map(|(_, errno)| errno);
            tickets.extend(ticket);
            self.all.push(Flight { pid, data: request.data, ticket, error });
        }
        Change::SyncsBegun(tickets)
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// What a process waits for, all of it.
    pub(crate) fn awaited(&self, pid: Pid) -> Change {
        let own = self.all.iter().filter(|flight| flight.pid == pid);
        Change::SyncsEnded(own.filter_map(|flight| flight.ticket).collect())
    }

    /// A process hears of so many outcomes, some of them false. What that means for the disk.
    pub(crate) fn end(&mut self, entry: &Entry, count: u64) -> Vec<Change> {
        let address = entry.argument(3);
        let mut outcomes = entry.bytes(address, count.saturating_mul(OUTCOME as u64));
        let (mut ended, mut changes) = (Vec::new(), Vec::new());
        for outcome in outcomes.chunks_mut(OUTCOME) {
            let data = number(&outcome[..8]);
            let is_it = |flight: &Flight| (flight.pid, flight.data) == (entry.pid, data);
            let Some(at) = self.all.iter().position(is_it) else { continue };
            let flight = self.all.remove(at);
            let result = &mut outcome[RESULT..RESULT + 8];
            if let Some(errno) = flight.error {
                result.copy_from_slice(&i64::from(-errno).to_ne_bytes());
            }
            // Negative results are errors.
            let has_failed = result[7] & 0x80 != 0;
            match flight.ticket {
                Some(ticket) if has_failed => changes.push(Change::SyncFailed(ticket.file)),
                ticket => ended.extend(ticket),
            }
        }
        entry.overwrite(address, &outcomes);
        if !ended.is_empty() {
            changes.push(Change::SyncsEnded(ended));
        }
        changes
    }

    /// A process will never hear what became of these: any of them may have failed.
    pub(crate) fn lose(&mut self, pid: Pid) -> Vec<Change> {
        let (own, others) =
            std::mem::take(&mut self.all).into_iter().partition(|one| one.pid == pid);
        self.all = others;
        let own: Vec<Flight> = own;
        own.iter().filter_map(|one| Some(Change::SyncFailed(one.ticket?.file))).collect()
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.try_into().map(u64::from_ne_bytes).unwrap_or(0)
}
