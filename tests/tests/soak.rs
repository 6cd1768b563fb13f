//! Everything at once, for `QMAIL_SOAK` seconds: mail of all kinds, processes that are killed and
//! told things, a full disk, a clock that jumps, a dead name server, and clients that talk rubbish.
//! In the end every message that was taken is delivered, or has come back, or waits: one of these.
//! Where the clock jumps while a notice is put off, it goes to the postmaster; where that happens to
//! him, too, it is discarded, as the log says.
#![cfg(target_arch = "x86_64")]

#[path = "soak/mail.rs"]
mod mail;
#[path = "soak/trouble.rs"]
mod trouble;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use qmail_conformance::crash::plan::{Ground, Site};
use qmail_conformance::crash::random::Random;
use qmail_conformance::crash::recorder::Recorder;
use qmail_conformance::crash::report::say;
use qmail_conformance::wait;

use mail::{Accounts, Fate};
use trouble::Troubles;

/// How long, unless `QMAIL_SOAK` says so.
const USUAL_SECONDS: u64 = 8;

/// How often qmail-send is told to try again, when nothing else happens.
const NUDGES: Duration = Duration::from_millis(500);

#[test]
fn in_the_middle_of_all_troubles_every_message_is_accounted_for() {
    let Some(site) = Site::on(Ground::Ordered) else { return };
    site.tree.control("smtproutes", "dns.example:\n:[127.0.0.1]:1\n");
    let seconds = std::env::var("QMAIL_SOAK").ok().and_then(|text| text.parse().ok());
    let end = Instant::now() + Duration::from_secs(seconds.unwrap_or(USUAL_SECONDS));
    let mut random = Random::of_this_run();
    mail::prepare(&site);
    let mut accounts = Accounts::default();
    let mut troubles = Troubles::new(&site);
    while Instant::now() < end {
        for _ in 0..=random.below(3) {
            accounts.send_one(&site, &troubles.recorder, &mut random);
        }
        troubles.make_one(&mut random);
    }
    troubles.end();
    settle(&site, &troubles.recorder);
    let found = accounts.audit(&site, &troubles.discarded());
    let mut sums: BTreeMap<Fate, usize> = BTreeMap::new();
    for fate in found {
        *sums.entry(fate).or_default() += 1;
    }
    let taken = accounts.taken.len();
    assert_eq!(sums.values().sum::<usize>(), taken, "{sums:?}");
    let count = |fate| sums.get(&fate).copied().unwrap_or(0);
    say(&format!(
        "soak: {taken} messages taken = {} delivered + {} bounced + {} told to the postmaster + \
         {} discarded + {} queued, {} refused; {}",
        count(Fate::Delivered),
        count(Fate::Bounced),
        count(Fate::DoublyBounced),
        count(Fate::Discarded),
        count(Fate::Queued),
        accounts.refused.len(),
        troubles.summary()
    ));
}

#[test]
fn a_notice_that_nobody_gets_is_noted_when_it_is_discarded() {
    let Some(site) = Site::on(Ground::Ordered) else { return };
    site.tree.control("doublebounceto", "nobody\n");
    let mut troubles = Troubles::new(&site);
    let text = "Subject: s0\n\nend of s0\n".to_owned();
    let (sender, recipient) = ("nobody-there@test.example", "nobody-here@test.example");
    assert_eq!(mail::queue(&site, &troubles.recorder, sender, recipient, text), Some(0));
    wait::until("the end of the message", || site.tree.queue_is_empty().then_some(()));
    troubles.end();
    let discarded = troubles.discarded();
    assert_eq!(discarded.len(), 1, "{discarded:#?}");
    for words in ["end of s0\n", "<nobody-here@test.example>:\n", "<nobody@test.example>:\n"] {
        assert!(discarded[0].contains(words), "{discarded:#?}");
    }
}

/// Lets qmail finish what it can, as long as it does something.
fn settle(site: &Site, recorder: &Recorder) {
    let mut running = site.tree.start_recorded(recorder);
    running.wait_for("status: ");
    let count = |part: &str| site.tree.queue_files(part).len();
    let mut last = (usize::MAX, Instant::now());
    loop {
        let left = ["todo", "local", "bounce"].map(count).iter().sum();
        if left == 0 && count("info") == count("remote") {
            break;
        }
        if left != last.0 {
            last = (left, Instant::now());
        }
        assert!(!running.has_ended() && last.1.elapsed() < wait::LIMIT, "{left} files are left");
        std::thread::sleep(NUDGES);
        if last.1.elapsed() >= NUDGES {
            // What was put off.
            running.signal(Signal::SIGALRM);
        }
    }
    let lines = running.lines();
    assert!(!lines.iter().any(|line| line.contains("unable to stat mess")), "{lines:#?}");
    running.stop();
    recorder.wait();
}
