//! The programs of the original, with qmail-dkim-remote under the name of qmail-remote.
//!
//! `QMAIL_ORIGINAL` names a tree with them; the tests are skipped without it.

use qmail_conformance::old_tree::{Layout, original};
use qmail_conformance::{Tree, wait};

use super::site::{ED25519, MESSAGE, RSA, Site};

/// A tree of the original's in which two keys sign; `None` without an original.
fn site() -> Option<Site> {
    if original().is_none() {
        println!("skipped: QMAIL_ORIGINAL names no tree");
        return None;
    }
    let site = Site::of(Tree::old(Layout::NETQMAIL)?, "")?;
    let bin = site.tree.bin();
    std::fs::rename(bin.join("qmail-remote"), bin.join("qmail-remote.orig")).unwrap();
    site.tree.put_ours("qmail-dkim-remote");
    std::fs::rename(bin.join("qmail-dkim-remote"), bin.join("qmail-remote")).unwrap();
    // To verify what has arrived; it hands over to the original's qmail-queue.
    site.tree.put_ours("qmail-dkim");
    site.key("test.example", "r", RSA);
    site.key("test.example", "e", ED25519);
    Some(site)
}

#[test]
fn users_mail_forwards_and_bounces_of_an_original_tree_are_signed() {
    let Some(site) = site() else { return };
    let joe = site.tree.user("joe");
    joe.instruct("-away", "&jane@far.example\n");
    joe.instruct("-gone", "|echo go away; exit 100\n");
    site.tree.queue("joe@test.example", &["jane@far.example"], MESSAGE);
    let foreign = "From: x@elsewhere.example\nSubject: x\n\nbody\n";
    site.tree.queue("x@elsewhere.example", &["joe-away@test.example"], foreign);
    site.tree.queue("x@elsewhere.example", &["joe-gone@test.example"], foreign);
    let running = site.tree.start();
    let arrived = site.sink.wait_for(3);
    wait::until("an empty queue", || site.tree.queue_is_empty().then_some(()));
    running.stop();
    let bounces = arrived.iter().filter(|message| message.mail.contains("<>")).count();
    assert_eq!((arrived.len(), bounces), (3, 1));
    for message in arrived {
        let text = Site::text(message.data);
        let results = site.results(&text);
        assert_eq!(results.matches("dkim=pass header.d=test.example").count(), 2, "{results}");
    }
}

#[test]
fn a_key_that_cannot_be_used_delays_mail_of_an_original_tree() {
    let Some(site) = site() else { return };
    site.key("test.example", "broken", "not a key");
    site.tree.queue("joe@test.example", &["jane@far.example"], MESSAGE);
    let running = site.tree.start();
    running.wait_for("deferral: Unable_to_use_DKIM_key_");
    running.stop();
    assert_eq!(site.sink.messages().len(), 0);
}
