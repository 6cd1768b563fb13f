//! The loop that follows processes with ptrace(2).
//!
//! A call that changes the disk happens while nobody else can make one, so that the record is in
//! the order of the disk. Everything else goes on at the same time.

use std::collections::HashMap;
use std::sync::MutexGuard;

use libc::c_long;
use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::accident::{Accident, Place, is_accident};
use super::event::{Deed, Process};
use super::intention::Intention;
use super::recorder::{Inner, Moment, Shared, Verdict};
use super::tracee::{self, Entry};

struct Known {
    process: Process,
    has_begun: bool,
    state: State,
    last_call: Option<c_long>,
    /// It was stopped by a signal that says where it crashes.
    is_noted: bool,
}

enum State {
    Outside,
    /// In a call of which we know already all that is to know.
    Inside,
    /// In one that is not made: it returns this error, or 0.
    Suppressed(i32),
}

/// Follows a stopped process, and all that it starts, to their ends.
pub(crate) fn run(shared: &Shared, root: Pid) {
    let options = Options::PTRACE_O_TRACESYSGOOD
        | Options::PTRACE_O_TRACEFORK
        | Options::PTRACE_O_TRACEVFORK
        | Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_TRACEEXEC;
    if ptrace::seize(root, options).is_err() {
        return;
    }
    let _ = kill(root, Signal::SIGCONT);
    let mut tracer = Tracer { shared, known: HashMap::new() };
    // Of this thread only: other tests have children, too.
    let flags = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
    loop {
        match waitpid(None, Some(flags)) {
            Ok(status) => tracer.step(status),
            Err(Errno::ECHILD) => return,
            // A signal that has no name.
            Err(_) => {}
        }
    }
}

struct Tracer<'s> {
    shared: &'s Shared,
    known: HashMap<Pid, Known>,
}

impl Tracer<'_> {
    fn step(&mut self, status: WaitStatus) {
        match status {
            WaitStatus::Exited(pid, _) => {
                self.known.remove(&pid);
                self.shared.lock().flights.lose(pid);
            }
            WaitStatus::Signaled(pid, signal, _) => self.crashed(pid, signal),
            WaitStatus::PtraceSyscall(pid) => self.at_call(pid),
            WaitStatus::PtraceEvent(pid, _, libc::PTRACE_EVENT_EXEC) => {
                self.known.remove(&pid);
                let known = self.know(pid);
                (known.state, known.last_call) = (State::Inside, Some(libc::SYS_execve));
                go_on(pid, None);
            }
            WaitStatus::PtraceEvent(pid, ..) => go_on(pid, None),
            WaitStatus::Stopped(pid, signal) => {
                if is_accident(signal) {
                    self.note_accident(pid, signal, Place::of(pid));
                }
                go_on(pid, Some(signal));
            }
            _ => {}
        }
    }

    fn know(&mut self, pid: Pid) -> &mut Known {
        self.known.entry(pid).or_insert_with(|| Known {
            process: Process { pid: pid.as_raw(), name: tracee::name(pid).into() },
            has_begun: false,
            state: State::Outside,
            last_call: None,
            is_noted: false,
        })
    }

    fn note_accident(&mut self, pid: Pid, signal: Signal, place: Option<Place>) {
        let known = self.know(pid);
        known.is_noted = true;
        let (process, last_call) = (known.process.clone(), known.last_call);
        self.shared.lock().accidents.push(Accident { process, signal, last_call, place });
    }

    fn crashed(&mut self, pid: Pid, signal: Signal) {
        if is_accident(signal) && !self.know(pid).is_noted {
            self.note_accident(pid, signal, None);
        }
        let mut inner = self.shared.lock();
        inner.flights.lose(pid);
        if let Some(known) = self.known.remove(&pid) {
            inner.note(&known.process, Deed::Crashed(signal as i32));
        }
    }

    fn at_call(&mut self, pid: Pid) {
        match std::mem::replace(&mut self.know(pid).state, State::Outside) {
            State::Outside => self.entered(pid),
            State::Inside => go_on(pid, None),
            State::Suppressed(errno) => {
                tracee::fail(pid, errno);
                go_on(pid, None);
            }
        }
    }

    fn entered(&mut self, pid: Pid) {
        let Some(entry) = Entry::of(pid) else { return go_on(pid, None) };
        let shared = self.shared;
        let known = self.know(pid);
        let is_of_loader = !known.has_begun && entry.is_of_loader();
        known.has_begun = !is_of_loader;
        known.last_call = Some(entry.number);
        let process = known.process.clone();
        let mut inner = shared.lock();
        let intention = Intention::of(&inner, &entry);
        let deed = intention.deed(&inner, pid);
        let moment = Moment {
            process: &process,
            number: entry.number,
            deed: deed.as_ref(),
            syncs: intention.syncs(),
            is_of_loader,
        };
        let mut failing = None;
        match (inner.policy)(&moment) {
            Verdict::Go => {}
            Verdict::FailSync(which, errno) => {
                inner.note(&process, Deed::Failed(errno));
                failing = Some((which, errno));
            }
            Verdict::Kill => {
                inner.note(&process, Deed::Killed);
                entry.suppress();
                let _ = kill(pid, Signal::SIGKILL);
                self.known.remove(&pid);
                return;
            }
            Verdict::Pretend => {
                entry.suppress();
                self.know(pid).state = State::Suppressed(0);
                return go_on(pid, None);
            }
            Verdict::Fail(errno) => {
                inner.note(&process, Deed::Failed(errno));
                for change in intention.failed(&mut inner, pid, errno) {
                    inner.note(&process, Deed::Disk(change));
                }
                entry.suppress();
                self.know(pid).state = State::Suppressed(errno);
                return go_on(pid, None);
            }
        }
        match intention {
            Intention::Nothing => {}
            Intention::Deed(deed) => inner.note(&process, deed),
            Intention::Surprise => {
                inner.surprises.push(format!("{}: call {}", process.name, entry.number));
            }
            intention => return self.alone(inner, &process, &entry, intention, failing),
        }
        drop(inner);
        self.know(pid).state = State::Inside;
        go_on(pid, None);
    }

    /// Lets a call begin and end, while nobody else changes the disk.
    fn alone(
        &mut self,
        mut inner: MutexGuard<'_, Inner>,
        process: &Process,
        entry: &Entry,
        intention: Intention,
        failing: Option<(usize, i32)>,
    ) {
        go_on(entry.pid, None);
        let ended = waitpid(entry.pid, Some(WaitPidFlag::__WALL));
        if !matches!(ended, Ok(WaitStatus::PtraceSyscall(_))) {
            drop(inner);
            return ended.map_or((), |status| self.step(status));
        }
        let result = tracee::result(entry.pid).unwrap_or(-1);
        for change in intention.happened(&mut inner, entry, result, failing) {
            inner.note(process, Deed::Disk(change));
        }
        go_on(entry.pid, None);
    }
}

fn go_on(pid: Pid, signal: Option<Signal>) {
    // It may have been killed meanwhile.
    let _ = ptrace::syscall(pid, signal);
}
