//! What a local delivery costs: processes, system calls, and waits for the disk, counted by strace.
//! docs/delivery.md has the figures.

use std::collections::BTreeMap;

use nix::sys::signal::{Signal, kill};
use qmail_conformance::log::Running;
use qmail_conformance::{Need, Tree, files};

/// Messages that wait when qmail starts.
const MESSAGES: usize = 100;

/// What all processes of netqmail take for a message, qmail-local from its first step, with the child
/// that it has for a Maildir.
const CALLS_OF_NETQMAIL: f64 = 270.4;
/// That child, qmail-local itself, and qmail-getpw.
const PROCESSES_OF_NETQMAIL: f64 = 3.0;
/// For the files of info and local, and for that in the Maildir: none for names.
const WAITS_OF_NETQMAIL: f64 = 3.0;

/// What was done by all processes of one program.
#[derive(Debug, Default)]
struct Cost {
    calls: usize,
    processes: usize,
    /// For the disk.
    waits: usize,
    /// Files and directories that were brought there.
    synced: usize,
}

/// By program. Of qmail-local only what comes after its loader: from its first step, umask, on.
fn costs(trace: &str) -> BTreeMap<String, Cost> {
    let mut costs: BTreeMap<String, Cost> = BTreeMap::new();
    let mut programs: BTreeMap<&str, String> = BTreeMap::new();
    let mut begun: BTreeMap<String, bool> = BTreeMap::new();
    for line in trace.lines() {
        let Some((process, call)) = line.split_once(' ') else { continue };
        let call = call.trim_start();
        let resumed = call.strip_prefix("<... ");
        let name = resumed.unwrap_or(call).split(['(', ' ']).next().unwrap();
        if name == "execve" && resumed.is_none() {
            let path = call.split('"').nth(1).unwrap_or_default();
            programs.insert(process, path.rsplit('/').next().unwrap().to_owned());
            begun.insert(process.to_owned(), false);
        }
        let program = programs.get(process).cloned().unwrap_or_default();
        if matches!(name, "clone" | "clone3" | "fork" | "vfork")
            && let Some(child) = call.rsplit_once("= ").map(|(_, child)| child)
            && child.parse::<u32>().is_ok()
        {
            costs.entry(program.clone()).or_default().processes += 1;
            // It may be something else by now.
            programs.entry(child).or_insert_with(|| program.clone());
            begun.entry(child.to_owned()).or_insert(true);
        }
        if resumed.is_some() || call.starts_with("+++") || call.starts_with("---") {
            continue;
        }
        if name == "umask" {
            begun.insert(process.to_owned(), true);
        }
        if program == "qmail-local" && begun.get(process) != Some(&true) {
            continue;
        }
        let cost = costs.entry(program).or_default();
        cost.calls += 1;
        cost.synced += match name {
            "fsync" | "fdatasync" | "sync" | "syncfs" => 1,
            // Many at once, and the wait is for all of them.
            "io_submit" => call.split(", ").nth(1).unwrap().parse().unwrap(),
            _ => continue,
        };
        cost.waits += 1;
    }
    costs
}

#[test]
fn a_local_delivery_takes_fewer_calls_and_processes_than_netqmails() {
    let tree = Tree::under_test();
    if tree.lacks(Need::Root) || tree.lacks(Need::Tool("strace")) {
        return;
    }
    let joe = tree.user("joe");
    joe.instruct("", "./Maildir/\n");
    let maildir = joe.make_maildir("Maildir");
    for number in 0..MESSAGES {
        let text = format!("Subject: {number}\n\n{}", "x".repeat(4000));
        tree.queue("s@far.example", &["joe@test.example"], &text);
    }
    let trace = tree.scratch().join("trace");
    let start = tree.home().join("bin/qmail-start");
    let program = tree.command("strace").args(["-f", "-s", "99", "-o"]).arg(&trace);
    let running = Running::of(program.arg(start).arg("./Maildir/"));
    let _ = running.wait_for_several("end msg", MESSAGES);
    // strace would only let go of it.
    for process in tree.processes_named("qmail-send") {
        kill(process, Signal::SIGTERM).unwrap();
    }
    let _ = running.whole_log();
    assert_eq!(maildir.messages().len(), MESSAGES);
    let costs = costs(&String::from_utf8_lossy(&files::read(&trace)));
    let each = |count: usize| count as f64 / MESSAGES as f64;
    let sum = |part: fn(&Cost) -> usize| each(costs.values().map(part).sum());
    for (program, cost) in &costs {
        let Cost { calls, processes, waits, synced } = cost;
        println!(
            "{program:14} {:6.1} calls {:4.1} forks {:5.2} waits {:4.1} synced",
            each(*calls),
            each(*processes),
            each(*waits),
            each(*synced)
        );
    }
    let calls = sum(|cost| cost.calls);
    let processes = sum(|cost| cost.processes);
    let waits = sum(|cost| cost.waits);
    println!(
        "in all         {calls:6.1} calls {processes:4.1} forks {waits:5.2} waits {:4.1} synced",
        sum(|cost| cost.synced)
    );
    if !tree.is_original() {
        assert!(calls < CALLS_OF_NETQMAIL, "{calls} calls");
        assert!(processes < PROCESSES_OF_NETQMAIL, "{processes} processes");
        assert!(waits < WAITS_OF_NETQMAIL, "{waits} waits for the disk");
    }
}
