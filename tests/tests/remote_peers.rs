//! qmail-remote sends to Postfix, Exim, OpenSMTPD and aiosmtpd, which want TLS and a password, over
//! IPv4 and IPv6. Whatever they take they send on to a sink, so that it shows what arrived.

#[path = "remote_peers/aiosmtpd.rs"]
mod aiosmtpd;
#[path = "remote_peers/exim.rs"]
mod exim;
#[path = "remote_peers/opensmtpd.rs"]
mod opensmtpd;

use std::fs;

use qmail_conformance::Tree;
use qmail_conformance::dns::{Record, Zone};
use qmail_conformance::peer::{self, Peer, certificate, postfix};
use qmail_conformance::sink::Sink;

/// What is reported of servers that refuse whoever has not said a password.
const REFUSES_RECIPIENT: (&str, &str) = ("h", "does not like recipient.");
const REFUSES_SENDER: (&str, &str) = ("D", "sender was rejected.");

/// A tree, its name server, a mail server and what that sends on.
struct Site {
    tree: Tree,
    _name_server: qmail_conformance::dns::Server,
    _peer: Peer,
    sink: Sink,
}

impl Site {
    /// With `relay.example` at 127.0.0.1 and `six.example` at ::1, both this mail server. Other
    /// names lead there too.
    fn new(start: fn(&Tree) -> Option<Peer>) -> Option<Self> {
        let tree = Tree::under_test();
        if tree.lacks(qmail_conformance::Need::Root) || tree.is_original() {
            return None;
        }
        let zone = Zone::new()
            .a("relay.example", [127, 0, 0, 1])
            .a("other.example", [127, 0, 0, 1])
            .with("six.example", Record::Aaaa(std::net::Ipv6Addr::LOCALHOST));
        let name_server = tree.name_server(zone);
        let sink = Sink::start(tree.listen(peer::SINK)).unwrap();
        let peer = start(&tree)?;
        tree.control("remotelog", "full\n");
        tree.control("ipversion", "prefer6\n");
        // A peer that talks to name servers too may be slow, and should not hang.
        tree.control("timeoutremote", "60\n");
        fs::create_dir(tree.path("control/tlshosts")).unwrap();
        fs::create_dir(tree.path("control/notlshosts")).unwrap();
        Some(Self { tree, _name_server: name_server, _peer: peer, sink })
    }

    /// All records of a message that goes this way.
    fn send(&self, route: &str) -> String {
        self.tree.control("smtproutes", format!(":{route}\n"));
        let message = "Subject: hello\n\n.\n..dots\nHi.\n";
        let program = self.tree.remote_program("far.example", "joe@a.example", &["jane@b.example"]);
        let finished = program.stdin(message).run();
        qmail_conformance::remote::Report::of(&finished).records.join("|")
    }

    /// Sends, and expects that the peer takes it inside TLS and sends it on as it was.
    fn arrives(&self, route: &str) {
        let before = self.sink.messages().len();
        let report = self.send(route);
        let address = if route.starts_with("six") { "::1" } else { "127.0.0.1" };
        assert!(report.starts_with("r<From:joe@a.example To:jane@b.example Host:"), "{report}");
        assert!(report.contains(&format!("IP:{address} TLS:TLSv1.3,TLS_AES")), "{report}");
        assert!(report.contains(&format!("|K{address} accepted message.")), "{report}");
        let messages = self.sink.wait_for(before + 1);
        let message = messages.last().unwrap();
        assert!(message.mail.starts_with("FROM:<joe@a.example>"), "{message:?}");
        let text = String::from_utf8_lossy(&message.data);
        assert!(is_whole(&text), "{text}");
    }

    /// Sends, and expects this report and no message.
    fn fails(&self, route: &str, beginning: &str, words: &str) {
        let before = self.sink.messages().len();
        let report = self.send(route);
        assert!(report.starts_with(beginning) && report.contains(words), "{route}: {report}");
        assert!(!report.contains("|K"), "{report}");
        assert_eq!(self.sink.messages().len(), before, "{report}");
    }

    /// Trusts only these authorities for a host.
    fn trust(&self, host: &str, authority: &str) {
        let text = fs::read(certificate(authority)).unwrap();
        self.tree.control(&format!("tlshosts/{host}.pem"), text);
    }

    fn forget(&self, file: &str) {
        fs::remove_file(self.tree.path("control").join(file)).unwrap();
    }

    /// What every server that wants TLS and a password shows of us. Without a password it refuses
    /// the sender or the recipient.
    fn is_a_careful_relay(&self, (record, words): (&str, &str)) {
        for place in ["relay.example", "six.example", "relay.example:465", "six.example:465"] {
            let place = if place.contains(':') { place.to_owned() } else { format!("{place}:25") };
            self.arrives(&format!("{place}|user|secret"));
        }
        let rejected = "authentication was rejected";
        self.fails("relay.example:25|user|wrong", "Z", rejected);
        self.fails("relay.example:25", record, words);
        // Without TLS nobody says a password, and the server takes nothing.
        self.tree.control("notlshosts/relay.example", "");
        self.fails("relay.example:25|user|secret", "Z", "it has no TLS to authenticate in.");
        self.fails("relay.example:25", "Z", "sender was rejected.");
        self.forget("notlshosts/relay.example");
    }

    /// Certificates decide where `tlshosts` has a file.
    fn is_known_by_its_certificate(&self) {
        self.trust("relay.example", "authority.pem");
        self.arrives("relay.example:25|user|secret");
        self.arrives("relay.example:465|user|secret");
        self.trust("relay.example", "relay.pem");
        self.arrives("relay.example:25|user|secret");
        self.trust("relay.example", "self.pem");
        let unverified = "TLS unable to verify server with control/tlshosts/relay.example.pem: ";
        self.fails("relay.example:25|user|secret", "Z", unverified);
        self.fails("relay.example:465|user|secret", "Z", unverified);
        // The right authority, but for another name.
        self.trust("other.example", "authority.pem");
        let other = "TLS unable to verify server other.example: \
                     certificate contains no matching dNSNnames; connected to 127.0.0.1.";
        self.fails("other.example:25|user|secret", "Z", other);
        self.trust("six.example", "authority.pem");
        let other = other.replace("other.example", "six.example").replace("127.0.0.1", "::1");
        self.fails("six.example:25|user|secret", "Z", &other);
    }

    /// Each mechanism by itself, as the sender's address asks for it.
    fn takes_passwords_by_sender(&self) {
        self.tree.control("authsenders", "@a.example:relay.example:25|user|secret\n");
        self.arrives("other.example:25");
        self.tree.control("authsenders", "joe@a.example:relay.example:25|user|wrong\n");
        self.fails("relay.example:25|user|secret", "Z", "authentication was rejected");
        self.tree.remove_control("authsenders");
    }
}

/// Whether all of the message is there: servers add to its header.
fn is_whole(text: &str) -> bool {
    let is_field = |line: &str| line == "Subject: hello";
    text.split("\r\n").any(is_field) && text.ends_with("\r\n\r\n..\r\n...dots\r\nHi.\r\n")
}

#[test]
fn postfix_takes_mail_with_tls_and_a_password() {
    let Some(site) = Site::new(postfix::start) else { return };
    site.is_a_careful_relay(REFUSES_RECIPIENT);
    site.is_known_by_its_certificate();
}

#[test]
fn exim_takes_mail_with_tls_and_a_password() {
    let Some(site) = Site::new(exim::start) else { return };
    site.is_a_careful_relay(REFUSES_RECIPIENT);
    site.takes_passwords_by_sender();
    site.is_known_by_its_certificate();
}

#[test]
fn every_mechanism_of_the_server_is_taken_in_its_order() {
    for mechanisms in ["PLAIN", "LOGIN", "CRAM-MD5"] {
        let start: fn(&Tree) -> Option<Peer> = match mechanisms {
            "PLAIN" => exim::start_with_plain,
            "LOGIN" => exim::start_with_login,
            _ => exim::start_with_cram,
        };
        let Some(site) = Site::new(start) else { return };
        site.arrives("relay.example:25|user|secret");
        site.fails("relay.example:25|user|wrong", "Z", "authentication was rejected");
    }
}

#[test]
fn opensmtpd_takes_mail_with_tls_and_a_password() {
    let Some(site) = Site::new(opensmtpd::start) else { return };
    for place in ["relay.example:2500", "six.example:2500"] {
        let before = site.sink.messages().len();
        let report = site.send(place);
        assert!(report.contains("TLS:none> |K"), "{report}");
        let messages = site.sink.wait_for(before + 1);
        let text = String::from_utf8_lossy(&messages.last().unwrap().data).into_owned();
        assert!(is_whole(&text), "{text}");
    }
    site.is_a_careful_relay(REFUSES_SENDER);
    site.is_known_by_its_certificate();
}

#[test]
fn aiosmtpd_takes_mail_with_tls_and_a_password() {
    let Some(site) = Site::new(aiosmtpd::start) else { return };
    site.is_a_careful_relay(REFUSES_SENDER);
    site.is_known_by_its_certificate();
}
