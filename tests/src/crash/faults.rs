//! Letting one call of one process fail.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::call::{FAULTS_OF_SYNC, fault_name, faults};
use super::kills::may_be_repeated;
use super::law::{Claims, Fate, Residue, holds};
use super::plan::{Settled, Site};
use super::random::Random;
use super::recorder::{Moment, Policy, Recorder, Verdict};

/// A call that fails.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// What the program is called.
    pub program: String,
    /// The call.
    pub call: &'static str,
    /// How many such calls, of all processes of that name, come before it.
    pub after: usize,
    /// The error.
    pub errno: i32,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { program, call, after, errno } = self;
        write!(formatter, "{program}: {} at {call} number {after}", fault_name(*errno))
    }
}

/// Daemons that outlive a delivery.
const DAEMONS: [&str; 5] =
    ["qmail-send", "qmail-todo", "qmail-clean", "qmail-lspawn", "qmail-rspawn"];

/// What a shell ends with whose program had a SIGSEGV.
const CRASHED: i32 = 128 + libc::SIGSEGV;

/// A life has some ten thousand calls: who makes so many is spinning.
const TOO_MANY_CALLS: usize = 1_000_000;

/// What a life without faults is like.
pub struct Calls {
    /// All faults that there are.
    pub faults: Vec<Fault>,
    /// How many descriptors each daemon has when there is nothing to do.
    descriptors: BTreeMap<&'static str, Vec<usize>>,
}

type Counts = BTreeMap<(String, &'static str), (usize, &'static [i32])>;

impl Site {
    /// Which calls can fail.
    ///
    /// # Panics
    /// If a life does not come to its end.
    #[must_use]
    pub fn calls(&self) -> Calls {
        let counts = Arc::new(Mutex::new(Counts::new()));
        let shared = Arc::clone(&counts);
        let recorder = Recorder::deciding(self.policy(Box::new(move |moment| {
            for (call, errors, count) in eligible(moment) {
                let mut counts = shared.lock().unwrap_or_else(PoisonError::into_inner);
                let name = moment.process.name.to_string();
                counts.entry((name, call)).or_insert((0, errors)).0 += count;
            }
            Verdict::Go
        })));
        self.wipe();
        let _ = self.queue_all(&recorder);
        let mut running = self.tree.start_recorded(&recorder);
        let settled = self.settle(&mut running, crate::wait::LIMIT, &BTreeSet::new());
        assert_eq!(settled, Settled::Clean);
        let descriptors = self.descriptors();
        running.wait_for("status: ");
        running.stop();
        let _ = self.read_and_delete(&recorder);
        recorder.wait();
        let counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
        Calls { faults: every_fault(&counts), descriptors }
    }

    /// Lets a call fail in a life of all messages, starts again, and judges; whether the call came:
    /// no two lives are quite the same.
    ///
    /// # Panics
    /// If something is wrong.
    pub fn fail_at(&self, fault: &Fault, calls: &Calls) -> bool {
        println!("{fault}");
        self.wipe();
        let (policy, reached, count) = failing(fault);
        let recorder = Recorder::deciding(self.policy(policy));
        let mut claims = Claims::default();
        for mail in &self.mails {
            let code = self.queue(mail, &recorder).code;
            match code {
                Some(0) => drop(claims.acknowledged.insert(mail.tag)),
                Some(51..=99 | 111) => {}
                // Before the program begins, musl wants to know whether a set-id program has its first
                // three descriptors, and crashes if it cannot. Clients try again.
                Some(CRASHED) if fault.call == "poll" => {}
                _ => panic!("{fault}: qmail-queue ended with {code:?}"),
            }
        }
        let mut running = self.tree.start_recorded(&recorder);
        let settled = self.settle_or_rest(&mut running);
        if settled != Settled::Ended {
            if settled == Settled::Clean {
                self.assert_descriptors(fault, calls);
            }
            running.end();
        }
        if fault.program == "qmail-pop3d" {
            self.read_with(fault, &recorder, &mut claims);
        }
        recorder.wait();
        let calls = count.load(Ordering::Relaxed);
        assert!(calls < TOO_MANY_CALLS, "{fault}: somebody spins");
        self.assert_survived(fault, &claims);
        reached.load(Ordering::Relaxed)
    }

    fn read_with(&self, fault: &Fault, recorder: &Recorder, claims: &mut Claims) {
        let before = self.copies();
        let finished = self.read_and_delete(recorder);
        let tags = self.fates().map(|(mail, _)| mail.tag);
        let rows = tags.zip(before.into_iter().zip(self.copies()));
        let gone: Vec<_> = rows.filter(|(_, (before, after))| before != after).collect();
        assert!(gone.len() <= 1, "{fault}: {gone:?}");
        // Who is told that it is deleted need not look again.
        let replies = finished.text();
        let is_told = replies.lines().filter(|line| line.starts_with("+OK")).count() == 4;
        assert!(!is_told || gone.len() == 1, "{fault}: {replies}");
        claims.deleted.extend(gone.into_iter().map(|(tag, _)| tag));
    }

    fn assert_survived(&self, fault: &Fault, claims: &Claims) {
        let found = self.look();
        let verdict = found.world.judge(&found.disk, claims);
        assert_eq!(verdict, Ok(Residue::default()), "{fault}");
        self.age_litter();
        let log = self.run_until_settled(&BTreeSet::new());
        self.assert_delivered(claims);
        for ((mail, fate), copies) in self.fates().zip(self.copies()) {
            let most = if may_be_repeated(&fault.program, fate) { 2 } else { 1 };
            let told = copies.arrived + copies.pending;
            assert!(told <= most, "{fault}: {} has come {told} times: {log:#?}", mail.tag);
        }
        // Nothing comes back that might have been delivered later.
        let found = self.look();
        let notices = found.world.mailboxes[1].texts(&found.disk);
        let is_wrong = |text: &&[u8]| holds(text, b"<joe");
        if let Some(notice) = notices.into_iter().find(is_wrong) {
            panic!("{fault}: {}", String::from_utf8_lossy(notice));
        }
        let waits = self.fates().zip(self.copies()).find(|((_, fate), _)| *fate == Fate::Waits);
        let is_kept = waits.is_none_or(|((mail, _), copies)| {
            // What nobody took may be there all the same, if only its last sync failed.
            let least = usize::from(claims.acknowledged.contains(mail.tag));
            (least..=1).contains(&copies.pending)
        });
        assert!(is_kept, "{fault}: what waits does so no more: {log:#?}");
    }

    /// How many descriptors the daemons have.
    fn descriptors(&self) -> BTreeMap<&'static str, Vec<usize>> {
        let count = |pid| fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count);
        let row = |name| {
            let mut counts: Vec<usize> =
                self.tree.processes_named(name).into_iter().map(count).collect();
            counts.sort_unstable();
            (name, counts)
        };
        DAEMONS.into_iter().map(row).collect()
    }

    /// None more than before: who has been asked for nothing has not started everybody yet.
    fn assert_descriptors(&self, fault: &Fault, calls: &Calls) {
        let start = Instant::now();
        let had = &calls.descriptors;
        loop {
            let has = self.descriptors();
            let is_more = |(name, counts): (&&'static str, &Vec<usize>)| {
                let before = had.get(*name).map_or(&[][..], Vec::as_slice);
                counts.len() > before.len() || counts.iter().zip(before).any(|(now, old)| now > old)
            };
            // A delivery that is just being tried again has some.
            if !has.iter().any(is_more) {
                return;
            }
            assert!(start.elapsed() < crate::wait::LIMIT, "{fault}: {had:?} have become {has:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// At most so many, each of another kind: another program, call or error. In every program each call
/// has its turn, wherever it stands.
#[must_use]
pub fn kinds(all: Vec<Fault>, most: usize, random: &mut Random) -> Vec<Fault> {
    let mut kinds: BTreeMap<(String, &'static str, i32), Vec<Fault>> = BTreeMap::new();
    for fault in all {
        let kind = (fault.program.clone(), fault.call, fault.errno);
        kinds.entry(kind).or_default().push(fault);
    }
    let one_of_each = kinds.into_values().filter_map(|mut faults| {
        // Later ones come more rarely: they may be of deliveries that are tried again.
        faults.truncate(faults.len().div_ceil(2));
        random.sample(faults, 1).pop()
    });
    let one_of_each: Vec<Fault> = one_of_each.collect();
    random.sample(one_of_each, most)
}

/// What of a call can fail, how, and how often: itself, and each sync that it asks for.
fn eligible(moment: &Moment<'_>) -> Vec<(&'static str, &'static [i32], usize)> {
    if !super::PROGRAMS.contains(&&*moment.process.name) || moment.is_of_loader {
        return Vec::new();
    }
    let call = faults(moment.number).map(|(name, errors)| (name, errors, 1));
    let (name, errors) = FAULTS_OF_SYNC;
    let syncs = Some((name, errors, moment.syncs)).filter(|(.., count)| *count > 0);
    call.into_iter().chain(syncs).collect()
}

fn every_fault(counts: &Counts) -> Vec<Fault> {
    let mut all = Vec::new();
    for ((program, call), (count, errors)) in counts {
        for after in 0..*count {
            all.extend(errors.iter().map(|errno| Fault {
                program: program.clone(),
                call,
                after,
                errno: *errno,
            }));
        }
    }
    all
}

/// Fails where it is told to, once; whether it has, and how many calls there were.
pub(crate) fn failing(fault: &Fault) -> (Policy, Arc<AtomicBool>, Arc<AtomicUsize>) {
    let (reached, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let (flag, total) = (Arc::clone(&reached), Arc::clone(&calls));
    let (fault, mut before) = (fault.clone(), 0);
    let decide = move |moment: &Moment<'_>| {
        total.fetch_add(1, Ordering::Relaxed);
        if *moment.process.name != *fault.program {
            return Verdict::Go;
        }
        let all = eligible(moment);
        let Some((.., count)) = all.iter().find(|(call, ..)| *call == fault.call) else {
            return Verdict::Go;
        };
        let which = fault.after.checked_sub(before).filter(|which| which < count);
        before += count;
        let Some(which) = which else { return Verdict::Go };
        flag.store(true, Ordering::Relaxed);
        let is_sync = fault.call == FAULTS_OF_SYNC.0 && moment.syncs > 0;
        if is_sync { Verdict::FailSync(which, fault.errno) } else { Verdict::Fail(fault.errno) }
    };
    (Box::new(decide), reached, calls)
}
