//! What becomes of mail when system calls fail: nothing is lost, nothing comes back that could have
//! been delivered later, nobody spins, and no descriptor is forgotten.
#![cfg(target_arch = "x86_64")]

use libc::c_long;
use nix::sys::signal::Signal;
use qmail_conformance::crash::accident::{Accident, Place};
use qmail_conformance::crash::faults::{Fault, kinds};
use qmail_conformance::crash::plan::{Ground, PROMISING, Site};
use qmail_conformance::crash::random::Random;
use qmail_conformance::crash::recorder::{Recorder, Verdict};
use qmail_conformance::crash::report::{Trials, is_every_call, is_wanted};
use qmail_conformance::process::Program;
use qmail_conformance::{Need, Tree, files};

/// Calls that fail, besides those by which many files are synced at once.
const FAULTS: usize = 48;

/// The same of those who do otherwise where nothing is known of the disk, and where files are synced
/// one by one besides.
const FAULTS_ELSEWHERE: usize = 8;

#[test]
fn whatever_fails_is_tried_again() {
    let Some(site) = Site::on(Ground::Ordered) else { return };
    let_fail(&site, FAULTS, |fault| is_wanted(&fault.program));
}

#[test]
fn whatever_fails_where_nothing_is_known_of_the_disk_is_tried_again() {
    let Some(site) = Site::of_ours_on(Ground::Loose) else { return };
    let syncs = |fault: &Fault| fault.call == "fsync" || fault.call.starts_with("io_");
    let is_wanted = |fault: &Fault| PROMISING.contains(&fault.program.as_str()) && syncs(fault);
    let_fail(&site, FAULTS_ELSEWHERE, is_wanted);
}

#[test]
fn whatever_fails_while_files_are_synced_one_by_one_is_tried_again() {
    let Some(site) = Site::of_ours_on(Ground::OneByOne) else { return };
    let is_wanted = |fault: &Fault| fault.program == "qmail-todo" && fault.call != "io_setup";
    let_fail(&site, FAULTS_ELSEWHERE, is_wanted);
}

/// What is noted of a program that crashes.
fn crashing(tree: &Tree, program: Program<'_>, last_call: c_long) -> Accident {
    let recorder = Recorder::deciding(Box::new(|_| Verdict::Go));
    let finished = tree.run_recorded(program, &recorder);
    assert_eq!(finished.code, Some(128 + Signal::SIGSEGV as i32), "{}", finished.said());
    recorder.wait();
    let [accident] = &recorder.accidents()[..] else { panic!("{:?}", recorder.accidents()) };
    assert_eq!((accident.signal, accident.last_call), (Signal::SIGSEGV, Some(last_call)));
    accident.clone()
}

#[test]
fn who_crashes_is_noted_with_the_place() {
    let tree = Tree::under_test();
    let told = crashing(&tree, tree.command("sh").args(["-c", "kill -SEGV $$"]), libc::SYS_kill);
    let place = told.place.as_ref().unwrap();
    assert_eq!((&*told.process.name, place.cause, place.address), ("sh", libc::SI_USER, None));
    assert!(place.mapping.as_ref().unwrap().contains(" r-xp ") && !place.code.is_empty(), "{told}");
    if tree.lacks(Need::Tool("perl")) {
        return;
    }
    // It says something before, and then looks where nothing is.
    let script = "syswrite STDOUT, 1; unpack 'p', pack 'Q', 0x123";
    let told = crashing(&tree, tree.command("perl").args(["-e", script]), libc::SYS_write);
    let place = told.place.as_ref().unwrap();
    // SEGV_MAPERR
    assert_eq!((&*told.process.name, place.cause, place.address), ("perl", 1, Some(0x123)));
    assert!(told.to_string().contains("SIGSEGV after call 1, at 0x"), "{told}");
}

#[test]
fn a_program_that_is_ended_half_way_into_its_start_is_noted() {
    let tree = Tree::under_test();
    let path = tree.scratch().join("too-large");
    files::write(&path, too_large());
    files::set_mode(&path, 0o755);
    let told = crashing(&tree, tree.command(path), libc::SYS_execve);
    // It was nowhere. Some kernels do not even stop it.
    let is_nowhere = |place: &Place| place.mapping.is_none() && place.code.is_empty();
    assert!(told.place.as_ref().is_none_or(is_nowhere), "{told}");
}

/// A program for x86-64 that would be larger than its memory can be: see elf(5). The kernel knows only
/// when there is no way back.
fn too_large() -> Vec<u8> {
    let (word, half) = (u64::to_le_bytes, u16::to_le_bytes);
    let mut program = b"\x7fELF\x02\x01\x01".to_vec();
    program.resize(16, 0);
    // An executable, its machine, and the version of both.
    program.extend([half(2), half(62), half(1), half(0)].concat());
    // It begins at 0x400000; its one segment is described behind this header.
    program.extend([word(0x40_0000), word(64), word(0)].concat());
    program.extend(
        [half(0), half(0), half(64), half(56), half(1), half(0), half(0), half(0)].concat(),
    );
    // To be loaded, readable and executable: all of this file, and far more.
    program.extend([half(1), half(0), half(5), half(0)].concat());
    program.extend([word(0), word(0x40_0000), word(0x40_0000)].concat());
    program.extend([word(120), word(0x7fff_ffff_0000), word(0x1000)].concat());
    program
}

fn let_fail(site: &Site, most: usize, is_wanted: impl Fn(&Fault) -> bool) {
    let trials = Trials::begin(format!("faults, {}", site.ground));
    let calls = site.calls();
    let mut all = calls.faults.clone();
    all.retain(is_wanted);
    let sample = if is_every_call() { all } else { one_of_each_kind(all, most) };
    trials.each(calls.faults.len(), &sample, |fault| site.fail_at(fault, &calls));
}

fn one_of_each_kind(all: Vec<Fault>, most: usize) -> Vec<Fault> {
    let is_of_group = |fault: &Fault| {
        fault.program == "qmail-todo" && (fault.call.starts_with("io_") || fault.call == "fsync")
    };
    let (groups, others) = all.into_iter().partition(is_of_group);
    let mut random = Random::of_this_run();
    let mut sample = kinds(groups, usize::MAX, &mut random);
    sample.extend(kinds(others, most, &mut random));
    sample
}
