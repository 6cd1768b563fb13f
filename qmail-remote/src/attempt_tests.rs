//! Targets on this host.

use std::fs::File;
use std::io::Write;
use std::net::TcpListener;
use std::time::Duration;

use super::*;
use crate::tests::World;

const NOW: u64 = crate::tests::NOW;

struct Bench {
    home: tempfile::TempDir,
    settings: Settings,
    envelope: Envelope,
    world: World,
}

impl Bench {
    fn new() -> Self {
        let home = crate::tests::tree(&[
            crate::tests::ME,
            ("timeoutremote", "10"),
            ("timeoutconnect", "10"),
        ]);
        std::fs::create_dir_all(home.path().join("queue/lock")).unwrap();
        File::create(home.path().join("queue/lock/tcpto")).unwrap().set_len(1024).unwrap();
        let settings = Settings::read(home.path()).unwrap();
        let envelope = Envelope::new(b"", &[b"r@x".to_vec()]).unwrap();
        Self { home, settings, envelope, world: World::default() }
    }

    fn file(&self) -> TimeoutFile {
        TimeoutFile::new(self.home.path())
    }

    fn send(&self, port: u16, addresses: &[&str]) -> Result<String, Failure> {
        let target = |address: &&str| Target {
            address: address.parse().unwrap(),
            preference: 0,
            host: None,
        };
        let targets: Vec<Target> = addresses.iter().map(target).collect();
        let relay = crate::route::Relay { host: b"relay".to_vec(), port, credentials: None };
        let delivery = Delivery {
            settings: &self.settings,
            envelope: &self.envelope,
            facts: Facts { length: Some(2), eight_bit: false },
            route: &Route::Relay(relay),
            home: self.home.path(),
            system: &self.world,
        };
        let report = delivery.to_any(&targets, &mut b"m\n".as_slice())?;
        Ok(String::from_utf8(report.as_bytes().to_vec()).unwrap())
    }
}

/// A server at 127.0.0.2 that greets everybody with 421, and the port it has.
fn with_busy_server<T>(connections: usize, test: impl FnOnce(u16) -> T) -> T {
    let listener = TcpListener::bind("127.0.0.2:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for _ in 0..connections {
                let (mut stream, _) = listener.accept().unwrap();
                stream.write_all(b"421 busy\r\n").unwrap();
                // Waits for QUIT and the end, so that the reply is not lost to a reset.
                let _ = std::io::copy(&mut stream, &mut std::io::sink());
            }
        });
        test(port)
    })
}

const BUSY: &str = "ZConnected to 127.0.0.2 but greeting failed.\nRemote host said: 421 busy\n\0";

#[test]
fn the_next_target_is_tried_when_no_connection_could_be_made() {
    let bench = Bench::new();
    let report = with_busy_server(1, |port| bench.send(port, &["127.0.0.3", "127.0.0.2"]));
    assert_eq!(report.unwrap(), BUSY);
    assert_eq!(bench.send(1, &["127.0.0.3"]), Err(Failure::NoConnection));
    assert_eq!(bench.send(1, &[]), Err(Failure::NoConnection));
}

#[test]
fn what_the_last_server_said_is_kept_when_no_other_answers() {
    let report = with_busy_server(1, |port| Bench::new().send(port, &["127.0.0.2", "127.0.0.3"]));
    assert_eq!(report.unwrap(), BUSY);
}

#[test]
fn a_target_that_was_silent_too_often_is_skipped() {
    let bench = Bench::new();
    let address: IpAddr = "127.0.0.2".parse().unwrap();
    bench.file().time_out(address, NOW - 400);
    bench.file().time_out(address, NOW - 200);
    let listener = TcpListener::bind("127.0.0.2:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    assert_eq!(bench.send(port, &["127.0.0.2"]), Err(Failure::NoConnection));
    listener.set_nonblocking(true).unwrap();
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn any_answer_clears_the_memory_of_silence() {
    let bench = Bench::new();
    let address: IpAddr = "127.0.0.2".parse().unwrap();
    bench.file().time_out(address, NOW - 400);
    let _ = bench.send(1, &["127.0.0.2"]);
    assert_eq!(bench.file().table().unwrap().find(address).unwrap().timeouts, 0);
    bench.file().time_out(address, NOW - 400);
    assert!(with_busy_server(1, |port| bench.send(port, &["127.0.0.2"])).is_ok());
    assert_eq!(bench.file().table().unwrap().find(address).unwrap().timeouts, 0);
}

#[test]
fn silence_is_remembered() {
    // A listener whose queue is full leaves further connections unanswered.
    let listener = TcpListener::bind("127.0.0.4:0").unwrap();
    let server = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&server, Duration::from_millis(300)) {
        waiting.push(stream);
        assert!(waiting.len() < 10_000, "the queue is never full");
    }
    let mut bench = Bench::new();
    bench.settings.connect_timeout = Duration::from_secs(1);
    assert_eq!(bench.send(server.port(), &["127.0.0.4"]), Err(Failure::NoConnection));
    let record = bench.file().table().unwrap().find("127.0.0.4".parse().unwrap()).unwrap();
    assert_eq!((record.timeouts, record.when), (1, NOW));
}

#[test]
fn a_system_without_ipv6_still_has_ipv4() {
    let target =
        |address: &str| Target { address: address.parse().unwrap(), preference: 0, host: None };
    let (four, six) = (target("192.0.2.1"), target("2001:db8::1"));
    assert!(has_other(six.address, &[six.clone(), four.clone()]));
    assert!(!has_other(six.address, std::slice::from_ref(&six)));
    assert!(!has_other(four.address, std::slice::from_ref(&four)));
    // EAFNOSUPPORT
    let lacking = io::Error::from_raw_os_error(97);
    assert!(is_hopeless(&lacking, false) && !is_hopeless(&lacking, true) && is_ours(&lacking));
    assert!(!is_hopeless(&ErrorKind::ConnectionRefused.into(), false));
}
