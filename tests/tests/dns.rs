//! qmail-remote: which host mail goes to.

use std::net::TcpStream;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use qmail_conformance::dns::{Record, Zone};
use qmail_conformance::sink::{Answer, Script, Sink};
use qmail_conformance::{Need, Tree, files};

const NO_HOST: &str = "DSorry, I couldn't find any host named far.example. (#5.1.2)\n";
const LATER: &str = "ZSorry, I couldn't find any host by that name. (#4.1.2)\n";
const NO_EXCHANGER: &str = "DSorry, I couldn't find a mail exchanger or IP address. (#5.4.4)\n";
const OWN: &str = "DSorry. Although I'm listed as a best-preference MX or A for that host,\n\
    it isn't in my control/locals file, so I don't treat it as local. (#5.4.6)\n";
const NO_CONNECTION: &str = "ZSorry, I wasn't able to establish an SMTP connection. (#4.4.1)\n";

/// The last record of a message to far.example in this zone.
fn last_record(zone: Zone) -> String {
    let tree = Tree::under_test();
    let _server = tree.name_server(zone);
    last(&tree, "far.example")
}

fn last(tree: &Tree, host: &str) -> String {
    tree.remote(host, "joe@here", &["jane@far.example"]).records.pop().unwrap()
}

/// Servers on port 25 of these addresses.
fn sinks(tree: &Tree, addresses: &[&str]) -> Vec<Sink> {
    addresses
        .iter()
        .map(|address| Sink::start(tree.listen(&format!("{address}:25"))).unwrap())
        .collect()
}

fn accepted_by(address: &str) -> String {
    format!("K{address} accepted message.\nRemote host said: 250 taken\n")
}

/// Skips without root: port 25, port 53 and resolv.conf are wanted.
macro_rules! private_network {
    () => {{
        let tree = Tree::under_test();
        if tree.lacks(Need::Root) {
            return;
        }
        tree
    }};
}

#[test]
fn the_best_exchanger_is_tried_first() {
    let tree = private_network!();
    let zone = Zone::new()
        .mx("far.example", 20, "two.example")
        .mx("far.example", 10, "one.example")
        .mx("far.example", 30, "three.example")
        .a("one.example", [127, 0, 0, 11])
        .a("two.example", [127, 0, 0, 12])
        .a("three.example", [127, 0, 0, 13]);
    let _server = tree.name_server(zone);
    let mut running = sinks(&tree, &["127.0.0.11", "127.0.0.12", "127.0.0.13"]);
    for address in ["127.0.0.11", "127.0.0.12", "127.0.0.13"] {
        assert_eq!(last(&tree, "far.example"), accepted_by(address));
        // The port is closed now: the next one is tried.
        running.remove(0);
    }
    assert_eq!(last(&tree, "far.example"), NO_CONNECTION);
}

#[test]
fn all_addresses_of_an_exchanger_are_tried() {
    let tree = private_network!();
    let zone = Zone::new()
        .mx("far.example", 10, "one.example")
        .a("one.example", [127, 0, 0, 11])
        .a("one.example", [127, 0, 0, 12]);
    let _server = tree.name_server(zone);
    let _sinks = sinks(&tree, &["127.0.0.12"]);
    assert_eq!(last(&tree, "far.example"), accepted_by("127.0.0.12"));
}

#[test]
fn without_exchangers_the_address_of_the_host_is_used() {
    let tree = private_network!();
    let _server = tree.name_server(Zone::new().a("far.example", [127, 0, 0, 11]));
    let _sinks = sinks(&tree, &["127.0.0.11"]);
    assert_eq!(last(&tree, "far.example"), accepted_by("127.0.0.11"));
}

#[test]
fn exchangers_may_be_behind_an_alias() {
    let tree = private_network!();
    let zone = Zone::new()
        .with("far.example", Record::Cname("real.example".to_owned()))
        .mx("real.example", 10, "one.example")
        .with("one.example", Record::Cname("host.example".to_owned()))
        .a("host.example", [127, 0, 0, 11]);
    let _server = tree.name_server(zone);
    let sinks = sinks(&tree, &["127.0.0.11"]);
    assert_eq!(last(&tree, "far.example"), accepted_by("127.0.0.11"));
    // Only what is left behind from 1.08 rewrites the recipient.
    let recipient = &sinks[0].messages()[0].rcpt[0];
    assert!(tree.is_original() || recipient == "TO:<jane@far.example>", "{recipient}");
}

#[test]
fn answers_too_long_for_udp_are_fetched_over_tcp() {
    let tree = private_network!();
    let mut zone = Zone::new();
    for number in 0..60 {
        let name = format!("exchanger-number-{number}.far.example");
        zone = zone.mx("far.example", 10 + number, &name).a(&name, [127, 0, 1, 11]);
    }
    let _server = tree.name_server(zone);
    let _sinks = sinks(&tree, &["127.0.1.11"]);
    let record = last(&tree, "far.example");
    // Netqmail cannot: that is why everybody patches it.
    let defect = tree.is_original() && record == LATER;
    assert!(defect || record == accepted_by("127.0.1.11"), "{record}");
}

#[test]
fn address_literals_and_bare_addresses_need_no_name_server() {
    let tree = private_network!();
    let _sinks = sinks(&tree, &["127.0.0.11"]);
    for host in ["[127.0.0.11]", "127.0.0.11"] {
        assert_eq!(last(&tree, host), accepted_by("127.0.0.11"));
    }
}

#[test]
fn a_name_that_does_not_exist_is_permanent() {
    private_network!();
    assert_eq!(last_record(Zone::new()), NO_HOST);
    assert_eq!(last_record(Zone::new().empty("far.example")), NO_HOST);
}

#[test]
fn a_name_server_in_trouble_is_temporary() {
    let tree = private_network!();
    assert_eq!(last_record(Zone::new().fails("far.example", 2)), LATER);
    assert_eq!(last_record(Zone::new().silent("far.example")), LATER);
    // No name server at all.
    assert_eq!(last(&tree, "far.example"), LATER);
}

#[test]
fn a_name_server_that_refuses_is_no_reason_to_bounce() {
    let tree = private_network!();
    let record = last_record(Zone::new().fails("far.example", 5));
    if !tree.is_original() {
        // The C resolver calls that an error for ever.
        assert_eq!(record, LATER);
    }
}

#[test]
fn rubbish_from_a_name_server_is_no_reason_to_bounce() {
    private_network!();
    assert!(last_record(Zone::new().rubbish("far.example")).starts_with('Z'));
}

#[test]
fn exchangers_without_an_address_are_permanent_unless_one_may_have_one() {
    private_network!();
    let zone = Zone::new().mx("far.example", 10, "nowhere.example");
    assert_eq!(last_record(zone), NO_EXCHANGER);
    let null = Zone::new().mx("far.example", 0, ".");
    assert_eq!(last_record(null), NO_EXCHANGER);
    let zone = Zone::new().mx("far.example", 10, "x.example").mx("far.example", 20, "y.example");
    assert_eq!(last_record(zone.fails("y.example", 2)), LATER);
}

#[test]
fn an_exchanger_in_trouble_is_passed_over() {
    let tree = private_network!();
    let zone = Zone::new()
        .mx("far.example", 10, "trouble.example")
        .mx("far.example", 20, "two.example")
        .fails("trouble.example", 2)
        .a("two.example", [127, 0, 0, 12]);
    let _server = tree.name_server(zone);
    let _sinks = sinks(&tree, &["127.0.0.12"]);
    assert_eq!(last(&tree, "far.example"), accepted_by("127.0.0.12"));
}

#[test]
fn we_do_not_send_to_ourselves() {
    let tree = private_network!();
    let _sinks = sinks(&tree, &["127.0.0.1", "127.0.0.11", "127.0.0.12"]);
    let ours = [127, 0, 0, 1];
    assert_eq!(last_record(Zone::new().a("far.example", ours)), OWN);
    let zone = Zone::new().mx("far.example", 10, "me.example").a("me.example", ours);
    let zone = zone.mx("far.example", 20, "two.example").a("two.example", [127, 0, 0, 12]);
    assert_eq!(last_record(zone), OWN);
    assert_eq!(last_record(Zone::new().a("far.example", [0, 0, 0, 0])), OWN);
    assert_eq!(last(&tree, "[127.0.0.1]"), OWN);
}

#[test]
fn only_exchangers_better_than_ourselves_are_used() {
    let tree = private_network!();
    let zone = Zone::new()
        .mx("far.example", 10, "one.example")
        .mx("far.example", 20, "me.example")
        .mx("far.example", 20, "equal.example")
        .mx("far.example", 30, "worse.example")
        .a("one.example", [127, 0, 0, 11])
        .a("me.example", [127, 0, 0, 1])
        .a("equal.example", [127, 0, 0, 12])
        .a("worse.example", [127, 0, 0, 13]);
    let _server = tree.name_server(zone);
    let mut running = sinks(&tree, &["127.0.0.11", "127.0.0.12", "127.0.0.13", "127.0.0.1"]);
    assert_eq!(last(&tree, "far.example"), accepted_by("127.0.0.11"));
    running.remove(0);
    assert_eq!(last(&tree, "far.example"), NO_CONNECTION);
}

#[test]
fn a_relay_is_looked_up_by_its_address_only_and_may_be_ourselves() {
    let tree = private_network!();
    let zone = Zone::new()
        .a("relay.example", [127, 0, 0, 1])
        .mx("relay.example", 10, "wrong.example")
        .a("wrong.example", [127, 0, 0, 12]);
    let _server = tree.name_server(zone);
    let sink = Sink::start(tree.listen("127.0.0.1:2525")).unwrap();
    tree.control("smtproutes", ":relay.example:2525\n");
    assert_eq!(last(&tree, "far.example"), accepted_by("127.0.0.1"));
    assert_eq!(sink.messages().len(), 1);
    tree.control("smtproutes", ":nowhere.example\n");
    let named = NO_HOST.replace("far.example", "nowhere.example");
    assert_eq!(last(&tree, "far.example"), named);
}

#[test]
fn an_empty_route_means_exchangers_after_all() {
    let tree = private_network!();
    let zone = Zone::new().mx("far.example", 10, "one.example").a("one.example", [127, 0, 0, 11]);
    let _server = tree.name_server(zone);
    let _sinks = sinks(&tree, &["127.0.0.11"]);
    tree.control("smtproutes", ":127.0.0.99\nfar.example:\n");
    assert_eq!(last(&tree, "far.example"), accepted_by("127.0.0.11"));
}

#[test]
fn a_host_name_is_safe_in_the_report() {
    let tree = private_network!();
    let _server = tree.name_server(Zone::new());
    let record = last(&tree, "a b\n\u{e9}");
    let expected = "Sorry, I couldn't find any host named a?b???. (#5.1.2)\n";
    assert_eq!(record.get(1..), Some(expected));
}

#[test]
fn a_connected_host_decides_and_the_next_is_not_tried() {
    let tree = private_network!();
    let zone = Zone::new()
        .mx("far.example", 10, "one.example")
        .mx("far.example", 20, "two.example")
        .a("one.example", [127, 0, 0, 11])
        .a("two.example", [127, 0, 0, 12]);
    let _server = tree.name_server(zone);
    let refusing = Script { mail: Answer::line("451 later"), ..Script::default() };
    let _one = Sink::scripted(tree.listen("127.0.0.11:25"), refusing).unwrap();
    let two = Sink::start(tree.listen("127.0.0.12:25")).unwrap();
    let record = last(&tree, "far.example");
    assert!(record.starts_with("ZConnected to 127.0.0.11 but sender was rejected."), "{record}");
    assert_eq!(two.connections(), 0);
}

#[test]
fn equal_exchangers_share_the_mail() {
    let tree = private_network!();
    if tree.is_original() {
        // On machines of 64 bits the first one has it all.
        return;
    }
    let zone = Zone::new()
        .mx("far.example", 10, "one.example")
        .mx("far.example", 10, "two.example")
        .a("one.example", [127, 0, 0, 11])
        .a("two.example", [127, 0, 0, 12]);
    let _server = tree.name_server(zone);
    let sinks = sinks(&tree, &["127.0.0.11", "127.0.0.12"]);
    for _ in 0..40 {
        assert!(last(&tree, "far.example").starts_with('K'));
    }
    assert!(sinks.iter().all(|sink| !sink.messages().is_empty()));
}

/// A record of the table of hosts that timed out: address, count, time.
fn tcpto(tree: &Tree, index: usize) -> ([u8; 4], u8, u64) {
    let table = files::read(&tree.path("queue/lock/tcpto"));
    let record = &table[index * 16..index * 16 + 16];
    let time = u32::from_le_bytes(record[8..12].try_into().unwrap());
    (record[..4].try_into().unwrap(), record[4], time.into())
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// Writes one record of that table.
fn set_tcpto(tree: &Tree, index: usize, address: [u8; 4], count: u8, time: u64) {
    let path = tree.path("queue/lock/tcpto");
    let mut table = files::read(&path);
    let record = &mut table[index * 16..index * 16 + 16];
    record[..4].copy_from_slice(&address);
    record[4] = count;
    record[8..12].copy_from_slice(&u32::try_from(time).unwrap().to_le_bytes());
    files::write(&path, table);
}

#[test]
fn time_outs_are_counted() {
    let tree = private_network!();
    tree.control("timeoutconnect", "1\n");
    // A server that accepts nothing, with its queue full.
    let listener = tree.listen("127.0.0.11:25");
    let mut waiting: Vec<TcpStream> = Vec::new();
    let address = listener.local_addr().unwrap();
    while let Ok(stream) =
        tree.within_network(|| TcpStream::connect_timeout(&address, Duration::from_millis(300)))
    {
        waiting.push(stream);
    }
    assert_eq!(last(&tree, "[127.0.0.11]"), NO_CONNECTION);
    let (address, count, time) = tcpto(&tree, 0);
    assert_eq!((address, count), ([127, 0, 0, 11], 1));
    assert!(now() - time < 100);
    // Within two minutes it does not count again.
    assert_eq!(last(&tree, "[127.0.0.11]"), NO_CONNECTION);
    assert_eq!(tcpto(&tree, 0).1, 1);
    set_tcpto(&tree, 0, [127, 0, 0, 11], 1, now() - 200);
    assert_eq!(last(&tree, "[127.0.0.11]"), NO_CONNECTION);
    assert_eq!(tcpto(&tree, 0).1, 2);
    drop(waiting);
}

#[test]
fn a_host_that_timed_out_twice_is_left_alone_for_a_while() {
    let tree = private_network!();
    let sinks = sinks(&tree, &["127.0.0.11"]);
    set_tcpto(&tree, 5, [127, 0, 0, 11], 2, now() - 3000);
    assert_eq!(last(&tree, "[127.0.0.11]"), NO_CONNECTION);
    assert_eq!(sinks[0].connections(), 0);
    set_tcpto(&tree, 5, [127, 0, 0, 11], 2, now() - 6000);
    assert_eq!(last(&tree, "[127.0.0.11]"), accepted_by("127.0.0.11"));
    // Success frees the record.
    assert_eq!(tcpto(&tree, 5).1, 0);
    set_tcpto(&tree, 5, [127, 0, 0, 11], 1, now());
    assert_eq!(last(&tree, "[127.0.0.11]"), accepted_by("127.0.0.11"));
}

#[test]
fn a_damaged_table_of_time_outs_does_no_harm() {
    let tree = private_network!();
    let _sinks = sinks(&tree, &["127.0.0.11"]);
    files::write(&tree.path("queue/lock/tcpto"), "");
    assert_eq!(last(&tree, "[127.0.0.11]"), accepted_by("127.0.0.11"));
    std::fs::remove_file(tree.path("queue/lock/tcpto")).unwrap();
    assert_eq!(last(&tree, "[127.0.0.11]"), accepted_by("127.0.0.11"));
}

#[test]
fn the_tools_show_and_clear_the_table() {
    let tree = private_network!();
    set_tcpto(&tree, 1, [192, 0, 2, 1], 3, now() - 50);
    set_tcpto(&tree, 2, [192, 0, 2, 2], 0, now() - 50);
    let shown = tree.program("qmail-tcpto").run();
    let text = shown.text();
    let start = "192.0.2.1 timed out 5";
    assert!(text.starts_with(start), "{text}");
    assert!(text.ends_with(" seconds ago; # recent timeouts: 3\n"), "{text}");
    assert_eq!((shown.code, text.lines().count()), (Some(0), 1));
    let cleared = tree.program("qmail-tcpok").run();
    assert_eq!((cleared.code, cleared.said()), (Some(0), String::new()));
    assert_eq!(files::read(&tree.path("queue/lock/tcpto")), [0; 1024]);
}
