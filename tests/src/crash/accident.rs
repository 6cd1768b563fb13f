//! Where a process was when it crashed. Only who traces it can tell, and only then.

use std::fmt;
use std::fs::File;
use std::hint::black_box;
use std::os::unix::fs::FileExt;

use libc::{c_int, c_long, siginfo_t};
use nix::sys::ptrace;
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use super::event::Process;
use super::tracee::mapping;

/// Where in a `siginfo_t` of a crash the address is.
const ADDRESS: u64 = 16;

/// Bytes of the instruction, and of those that follow it.
const CODE: usize = 16;

/// A process that has crashed, or was about to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accident {
    /// Whose it was.
    pub process: Process,
    /// Which signal came of it.
    pub signal: Signal,
    /// The number of the last system call that was seen of it.
    pub last_call: Option<c_long>,
    /// Where it was. None if the kernel ended it without a stop, as some do where an exec has failed
    /// half way.
    pub place: Option<Place>,
}

/// Where a process was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its next instruction.
    pub instruction: u64,
    /// The bytes that are there, if there are any.
    pub code: Vec<u8>,
    /// The end of its stack.
    pub stack: u64,
    /// What the kernel says of the cause: see sigaction(2), `si_code`.
    pub cause: c_int,
    /// The address that it could not use; none if somebody has sent the signal.
    pub address: Option<u64>,
    /// The line of its `maps` with the instruction, if that is in anything.
    pub mapping: Option<String>,
}

/// Whether a signal says that a program is wrong.
pub(crate) fn is_accident(signal: Signal) -> bool {
    use Signal::{SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV};
    matches!(signal, SIGSEGV | SIGBUS | SIGILL | SIGABRT | SIGFPE)
}

impl Place {
    /// Of a process that is stopped by a signal; none if it has died meanwhile.
    pub(crate) fn of(pid: Pid) -> Option<Self> {
        let registers = ptrace::getregs(pid).ok()?;
        let information = ptrace::getsiginfo(pid).ok()?;
        let instruction = registers.rip;
        let mut code = vec![0; CODE];
        let memory = File::open(format!("/proc/{pid}/mem"));
        let length = memory.and_then(|memory| memory.read_at(&mut code, instruction));
        code.truncate(length.unwrap_or(0));
        Some(Self {
            instruction,
            code,
            stack: registers.rsp,
            cause: information.si_code,
            // Others say who they are instead.
            address: Some(&information).filter(|told| told.si_code > 0).and_then(address),
            mapping: mapping(pid, instruction),
        })
    }
}

/// What the kernel says of the address. A `siginfo_t` has it where other signals have other things:
/// to ask it for one of them is unsafe, and to read our own memory is not.
fn address(information: &siginfo_t) -> Option<u64> {
    let place = std::ptr::from_ref(black_box(information)).addr() as u64;
    let mut bytes = [0; 8];
    let memory = File::open("/proc/self/mem").ok()?;
    memory.read_exact_at(&mut bytes, place + ADDRESS).ok()?;
    Some(u64::from_ne_bytes(bytes))
}

impl fmt::Display for Accident {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Process { pid, name } = &self.process;
        write!(formatter, "{name}, process {pid}: {}", self.signal)?;
        match self.last_call {
            Some(number) => write!(formatter, " after call {number}")?,
            None => write!(formatter, " before any call")?,
        }
        match &self.place {
            Some(place) => place.fmt(formatter),
            None => write!(formatter, ", by the kernel, and without a stop"),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { instruction, code, stack, cause, address, mapping } = self;
        write!(formatter, ", at {instruction:#x} ({code:02x?}), stack {stack:#x}, cause {cause}")?;
        if let Some(address) = address {
            write!(formatter, ", address {address:#x}")?;
        }
        write!(formatter, ", in {}", mapping.as_deref().unwrap_or("nothing"))
    }
}
