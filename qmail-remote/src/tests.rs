//! The whole program in a world made of tables, against a server on this host.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Seek, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener};

use qmail_dns::{Exchanger, Failure as NoAnswer, Name};

use super::*;

pub(crate) const NOW: u64 = 1_700_000_000;

/// A world made of tables. Names that are not in them do not exist.
#[derive(Default)]
pub(crate) struct World {
    exchangers: HashMap<Vec<u8>, Result<Vec<Exchanger>, NoAnswer>>,
    addresses: HashMap<Vec<u8>, Result<Vec<Ipv4Addr>, NoAnswer>>,
    addresses6: HashMap<Vec<u8>, Result<Vec<Ipv6Addr>, NoAnswer>>,
    own: Vec<IpAddr>,
}

impl World {
    pub(crate) fn exchangers(
        mut self,
        domain: &str,
        answer: Result<&[(u16, &str)], NoAnswer>,
    ) -> Self {
        let exchanger = |(preference, name): &(u16, &str)| Exchanger {
            preference: *preference,
            name: match *name {
                "" => Name::root(),
                name => Name::parse(name.as_bytes()).unwrap(),
            },
        };
        let answer = answer.map(|list| list.iter().map(exchanger).collect());
        self.exchangers.insert(domain.into(), answer);
        self
    }

    /// Addresses 192.0.2.x.
    pub(crate) fn addresses(mut self, host: &str, answer: Result<&[u8], NoAnswer>) -> Self {
        let address = |octet: &u8| Ipv4Addr::new(192, 0, 2, *octet);
        let answer = answer.map(|octets| octets.iter().map(address).collect());
        self.addresses.insert(host.into(), answer);
        self
    }

    /// Addresses 2001:db8::x.
    pub(crate) fn addresses6(mut self, host: &str, answer: Result<&[u16], NoAnswer>) -> Self {
        let address = |last: &u16| Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, *last);
        let answer = answer.map(|numbers| numbers.iter().map(address).collect());
        self.addresses6.insert(host.into(), answer);
        self
    }
}

impl Surroundings for World {
    fn exchangers(&self, name: &Name) -> Result<Vec<Exchanger>, NoAnswer> {
        self.exchangers.get(&name.to_bytes()).cloned().unwrap_or(Err(NoAnswer::NoSuchName))
    }

    fn ipv4(&self, name: &Name) -> Result<Vec<Ipv4Addr>, NoAnswer> {
        // A name in either table exists.
        let name = name.to_bytes();
        let exists = self.addresses6.contains_key(&name);
        let none = if exists { NoAnswer::NoSuchRecord } else { NoAnswer::NoSuchName };
        self.addresses.get(&name).cloned().unwrap_or(Err(none))
    }

    fn ipv6(&self, name: &Name) -> Result<Vec<Ipv6Addr>, NoAnswer> {
        self.addresses6.get(&name.to_bytes()).cloned().unwrap_or(Err(NoAnswer::NoSuchRecord))
    }

    fn own_addresses(&self) -> io::Result<Vec<IpAddr>> {
        Ok(self.own.clone())
    }

    fn random_below(&self, limit: usize) -> usize {
        qmail_dns::random_below(limit)
    }

    fn now(&self) -> u64 {
        NOW
    }

    fn process(&self) -> u32 {
        1
    }
}

pub(crate) fn tree(controls: &[(&str, &str)]) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join("control")).unwrap();
    for (name, text) in controls {
        let mut file = File::create(home.path().join("control").join(name)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }
    home
}

pub(crate) fn remote(home: &Path, system: &World, arguments: &[&str], message: &[u8]) -> String {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(message).unwrap();
    file.rewind().unwrap();
    let arguments = arguments.iter().map(|argument| argument.as_bytes().to_vec()).collect();
    let report = run(Input { arguments, message: Ok(file), home, system });
    String::from_utf8(report.as_bytes().to_vec()).unwrap().replace('\0', "|")
}

pub(crate) const ME: (&str, &str) = ("me", "here.example\n");
const ARGUMENTS: &[&str] = &["d.example", "s@here.example", "a b@d.example"];

/// Takes one message, and returns all that was said.
fn sink(listener: &TcpListener) -> String {
    let (mut stream, _) = listener.accept().unwrap();
    let mut lines = BufReader::new(stream.try_clone().unwrap());
    let mut heard = String::new();
    stream.write_all(b"220 sink\r\n").unwrap();
    let mut in_message = false;
    loop {
        let start = heard.len();
        assert_ne!(lines.read_line(&mut heard).unwrap(), 0, "the client left without QUIT");
        let reply: &[u8] = match &heard[start..] {
            ".\r\n" if in_message => {
                in_message = false;
                b"250 queued\r\n"
            }
            _ if in_message => b"",
            "DATA\r\n" => {
                in_message = true;
                b"354 go\r\n"
            }
            "QUIT\r\n" => return heard,
            _ => b"250 ok\r\n",
        };
        stream.write_all(reply).unwrap();
    }
}

#[test]
fn a_message_goes_to_the_relay() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let routes = format!(":[127.0.0.1]:{}\n", listener.local_addr().unwrap().port());
    let home = tree(&[ME, ("smtproutes", &routes)]);
    std::thread::scope(|scope| {
        let server = scope.spawn(move || sink(&listener));
        let report = remote(home.path(), &World::default(), ARGUMENTS, b"Subject: x\n\n.y\n");
        assert_eq!(report, "r|K127.0.0.1 accepted message.\nRemote host said: 250 queued\n|");
        let expected = "EHLO here.example\r\nMAIL FROM:<s@here.example>\r\n\
                        RCPT TO:<\"a b\"@d.example>\r\nDATA\r\n\
                        Subject: x\r\n\r\n..y\r\n.\r\nQUIT\r\n";
        assert_eq!(server.join().unwrap(), expected);
    });
}

#[test]
fn too_few_arguments_are_a_misuse() {
    let home = tree(&[ME]);
    for count in 0..3 {
        let report = remote(home.path(), &World::default(), &ARGUMENTS[..count], b"");
        assert_eq!(report, "DI (qmail-remote) was invoked improperly. (#5.3.5)\n|");
    }
}

#[test]
fn what_is_wrong_with_the_tree_is_later() {
    let report = |home: &Path| remote(home, &World::default(), ARGUMENTS, b"");
    let missing = Path::new("/nonexistent/qmail");
    assert_eq!(report(missing), "ZUnable to switch to home directory. (#4.3.0)\n|");
    let unreadable = "ZUnable to read control files. (#4.3.0)\n|";
    assert_eq!(report(tree(&[]).path()), unreadable);
    assert_eq!(report(tree(&[ME, ("smtproutes", ":relay:smtp\n")]).path()), unreadable);
    let home = tree(&[ME]);
    std::fs::create_dir(home.path().join("control/timeoutremote")).unwrap();
    assert_eq!(report(home.path()), unreadable);
}

#[test]
fn names_that_lead_nowhere_are_reported() {
    let home = tree(&[ME, ("smtproutes", "routed:relay.example\n")]);
    let report = |world: &World, host: &str| remote(home.path(), world, &[host, "", "a@b"], b"");
    let nothing = World::default();
    let expected = "DSorry, I couldn't find any host named d.example. (#5.1.2)\n|";
    assert_eq!(report(&nothing, "d.example"), expected);
    let expected = "DSorry, I couldn't find any host named relay.example. (#5.1.2)\n|";
    assert_eq!(report(&nothing, "routed"), expected);
    let null = World::default().exchangers("d.example", Ok(&[(0, "")]));
    let expected = "DSorry, I couldn't find a mail exchanger or IP address. (#5.4.4)\n|";
    assert_eq!(report(&null, "d.example"), expected);
    let doubt = NoAnswer::Temporary(qmail_dns::Cause::TimedOut);
    let expected = "ZSorry, I couldn't find any host by that name. (#4.1.2)\n|";
    assert_eq!(
        report(&World::default().exchangers("d.example", Err(doubt)), "d.example"),
        expected
    );
    assert_eq!(
        report(&World::default().addresses("relay.example", Err(doubt)), "routed"),
        expected
    );
}

#[test]
fn mail_for_ourselves_does_not_go_in_circles() {
    let home = tree(&[ME]);
    let mut world =
        World::default().exchangers("d.example", Ok(&[(10, "mx")])).addresses("mx", Ok(&[1]));
    world.own = vec![Ipv4Addr::new(192, 0, 2, 1).into()];
    for host in ["d.example", "192.0.2.1", "0.0.0.0"] {
        let report = remote(home.path(), &world, &[host, "", "a@b"], b"");
        assert!(report.starts_with("DSorry. Although I'm listed"), "{report}");
        assert!(report.ends_with("so I don't treat it as local. (#5.4.6)\n|"), "{report}");
    }
}

#[test]
fn a_better_exchanger_that_may_be_there_is_no_reason_to_bounce() {
    let home = tree(&[ME]);
    let doubt = NoAnswer::Temporary(qmail_dns::Cause::TimedOut);
    let mut world = World::default()
        .exchangers("d.example", Ok(&[(10, "better"), (20, "us")]))
        .addresses("better", Err(doubt))
        .addresses("us", Ok(&[1]));
    world.own = vec![Ipv4Addr::new(192, 0, 2, 1).into()];
    let report = remote(home.path(), &world, &["d.example", "", "a@b"], b"");
    assert_eq!(report, "ZSorry, I couldn't find any host by that name. (#4.1.2)\n|");
}

#[test]
fn a_better_exchanger_may_have_nothing_but_ipv6() {
    let home = tree(&[ME, ("timeoutconnect", "1\n")]);
    let mut world = World::default()
        .exchangers("d.example", Ok(&[(10, "better"), (20, "us")]))
        .addresses6("better", Ok(&[7]))
        .addresses("us", Ok(&[1]));
    world.own = vec![Ipv4Addr::new(192, 0, 2, 1).into()];
    let ours = |world: &World| {
        let report = remote(home.path(), world, &["d.example", "", "a@b"], b"");
        report.starts_with("DSorry. Although I'm listed")
    };
    assert!(ours(&world), "without IPv6 it cannot be reached");
    world.own.push(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into());
    assert!(!ours(&world));
}

#[test]
fn a_relay_is_not_checked_for_loops() {
    let home = tree(&[ME, ("smtproutes", ":127.0.0.1:1\n")]);
    let world = World { own: vec![Ipv4Addr::LOCALHOST.into()], ..World::default() };
    let report = remote(home.path(), &world, ARGUMENTS, b"");
    assert_eq!(report, "ZSorry, I wasn't able to establish an SMTP connection. (#4.4.1)\n|");
}

#[test]
fn addresses_with_line_breaks_are_refused() {
    let home = tree(&[ME]);
    let report = remote(home.path(), &World::default(), &["d", "", "a@b\r\nDATA"], b"");
    assert!(report.starts_with('D') && report.ends_with("(#5.1.3)\n|"), "{report}");
}
