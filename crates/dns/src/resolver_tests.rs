//! The resolver against a server that does as it is told, on this host.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::thread;

use super::*;

/// What the server does with one question.
enum Step {
    /// Nothing.
    Ignore,
    /// Sends each of these: the bytes after the number of the question, or anything at all.
    Send(Vec<Vec<u8>>),
}

const DEADLINE: Duration = Duration::from_secs(20);

/// Runs `ask` with a resolver whose one server goes through `steps` by UDP. Returns the result and
/// the questions that came.
fn with_server<T: Send>(
    timeout: Duration,
    steps: impl Fn(usize, &[u8]) -> Step + Send,
    ask: impl FnOnce(Resolver, UdpSocket) -> T + Send,
) -> (T, Vec<Vec<u8>>) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let server = socket.local_addr().unwrap();
    let done = UdpSocket::bind("127.0.0.1:0").unwrap();
    let config = Config { timeout, ..Config::new(vec![server]) };
    let asked = socket.try_clone().unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    thread::scope(|scope| {
        let server_thread = scope.spawn(move || {
            let mut questions = Vec::new();
            loop {
                let mut buffer = [0; 2048];
                let (length, from) = socket.recv_from(&mut buffer).unwrap();
                if length == 0 {
                    return questions;
                }
                let question = &buffer[..length];
                if let Step::Send(datagrams) = steps(questions.len(), question) {
                    for datagram in datagrams {
                        socket.send_to(&datagram, from).unwrap();
                    }
                }
                questions.push(question.to_vec());
            }
        });
        let result = ask(Resolver::new(config), asked);
        done.send_to(b"", server).unwrap();
        (result, server_thread.join().unwrap())
    })
}

fn has_extension(question: &[u8]) -> bool {
    question[11] == 1
}

/// The question turned into an answer with these flags and this many answer records.
fn answer(question: &[u8], flags: [u8; 2], records: &[&[u8]]) -> Vec<u8> {
    let extension = if has_extension(question) { 11 } else { 0 };
    let count = u8::try_from(records.len()).unwrap();
    let asked = &question[12..question.len() - extension];
    [&question[..2], &flags, &[0, 1, 0, count, 0, 0, 0, 0], asked, &records.concat()].concat()
}

const FINE: [u8; 2] = [0x81, 0x80];
/// An A record whose owner is the question's name.
const RECORD: &[u8] = b"\xc0\x0c\0\x01\0\x01\0\0\0\x01\0\x04\xc0\0\x02\x01";
const LONG: Duration = Duration::from_secs(10);
const SHORT: Duration = Duration::from_millis(100);

fn host() -> Name {
    Name::parse(b"host.example").unwrap()
}

fn address() -> Result<Vec<Ipv4Addr>, Failure> {
    Ok(vec![Ipv4Addr::new(192, 0, 2, 1)])
}

#[test]
fn the_answer_arrives() {
    let (result, questions) = with_server(
        LONG,
        |_, question| Step::Send(vec![answer(question, FINE, &[RECORD])]),
        |resolver, _| resolver.ipv4(&host()),
    );
    assert_eq!(result, address());
    assert_eq!(questions.len(), 1);
    assert!(has_extension(&questions[0]));
}

#[test]
fn forged_and_broken_datagrams_are_waited_out() {
    let (result, questions) = with_server(
        LONG,
        |_, question| {
            let mut wrong_number = answer(question, [0x81, 0x83], &[]);
            wrong_number[0] ^= 1;
            let mut wrong_name = answer(question, [0x81, 0x83], &[]);
            wrong_name[13] ^= 1;
            let real = answer(question, FINE, &[RECORD]);
            Step::Send(vec![wrong_number, wrong_name, b"x".to_vec(), real])
        },
        |resolver, _| resolver.ipv4(&host()),
    );
    assert_eq!(result, address());
    assert_eq!(questions.len(), 1);
}

#[test]
fn a_server_that_does_not_know_the_extension_is_asked_without() {
    let (result, questions) = with_server(
        LONG,
        |_, question| {
            Step::Send(vec![match has_extension(question) {
                true => [&question[..2], &[0x81, 0x81, 0, 0, 0, 0, 0, 0, 0, 0]].concat(),
                false => answer(question, FINE, &[RECORD]),
            }])
        },
        |resolver, _| resolver.ipv4(&host()),
    );
    assert_eq!(result, address());
    assert_eq!(questions.len(), 2);
    assert_ne!(questions[0][..2], questions[1][..2], "each question has its own number");
}

#[test]
fn a_server_that_drops_the_extension_is_asked_without() {
    let (result, questions) = with_server(
        SHORT,
        |_, question| match has_extension(question) {
            true => Step::Ignore,
            false => Step::Send(vec![answer(question, FINE, &[RECORD])]),
        },
        |resolver, _| {
            assert_eq!(resolver.ipv4(&host()), address());
            resolver.ipv4(&host())
        },
    );
    assert_eq!(result, address());
    // The second question is plain from the start.
    assert_eq!(questions.iter().filter(|question| has_extension(question)).count(), 1);
}

#[test]
fn silence_and_refusals_are_temporary_and_missing_names_are_not() {
    let ask = |resolver: Resolver, _| resolver.ipv4(&host());
    let (result, _) = with_server(SHORT, |_, _| Step::Ignore, ask);
    assert_eq!(result, Err(Failure::Temporary(Cause::TimedOut)));
    for code in [2, 5] {
        let refuse =
            move |_, question: &[u8]| Step::Send(vec![answer(question, [0x81, 0x80 | code], &[])]);
        let (result, _) = with_server(LONG, refuse, ask);
        assert_eq!(result, Err(Failure::Temporary(Cause::Refused(code.into()))));
    }
    let missing = |_, question: &[u8]| Step::Send(vec![answer(question, [0x81, 0x83], &[])]);
    let (result, questions) = with_server(LONG, missing, ask);
    assert_eq!(result, Err(Failure::NoSuchName));
    assert_eq!(questions.len(), 1);
    let empty = |_, question: &[u8]| Step::Send(vec![answer(question, FINE, &[])]);
    assert_eq!(with_server(LONG, empty, ask).0, Err(Failure::NoSuchRecord));
}

#[test]
fn what_does_not_fit_into_a_datagram_comes_over_tcp() {
    let records = 4000;
    let (result, _) = with_server(
        LONG,
        |_, question| Step::Send(vec![answer(question, [0x83, 0x80], &[])]),
        |resolver, socket| {
            let listener = TcpListener::bind(socket.local_addr().unwrap()).unwrap();
            thread::scope(|scope| {
                scope.spawn(|| answer_over_tcp(&listener, records));
                resolver.ipv4(&host())
            })
        },
    );
    assert_eq!(result.unwrap().len(), records.into());
}

fn answer_over_tcp(listener: &TcpListener, records: u16) {
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut length = [0; 2];
    stream.read_exact(&mut length).unwrap();
    let mut question = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut question).unwrap();
    let mut reply = answer(&question, FINE, &[]);
    reply[6..8].copy_from_slice(&records.to_be_bytes());
    for _ in 0..records {
        reply.extend_from_slice(RECORD);
    }
    stream.write_all(&u16::try_from(reply.len()).unwrap().to_be_bytes()).unwrap();
    stream.write_all(&reply).unwrap();
}

#[test]
fn a_tcp_server_that_hangs_up_is_temporary() {
    let (result, _) = with_server(
        LONG,
        |_, question| Step::Send(vec![answer(question, [0x83, 0x80], &[])]),
        |resolver, _| resolver.ipv4(&host()),
    );
    assert_eq!(result, Err(Failure::Temporary(Cause::Unreachable)));
}

#[test]
fn the_next_server_is_asked_when_one_is_down() {
    let down = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
    let (result, _) = with_server(
        LONG,
        |_, question| Step::Send(vec![answer(question, FINE, &[RECORD])]),
        |mut resolver, _| {
            resolver.config.servers.insert(0, down);
            resolver.ipv4(&host())
        },
    );
    assert_eq!(result, address());
}

#[test]
fn rotation_begins_with_every_server() {
    let servers: Vec<SocketAddr> =
        (1..=3).map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port))).collect();
    let resolver = Resolver::new(Config { rotate: true, ..Config::new(servers.clone()) });
    for number in 0..servers.len() {
        assert!((0..1000).any(|_| resolver.servers().next() == Some(number)));
    }
    assert_eq!(resolver.servers().count(), 3);
}

#[test]
fn each_type_has_its_own_question_and_value() {
    let contents = |kind: u8| -> &'static [u8] {
        match kind {
            12 => b"\x03ptr\xc0\x0c",
            15 => b"\0\x0a\x02mx\xc0\x0c",
            16 => b"\x01a\x01b",
            _ => b"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01",
        }
    };
    let respond = move |_, question: &[u8]| {
        let kind = question[question.len() - 11 - 3];
        let length = u8::try_from(contents(kind).len()).unwrap();
        let head = [b"\xc0\x0c\0".as_slice(), &[kind], b"\0\x01\0\0\0\x01\0", &[length]].concat();
        let record = [head.as_slice(), contents(kind)].concat();
        Step::Send(vec![answer(question, FINE, &[&record])])
    };
    let (_, questions) = with_server(LONG, respond, |resolver, _| {
        assert_eq!(resolver.ipv6(&host()).unwrap(), ["2001:db8::1".parse::<Ipv6Addr>().unwrap()]);
        assert_eq!(resolver.texts(&host()).unwrap(), [b"ab"]);
        let names = resolver.names("192.0.2.1".parse().unwrap()).unwrap();
        assert_eq!(names[0].to_bytes(), b"ptr.1.2.0.192.in-addr.arpa");
        let exchangers = resolver.exchangers(&host()).unwrap();
        let name = Name::parse(b"mx.host.example").unwrap();
        assert_eq!(exchangers, [Exchanger { preference: 10, name }]);
    });
    assert_eq!(questions.len(), 4);
}
