//! Answers of all sizes from name servers that we did not write, and what others make of them on
//! the way: whatever can be known arrives, and what cannot is no reason to bounce.

#[path = "resolver/mangler.rs"]
mod mangler;
#[path = "resolver/servers.rs"]
mod servers;

use std::time::{Duration, Instant};

use qmail_conformance::sink::Sink;
use qmail_conformance::{Need, Tree};

use mangler::{Mangler, Way};
use servers::NameServer;

const NO_HOST: &str = "DSorry, I couldn't find any host named ";
const LATER: &str = "ZSorry, I couldn't find any host by that name. (#4.1.2)\n";
const NO_EXCHANGER: &str = "DSorry, I couldn't find a mail exchanger or IP address. (#5.4.4)\n";
const ACCEPTED: &str = "K127.0.0.11 accepted message.\nRemote host said: 250 taken\n";

/// A tree, and the server that its mail goes to.
fn site() -> Option<(Tree, Sink)> {
    let tree = Tree::under_test();
    // netqmail takes 512 bytes and no more.
    if tree.lacks(Need::Root) || tree.is_original() {
        return None;
    }
    let sink = Sink::start(tree.listen("127.0.0.11:25")).unwrap();
    Some((tree, sink))
}

fn last(tree: &Tree, host: &str) -> String {
    tree.remote(host, "joe@here.example", &["jane@far.example"]).records.pop().unwrap()
}

/// All that a name server should tell us; `largest` has the most that it can say at once.
fn everything_arrives(tree: &Tree, largest: &str) {
    for host in ["small", "over512", "over4096", largest, "alias", "addresses64k", "chain"] {
        assert_eq!(last(tree, &format!("{host}.test")), ACCEPTED, "{host}");
    }
    for host in ["nothing.test", "empty.test", "dangling.test"] {
        assert!(last(tree, host).starts_with(NO_HOST), "{host}");
    }
    assert_eq!(last(tree, "null.test"), NO_EXCHANGER);
    assert_eq!(last(tree, "deaf.test"), NO_EXCHANGER);
}

#[test]
fn an_authoritative_server_is_understood() {
    let Some((tree, _sink)) = site() else { return };
    let Some(_nsd) = NameServer::nsd(&tree, "127.0.0.1") else { return };
    everything_arrives(&tree, "whole64k");
    // It does not know other zones, and says so.
    assert_eq!(last(&tree, "elsewhere.example"), LATER);
}

#[test]
fn a_recursive_server_is_understood() {
    let Some((tree, _sink)) = site() else { return };
    let Some(_nsd) = NameServer::nsd(&tree, "127.0.0.2") else { return };
    let Some(_unbound) = NameServer::unbound(&tree, "127.0.0.1", "127.0.0.2") else { return };
    // It abbreviates no more than 120 names in an answer.
    everything_arrives(&tree, "long64k");
    // Nobody answers for this zone.
    assert_eq!(last(&tree, "host.broken"), LATER);
}

#[test]
fn a_forwarder_is_understood() {
    let Some((tree, _sink)) = site() else { return };
    let Some(_nsd) = NameServer::nsd(&tree, "127.0.0.2") else { return };
    let Some(_dnsmasq) = NameServer::dnsmasq(&tree, "127.0.0.1", "127.0.0.2") else { return };
    everything_arrives(&tree, "whole64k");
    assert_eq!(last(&tree, "elsewhere.example"), LATER);
}

/// Something between us and a name server that works.
fn through(way: Way, test: impl FnOnce(&Tree)) {
    let Some((tree, _sink)) = site() else { return };
    let Some(_nsd) = NameServer::nsd(&tree, "127.0.0.2") else { return };
    Mangler::run(&tree, "127.0.0.1:53", "127.0.0.2:53", way, || test(&tree));
}

#[test]
fn answers_arrive_past_those_who_drop_the_extension() {
    // Truncated at 512 bytes, as without the extension, everything else comes over TCP.
    for way in [Way::DropExtension, Way::RefuseExtension(1), Way::RefuseExtension(4)] {
        through(way, |tree| {
            for host in ["small.test", "over512.test", "whole64k.test"] {
                assert_eq!(last(tree, host), ACCEPTED, "{way:?} {host}");
            }
            assert!(last(tree, "nothing.test").starts_with(NO_HOST), "{way:?}");
        });
    }
}

#[test]
fn forged_answers_are_passed_over() {
    for way in [Way::WrongIdFirst, Way::WrongNameFirst, Way::RubbishFirst, Way::EchoFirst] {
        through(way, |tree| {
            assert_eq!(last(tree, "small.test"), ACCEPTED, "{way:?}");
            assert!(last(tree, "nothing.test").starts_with(NO_HOST), "{way:?}");
        });
    }
}

#[test]
fn late_answers_are_not_taken_for_others_and_do_no_harm() {
    // Longer than the first wait, shorter than the second.
    through(Way::Late(Duration::from_millis(1500)), |tree| {
        assert_eq!(last(tree, "small.test"), ACCEPTED);
    });
    through(Way::Late(Duration::from_secs(20)), |tree| {
        let started = Instant::now();
        assert_eq!(last(tree, "small.test"), LATER);
        assert!(started.elapsed() < Duration::from_secs(15));
    });
}

#[test]
fn an_answer_that_never_comes_whole_is_later() {
    for way in [Way::TruncatedAndNoTcp, Way::TcpSilence, Way::TcpDrip, Way::TcpCut] {
        through(way, |tree| {
            let started = Instant::now();
            assert_eq!(last(tree, "over4096.test"), LATER, "{way:?}");
            assert!(started.elapsed() < Duration::from_secs(15), "{way:?}");
        });
    }
}
