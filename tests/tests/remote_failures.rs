//! Every point at which a server can fail, times every way to fail: what becomes of the mail.
//!
//! In each cell, mail goes to a domain whose first exchanger fails and whose second does not. The
//! table is in docs/remote-failures.md: `QMAIL_WRITE_TABLE=1` writes it, without that the test
//! compares.

#[path = "remote_failures/server.rs"]
mod server;

use std::fmt::Write as _;
use std::fs::{self, File};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use qmail_conformance::dns::Zone;
use qmail_conformance::remote::Report;
use qmail_conformance::{Need, Tree, files};

use server::{Conduct, Fault, Point, Server, certificate};

/// What the sender insists on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Nothing: TLS if it works.
    Plain,
    /// Nothing, but the server does.
    Demanded,
    /// That TLS works where it is offered.
    Careful,
    /// A certificate.
    Verified,
    /// TLS, and that a password is taken.
    Authenticated,
}

const POINTS: &[(Mode, Point, &str)] = &[
    (Mode::Plain, Point::Connect, "connect"),
    (Mode::Plain, Point::Greeting, "greeting"),
    (Mode::Plain, Point::Ehlo, "EHLO"),
    (Mode::Plain, Point::StartTls, "STARTTLS"),
    (Mode::Careful, Point::StartTls, "STARTTLS, `notlshosts_auto` 0"),
    (Mode::Verified, Point::StartTls, "STARTTLS, in `tlshosts`"),
    (Mode::Authenticated, Point::StartTls, "STARTTLS, with a password"),
    (Mode::Plain, Point::Handshake, "handshake"),
    (Mode::Demanded, Point::Handshake, "handshake, the server wants TLS"),
    (Mode::Careful, Point::Handshake, "handshake, `notlshosts_auto` 0"),
    (Mode::Verified, Point::Handshake, "handshake, in `tlshosts`"),
    (Mode::Authenticated, Point::Handshake, "handshake, with a password"),
    (Mode::Authenticated, Point::Auth, "AUTH"),
    (Mode::Plain, Point::Mail, "MAIL"),
    (Mode::Plain, Point::Rcpt, "RCPT"),
    (Mode::Plain, Point::Data, "DATA"),
    (Mode::Plain, Point::Body, "body"),
    (Mode::Plain, Point::Dot, "final dot"),
    (Mode::Plain, Point::Quit, "QUIT"),
];
const FAULTS: &[(Fault, &str)] = &[
    (Fault::Temporary, "4xx"),
    (Fault::Permanent, "5xx"),
    (Fault::Garbage, "garbage"),
    (Fault::Close, "close"),
    (Fault::Silence, "silence"),
    (Fault::Drip, "drip"),
    (Fault::Flood, "flood"),
];
/// `timeoutremote` and `timeoutconnect` here.
const WAIT: Duration = Duration::from_secs(3);
/// Cells at a time: they mostly wait.
const WORKERS: usize = 6;

/// What came of one cell.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Outcome {
    verdict: char,
    next_tried: bool,
    waits: u128,
    taken: usize,
    report: Vec<String>,
}

type Cell = (Mode, Point, Fault);

/// A tree that sends to relay.example, at 127.0.0.11 and then at 127.0.0.12.
fn site(mode: Mode) -> (Tree, qmail_conformance::dns::Server) {
    let tree = Tree::under_test();
    let wait = WAIT.as_secs().to_string();
    tree.control("timeoutremote", &wait);
    tree.control("timeoutconnect", &wait);
    // Both exchangers are the same host, so that one certificate and one file are for both.
    let zone = Zone::new()
        .mx("far.example", 10, "relay.example")
        .a("relay.example", [127, 0, 0, 11])
        .a("relay.example", [127, 0, 0, 12]);
    match mode {
        Mode::Plain | Mode::Demanded => {}
        Mode::Careful => tree.control("notlshosts_auto", "0\n"),
        Mode::Authenticated => tree.control("smtproutes", ":relay.example:25|user|secret\n"),
        Mode::Verified => {
            fs::create_dir(tree.path("control/tlshosts")).unwrap();
            let authority = files::read(&certificate("authority.pem"));
            tree.control("tlshosts/relay.example.pem", authority);
        }
    }
    let server = tree.name_server(zone);
    (tree, server)
}

/// Again, if it took longer than it has reason to: the machine may have been busy with others.
fn run_in_peace((mode, point, fault): Cell) -> Outcome {
    let waits = matches!(fault, Fault::Silence | Fault::Drip) || point == Point::Body;
    let mut outcome = run_cell((mode, point, fault));
    for _ in 0..2 {
        if outcome.waits <= u128::from(waits) {
            break;
        }
        outcome = run_cell((mode, point, fault));
    }
    outcome
}

fn run_cell((mode, point, fault): Cell) -> Outcome {
    let (tree, _name_server) = site(mode);
    let demands_tls = mode == Mode::Demanded;
    let good = Server::start(tree.listen("127.0.0.12:25"), Conduct { fault: None, demands_tls });
    let conduct = Conduct { fault: Some((point, fault)), demands_tls };
    let (bad, _queue) = match (point, fault) {
        // Nobody listens, or nobody accepts.
        (Point::Connect, Fault::Close) => (None, Vec::new()),
        (Point::Connect, _) => (None, full_queue(&tree)),
        _ => (Some(Server::start(tree.listen("127.0.0.11:25"), conduct)), Vec::new()),
    };
    // In the body there must be something left to say, whatever the buffers on the way hold.
    let lines = if point == Point::Body { 1 << 19 } else { 1 };
    let message = tree.scratch().join("message");
    files::write(&message, "a line of a message\n".repeat(lines));
    let program = tree.remote_program("far.example", "joe@here.example", &["jane@far.example"]);
    let started = Instant::now();
    let finished = program.stdin_from(File::open(message).unwrap()).run();
    let waits = started.elapsed().as_millis() / WAIT.as_millis();
    let report = Report::of(&finished).records;
    Outcome {
        verdict: verdict(&report),
        next_tried: good.connections() > 0,
        waits,
        taken: good.taken() + bad.map_or(0, |bad| bad.taken()),
        report,
    }
}

/// A listener whose queue is full, so that further connections stay unanswered.
fn full_queue(tree: &Tree) -> Vec<TcpStream> {
    let listener = tree.listen("127.0.0.11:25");
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) =
        tree.within_network(|| TcpStream::connect_timeout(&address, Duration::from_millis(300)))
    {
        waiting.push(stream);
    }
    // Never closed: an end would be an answer.
    std::mem::forget(listener);
    waiting
}

/// As qmail-rspawn judges a report for one recipient.
fn verdict(records: &[String]) -> char {
    let letters: Vec<char> = records.iter().filter_map(|record| record.chars().next()).collect();
    match letters.first() {
        Some('s') => 'Z',
        Some('h') => 'D',
        _ => letters.into_iter().find(|letter| "KZD".contains(*letter)).unwrap(),
    }
}

fn applies(point: Point, fault: Fault) -> bool {
    point != Point::Connect || matches!(fault, Fault::Close | Fault::Silence)
}

#[test]
fn no_failure_of_a_server_loses_or_wrongly_bounces_mail() {
    let tree = Tree::under_test();
    if tree.lacks(Need::Root) || tree.is_original() {
        return;
    }
    let all = |(mode, point, _): &(Mode, Point, &str)| {
        let (mode, point) = (*mode, *point);
        let faults = FAULTS.iter().map(|(fault, _)| *fault).filter(move |it| applies(point, *it));
        faults.map(move |fault| (mode, point, fault))
    };
    let cells: Vec<Cell> = POINTS.iter().flat_map(all).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut outcomes = Vec::new();
        while let Some(cell) = cells.get(next.fetch_add(1, Ordering::SeqCst)) {
            outcomes.push((*cell, run_in_peace(*cell)));
        }
        outcomes
    };
    let outcomes: Vec<(Cell, Outcome)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    let table = table(&outcomes);
    println!("{table}");
    for (cell, outcome) in &outcomes {
        check(*cell, outcome);
    }
    compare(&table);
}

fn check((mode, point, fault): Cell, outcome: &Outcome) {
    let cell = format!("{mode:?} {point:?} {fault:?}: {outcome:?}");
    // Delivered exactly if somebody took it, and by nobody twice.
    assert_eq!(outcome.taken, usize::from(outcome.verdict == 'K'), "{cell}");
    let judged = [Point::Mail, Point::Rcpt, Point::Data, Point::Body, Point::Dot].contains(&point);
    assert!(outcome.verdict != 'D' || (judged && fault == Fault::Permanent), "{cell}");
    // Whoever may have the message is the last who gets it.
    assert!(!outcome.next_tried || !(judged || point == Point::Quit), "{cell}");
    assert!(outcome.waits <= 1, "{cell}");
}

fn table(outcomes: &[(Cell, Outcome)]) -> String {
    let mut text = String::from("| the server fails at |");
    FAULTS.iter().for_each(|(_, name)| write!(text, " {name} |").unwrap());
    text.push_str("\n|---|");
    FAULTS.iter().for_each(|_| text.push_str("---|"));
    for (mode, point, name) in POINTS {
        write!(text, "\n| {name} |").unwrap();
        for (fault, _) in FAULTS {
            let cell = outcomes.iter().find(|(cell, _)| *cell == (*mode, *point, *fault));
            let shown =
                cell.map_or("–".to_owned(), |(_, Outcome { verdict, next_tried, waits, .. })| {
                    let next = if *next_tried { " next" } else { "" };
                    let wait = if *waits > 0 { format!(" {waits}w") } else { String::new() };
                    format!("{verdict}{next}{wait}")
                });
            write!(text, " {shown} |").unwrap();
        }
    }
    text.push('\n');
    text
}

/// Holds the table against the one in the manual, or writes it there.
fn compare(table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/remote-failures.md");
    let text = fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once("<!-- table -->\n").unwrap();
    let (found, after) = rest.split_once("<!-- end of table -->").unwrap();
    if std::env::var_os("QMAIL_WRITE_TABLE").is_some() {
        files::write(&path, format!("{before}<!-- table -->\n{table}<!-- end of table -->{after}"));
    } else {
        assert_eq!(found, table, "docs/remote-failures.md: see QMAIL_WRITE_TABLE above");
    }
}
