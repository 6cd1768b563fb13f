//! Many messages at once, from a client and to a server that we did not write; and processes that
//! die in the middle of them.

#[path = "load/client.rs"]
mod client;
#[path = "load/site.rs"]
mod site;

use std::thread::sleep;
use std::time::{Duration, Instant};

use qmail_conformance::Need;
use qmail_conformance::log::Running;

use site::{Copies, Nudge, Site, Source};

/// How long processes are looked for that live for a few milliseconds each.
const LONGEST: Duration = Duration::from_secs(120);

#[test]
fn two_thousand_messages_arrive_exactly_once() {
    let Some(site) = Site::new() else { return };
    let running = site.tree.start();
    site.send(2000).finish();
    site.drain();
    for arrived in site.arrived() {
        assert_eq!(arrived.len(), 2000);
        assert!(arrived.values().all(|count| *count == 1));
    }
    let log = running.stop();
    let successes = log.iter().filter(|line| line.contains(": success: ")).count();
    let ended = log.iter().filter(|line| line.starts_with("end msg ")).count();
    assert_eq!((successes, ended), (4000, 2000));
}

#[test]
fn nothing_is_lost_when_qmail_send_is_killed() {
    nothing_is_lost_without("qmail-send");
}

#[test]
fn nothing_is_lost_when_qmail_todo_is_killed() {
    nothing_is_lost_without("qmail-todo");
}

#[test]
fn nothing_is_lost_when_qmail_clean_is_killed() {
    nothing_is_lost_without("qmail-clean");
}

#[test]
fn nothing_is_lost_when_qmail_lspawn_is_killed() {
    nothing_is_lost_without("qmail-lspawn");
}

#[test]
fn nothing_is_lost_when_qmail_rspawn_is_killed() {
    nothing_is_lost_without("qmail-rspawn");
}

#[test]
fn nothing_is_lost_when_qmail_local_is_killed() {
    nothing_is_lost_when_deliveries_die("qmail-local");
}

#[test]
fn nothing_is_lost_when_qmail_remote_is_killed() {
    nothing_is_lost_when_deliveries_die("qmail-remote");
}

#[test]
fn nothing_taken_is_lost_when_qmail_queue_is_killed() {
    nothing_taken_is_lost_when_servers_die("qmail-queue");
}

#[test]
fn nothing_taken_is_lost_when_qmail_smtpd_is_killed() {
    nothing_taken_is_lost_when_servers_die("qmail-smtpd");
}

/// Kills a daemon while mail flows, several times, and starts qmail again at once. Deliveries that
/// had not been recorded may be repeated (queue.md, section 6), and nothing else may happen.
fn nothing_is_lost_without(daemon: &'static str) {
    const MESSAGES: usize = 240;
    const KILLS: usize = 3;
    let Some(site) = Site::new() else { return };
    if site.tree.lacks(Need::Program(daemon)) {
        return;
    }
    let source = site.send(MESSAGES);
    let mut died = Vec::new();
    for _ in 0..KILLS {
        let mut running = site.tree.start();
        let _ = running.wait_for_several(": success: ", MESSAGES / (2 * KILLS));
        assert!(site.kill(daemon) > 0, "no {daemon} is running");
        // Whichever daemon dies, qmail-send ends too, so that a supervisor starts all of them anew.
        let _ = running.wait();
        died.push(running);
    }
    let running = site.tree.start();
    source.finish();
    site.settle(&running);
    let logs: Vec<_> = died.iter().map(Running::whole_log).collect();
    for (arrived, channel) in site.arrived().iter().zip(["local", "remote"]) {
        assert_eq!(arrived.len(), MESSAGES, "{daemon}, {channel}");
        // One more may have been logged, and not yet recorded.
        let repeated: usize = logs.iter().map(|log| unfinished(log, channel) + 1).sum();
        let copies = copies(arrived);
        assert!(
            copies <= MESSAGES + repeated,
            "{daemon}, {channel}: {copies} copies, {repeated} unfinished"
        );
    }
    drop(running);
}

/// Kills deliveries while mail flows. Each may have been done already, and is then repeated.
fn nothing_is_lost_when_deliveries_die(program: &'static str) {
    const MESSAGES: usize = 240;
    const KILLS: usize = 20;
    let Some(site) = Site::new() else { return };
    let running = site.tree.start();
    let mut sources = vec![site.send(MESSAGES)];
    let mut nudge = Nudge::of(&running);
    let killed = kill_several(&site, program, KILLS, |killed| {
        nudge.now_and_then();
        let is_over = running.count("end msg ") == sources.len() * MESSAGES;
        // On a fast machine they may all have been missed.
        if is_over && killed == 0 {
            sources.push(site.send(MESSAGES));
        }
        is_over && killed > 0
    });
    let messages = sources.len() * MESSAGES;
    sources.into_iter().for_each(Source::finish);
    site.settle(&running);
    assert!(killed > 0, "no {program} was seen");
    for arrived in site.arrived() {
        assert_eq!(arrived.len(), messages, "{program}");
        let copies = copies(&arrived);
        assert!(copies <= messages + killed, "{program}: {copies} copies, {killed} killed");
    }
    drop(running);
}

/// Kills what takes mail. What the client was told is in the queue must arrive once; what it was
/// not told may arrive.
fn nothing_taken_is_lost_when_servers_die(program: &'static str) {
    const MESSAGES: usize = 240;
    const KILLS: usize = 20;
    let Some(site) = Site::new() else { return };
    let running = site.tree.start();
    let mut killed = 0;
    let fates = client::send(&site, MESSAGES, |taken| {
        killed = kill_several(&site, program, KILLS, |killed| killed > 0 && taken() >= MESSAGES);
    });
    site.settle(&running);
    let (refused, left) = (fates.refused.len(), site.tree.queued());
    assert!(killed > 0, "no {program} was seen");
    assert!(refused <= killed, "{program}: {refused} refused, {killed} killed");
    for arrived in site.arrived() {
        for id in &fates.taken {
            assert_eq!(arrived.get(id), Some(&1), "{program}: {id}");
        }
        for id in &fates.refused {
            assert!(arrived.get(id).is_none_or(|copies| *copies == 1), "{program}: {id}");
        }
    }
    // Litter, at most one message for each that died (queue.md, section 6).
    assert!(left <= killed, "{program}: {left} left, {killed} killed");
    drop(running);
}

/// Kills processes of this name, one moment after the other, until so many have died or
/// `has_stopped`, which is told how many; how many have died.
fn kill_several(
    site: &Site,
    name: &str,
    count: usize,
    mut has_stopped: impl FnMut(usize) -> bool,
) -> usize {
    let start = Instant::now();
    let mut killed = 0;
    while killed < count && !has_stopped(killed) && start.elapsed() < LONGEST {
        let died = site.kill(name);
        killed += died;
        // Where they are few and short-lived, none shall be missed; where they are many, some live.
        if died > 0 {
            sleep(Duration::from_millis(30));
        }
    }
    killed
}

/// The deliveries to this channel that were started and of which nothing more was heard.
fn unfinished(log: &[String], channel: &str) -> usize {
    let to = format!(" to {channel} ");
    let started = log.iter().filter(|line| line.contains(&to));
    let numbers = started.filter_map(|line| line.strip_prefix("starting ")?.split_once(": "));
    let is_open = |name: &str| {
        let report = format!("{name}: ");
        !log.iter().any(|line| line.starts_with(&report))
    };
    numbers.filter(|(name, _)| is_open(name)).count()
}

fn copies(arrived: &Copies) -> usize {
    arrived.values().sum()
}
