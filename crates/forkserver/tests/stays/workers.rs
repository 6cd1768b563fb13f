//! Copies that do several jobs.

use std::time::Duration;

use qmail_forkserver::{Started, Workers};
use qmail_sys::{Interest, poll};

use super::*;

pub(crate) fn tests() {
    one_process_does_the_jobs_of_one_user();
    jobs_at_once_are_done_by_several();
    every_user_has_processes_of_his_own();
    no_process_does_jobs_for_ever();
    each_job_has_its_own_end_and_lets_go_of_what_it_had();
    a_job_that_crashes_has_not_ended_well();
    who_was_killed_while_he_waited_is_not_missed();
    who_has_nothing_to_do_goes();
    a_program_in_its_place_gets_the_next_job();
}

/// A job that runs, and what it is going to say.
struct Running {
    started: Started,
    output: File,
}

fn begin(workers: &mut Workers, job: Spawn<'_>) -> Running {
    let output = pipe().unwrap();
    let nothing = File::open("/dev/null").unwrap();
    let job = job.connect(0, nothing.as_fd()).connect(1, output.write.as_fd());
    Running { started: workers.start(job).unwrap(), output: File::from(output.read) }
}

fn end(workers: &mut Workers, mut running: Running) -> (Exit, String) {
    let mut said = String::new();
    // This has an end, though the process goes on.
    running.output.read_to_string(&mut said).unwrap();
    let exit = match running.started {
        Started::Worker(worker) => workers.result(worker),
        Started::Process(child) => child.wait().unwrap(),
    };
    (exit, said)
}

fn result_of(workers: &mut Workers, job: Spawn<'_>) -> (Exit, String) {
    let running = begin(workers, job);
    end(workers, running)
}

fn process(workers: &mut Workers) -> String {
    result_of(workers, spawn(&this(), &["process"])).1
}

fn one_process_does_the_jobs_of_one_user() {
    let mut workers = Workers::new();
    let first = process(&mut workers);
    assert_eq!((process(&mut workers), process(&mut workers)), (first.clone(), first));
}

fn jobs_at_once_are_done_by_several() {
    let mut workers = Workers::new();
    let running: Vec<_> =
        (0..5).map(|_| begin(&mut workers, spawn(&this(), &["process"]))).collect();
    let mut said: Vec<_> = running.into_iter().map(|one| end(&mut workers, one).1).collect();
    said.sort();
    said.dedup();
    assert_eq!(said.len(), 5);
    assert!(said.contains(&process(&mut workers)));
}

fn every_user_has_processes_of_his_own() {
    if effective_uid() != 0 {
        return;
    }
    let mut workers = Workers::new();
    let mut of = |uid| {
        let identity = Identity { uid: Uid::new(uid).unwrap(), gid: Gid(65_533) };
        let who = result_of(&mut workers, spawn(&this(), &["who"]).as_user(identity)).1;
        assert_eq!(who.matches(&uid.to_string()).count(), 4, "{who}");
        result_of(&mut workers, spawn(&this(), &["process"]).as_user(identity)).1
    };
    let (joe, jane, again) = (of(65_531), of(65_532), of(65_531));
    assert_ne!(joe, jane);
    assert_eq!(joe, again);
}

fn no_process_does_jobs_for_ever() {
    let mut workers = Workers::new();
    let first = process(&mut workers);
    let others: Vec<_> = (0..250).map(|_| process(&mut workers)).collect();
    assert_ne!(others.last(), Some(&first));
    assert!(others.iter().filter(|other| **other == first).count() >= 50);
}

fn each_job_has_its_own_end_and_lets_go_of_what_it_had() {
    let mut workers = Workers::new();
    for code in [0, 7, 111, 0] {
        let job = spawn(&this(), &[&code.to_string()]).directory(Path::new("/usr"));
        assert_eq!(result_of(&mut workers, job), (Exit::Code(code), String::new()));
    }
    let lost = FailureCodes { directory: 61, ..FailureCodes::all(62) };
    let job = spawn(&this(), &["0"]).directory(Path::new("/nonexistent")).failing_with(lost);
    assert_eq!(result_of(&mut workers, job).0, Exit::Code(61));
    let waits = process(&mut workers);
    let link = |name: &str| fs::read_link(format!("/proc/{waits}/{name}")).unwrap();
    assert_eq!(link("cwd"), Path::new("/"));
    for descriptor in ["fd/0", "fd/1", "fd/2"] {
        assert_eq!(link(descriptor), Path::new("/dev/null"));
    }
    // A change of the environment is for one job, and so is a process with it.
    let with = spawn(&this(), &["what"]).env("A", b"x");
    assert!(result_of(&mut workers, with).1.contains("[Some(\"x\")"));
    assert!(result_of(&mut workers, spawn(&this(), &["what"])).1.contains("[None"));
}

fn a_job_that_crashes_has_not_ended_well() {
    let mut workers = Workers::new();
    let before = result_of(&mut workers, spawn(&this(), &["where"])).1;
    assert!(matches!(result_of(&mut workers, spawn(&this(), &["crash"])).0, Exit::Signal(_)));
    assert_ne!(result_of(&mut workers, spawn(&this(), &["where"])).1, before);
}

fn who_was_killed_while_he_waited_is_not_missed() {
    let mut workers = Workers::new();
    let first = process(&mut workers);
    let child = Child::given(first.parse().unwrap()).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_ne!(process(&mut workers), first);
}

fn who_has_nothing_to_do_goes() {
    let mut workers = Workers::new();
    let first = process(&mut workers);
    let child = Child::given(first.parse().unwrap()).unwrap();
    let ended = child.ended().unwrap();
    let descriptors = || fs::read_dir("/proc/self/fd").unwrap().count();
    let before = descriptors();
    workers.forget_gone();
    assert_eq!(descriptors(), before);
    assert!(poll(&mut [Interest::reading(ended.as_fd())], Some(Duration::from_secs(300))).unwrap());
    workers.forget_gone();
    assert_eq!(descriptors(), before - 1);
    assert_eq!(child.wait().unwrap(), Exit::Code(0));
    assert_ne!(process(&mut workers), first);
}

fn a_program_in_its_place_gets_the_next_job() {
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("program");
    fs::copy(this(), &program).unwrap();
    let mut workers = Workers::new();
    let mut say = || result_of(&mut workers, spawn(&program, &["process"])).1;
    assert_eq!(say(), say());
    fs::copy("/bin/echo", directory.path().join("new")).unwrap();
    fs::rename(directory.path().join("new"), &program).unwrap();
    assert_eq!(say(), "job process\n");
}
