//! What is in the queue.

use std::fs::{self, File};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::support::{Home, failed, outcome, printed};

const QREAD: &str = env!("CARGO_BIN_EXE_qmail-qread");
const QSTAT: &str = env!("CARGO_BIN_EXE_qmail-qstat");
const TCPTO: &str = env!("CARGO_BIN_EXE_qmail-tcpto");
const TCPOK: &str = env!("CARGO_BIN_EXE_qmail-tcpok");
const UPQ: &str = env!("CARGO_BIN_EXE_qmail-upq");

fn nowhere(home: &Home, program: &str) -> (i32, String, String) {
    outcome(home.command(program).env("QMAILHOME", "/nonexistent"))
}

#[test]
fn qread_lists_messages_and_qstat_counts_them() {
    let home = Home::new();
    home.write("queue/mess/2/5", b"12345");
    home.write("queue/info/2/5", b"Fs@x\0");
    home.write("queue/remote/2/5", b"Ta@b\0Dc@d\0");
    home.write("queue/bounce/5", b"failed");
    home.write("queue/mess/0/6", b"");
    home.write("queue/todo/6", b"");
    let info = File::options().write(true).open(home.path("queue/info/2/5")).unwrap();
    info.set_modified(UNIX_EPOCH + Duration::from_secs(1_767_323_045)).unwrap();
    let expected = "2 Jan 2026 03:04:05 GMT  #5  5  <s@x>  bouncing\n\
                    \tremote\ta@b\n  done\tremote\tc@d\n";
    assert_eq!(home.run(QREAD, &[]), printed(expected));
    let expected = "messages in queue: 2\nmessages in queue but not yet preprocessed: 1\n";
    assert_eq!(home.run(QSTAT, &[]), printed(expected));
}

#[test]
fn qstat_counts_a_hashed_todo_as_well() {
    let home = Home::new();
    for part in 0..3 {
        fs::create_dir(home.path(&format!("queue/todo/{part}"))).unwrap();
    }
    home.write("queue/todo/1/4", b"");
    let expected = "messages in queue: 0\nmessages in queue but not yet preprocessed: 1\n";
    assert_eq!(home.run(QSTAT, &[]), printed(expected));
}

#[test]
fn a_queue_out_of_reach_is_told_of() {
    let home = Home::new();
    let text = "fatal: unable to chdir: file does not exist\n";
    assert_eq!(nowhere(&home, QREAD), (111, text.into(), String::new()));
    assert_eq!(nowhere(&home, TCPTO), (111, text.into(), String::new()));
    let text = "qmail-qstat: fatal: unable to read /nonexistent/queue: file does not exist";
    assert_eq!(nowhere(&home, QSTAT), failed(111, text));
    let text = "qmail-tcpok: fatal: unable to chdir to /nonexistent: file does not exist";
    assert_eq!(nowhere(&home, TCPOK), failed(111, text));
    fs::remove_dir(home.path("queue/info/1")).unwrap();
    let text = "fatal: unable to opendir info/1: file does not exist\n";
    assert_eq!(home.run(QREAD, &[]), (111, text.into(), String::new()));
}

#[test]
fn tcpto_shows_hosts_and_tcpok_forgets_them() {
    let home = Home::new();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let when = u32::try_from(now - 1000).unwrap().to_le_bytes();
    let mut table = vec![0; 1024];
    table[..5].copy_from_slice(&[192, 0, 2, 1, 3]);
    table[8..12].copy_from_slice(&when);
    home.write("queue/lock/tcpto", &table);
    let (code, output, error) = home.run(TCPTO, &[]);
    assert_eq!((code, error.as_str()), (0, ""));
    let rest = output.strip_prefix("192.0.2.1 timed out ").unwrap();
    let (ago, rest) = rest.split_once(' ').unwrap();
    assert_eq!(rest, "seconds ago; # recent timeouts: 3\n");
    assert!(ago.parse::<u64>().unwrap() >= 1000);
    assert_eq!(home.run(TCPOK, &[]), printed(""));
    assert_eq!(home.run(TCPTO, &[]), printed(""));
    assert_eq!(fs::read(home.path("queue/lock/tcpto")).unwrap(), [0; 1024]);
}

#[test]
fn without_a_table_nothing_is_made() {
    let home = Home::new();
    let text = "fatal: unable to open tcpto: file does not exist\n";
    assert_eq!(home.run(TCPTO, &[]), (111, text.into(), String::new()));
    let path = home.path("queue/lock/tcpto");
    let text =
        format!("qmail-tcpok: fatal: unable to write {}: file does not exist", path.display());
    assert_eq!(home.run(TCPOK, &[]), failed(111, &text));
    assert!(!path.exists());
}

#[test]
fn upq_moves_messages_to_their_new_places() {
    let home = Home::new();
    home.write("queue/lock/sendmutex", b"");
    home.write("queue/mess/7", b"7");
    home.write("queue/info/0/7", b"F\0");
    assert_eq!(home.run(UPQ, &[]), printed(""));
    assert_eq!(home.read("queue/mess/1/7"), "7");
    assert_eq!(home.read("queue/info/1/7"), "F\0");
    home.write("queue/mess/7", b"another");
    let (code, _, error) = home.run(UPQ, &[]);
    assert!(code == 111 && error.starts_with("qmail-upq: warning: unable to move "), "{error}");
    let mutex = File::options().write(true).open(home.path("queue/lock/sendmutex")).unwrap();
    mutex.lock().unwrap();
    assert_eq!(home.run(UPQ, &[]), failed(111, "qmail-upq: fatal: qmail-send is running"));
}
