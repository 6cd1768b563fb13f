//! How a tree is set up, and what the host is called.

use std::path::Path;

use qmail_core::accounts::Accounts;

use crate::support::{Home, failed, outcome, printed};

const SHOWCTL: &str = env!("CARGO_BIN_EXE_qmail-showctl");
const CONFIG_FAST: &str = env!("CARGO_BIN_EXE_config-fast");
const HOSTNAME: &str = env!("CARGO_BIN_EXE_hostname");
const IPMEPRINT: &str = env!("CARGO_BIN_EXE_ipmeprint");
const DNS: [&str; 5] = [
    env!("CARGO_BIN_EXE_dnsfq"),
    env!("CARGO_BIN_EXE_dnsip"),
    env!("CARGO_BIN_EXE_dnsmxip"),
    env!("CARGO_BIN_EXE_dnsptr"),
    env!("CARGO_BIN_EXE_dnstxt"),
];

fn with_accounts() -> Home {
    let home = Home::new();
    let accounts = Accounts::single_user(1000, 100, home.root());
    home.write("users/ids", accounts.to_ids().as_bytes());
    home
}

#[test]
fn showctl_begins_with_what_was_built_in() {
    let home = with_accounts();
    home.write("control/me", b"here.example\n");
    let (code, output, error) = home.run(SHOWCTL, &[]);
    assert_eq!((code, error.as_str()), (0, ""));
    let head = format!(
        "qmail home directory: {}.\nuser-ext delimiter: -.\npaternalism (in decimal): 2.\n\
         silent concurrency limit: 120.\nsubdirectory split: 3.\n\
         user ids: 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000.\ngroup ids: 100, 100.\n\
         \nbadmailfrom: (Default.) Any MAIL FROM is allowed.\n",
        home.root().display()
    );
    assert!(output.starts_with(&head), "{output}");
    assert!(output.contains("\nme: My name is here.example.\n"));
}

#[test]
fn showctl_says_oops() {
    let home = with_accounts();
    std::fs::create_dir(home.path("control/me")).unwrap();
    let (code, output, _) = home.run(SHOWCTL, &[]);
    assert_eq!(code, 111);
    assert!(output.ends_with("group ids: 100, 100.\nOops! Trouble reading control/me."));
    home.write("users/ids", b"user alias 1 2 /\n");
    assert_eq!(home.run(SHOWCTL, &[]), failed(111, "fatal: unable to find user qmaild"));
}

#[test]
fn config_fast_says_what_it_does() {
    let home = Home::new();
    let expected = "Your fully qualified host name is mail.here.example.\n\
        Putting mail.here.example into control/me...\n\
        Putting here.example into control/defaultdomain...\n\
        Putting here.example into control/plusdomain...\n\
        Putting mail.here.example into control/locals...\n\
        Putting mail.here.example into control/rcpthosts...\n\
        Now qmail will refuse to accept SMTP messages except to mail.here.example.\n\
        Make sure to change rcpthosts if you add hosts to locals or virtualdomains!\n";
    assert_eq!(home.run(CONFIG_FAST, &["mail.here.example"]), printed(expected));
    assert_eq!(home.read("control/me"), "mail.here.example\n");
    assert_eq!(home.read("control/rcpthosts"), "mail.here.example\n");
    let usage = failed(100, "config-fast: usage: config-fast hostname");
    assert_eq!(home.run(CONFIG_FAST, &[]), usage);
    assert_eq!(home.run(CONFIG_FAST, &["a b"]), usage);
}

#[test]
fn this_host_has_a_name_and_addresses() {
    let home = Home::new();
    let name = std::fs::read_to_string(Path::new("/proc/sys/kernel/hostname")).unwrap();
    assert_eq!(home.run(HOSTNAME, &[]), printed(&name));
    let (code, output, _) = home.run(IPMEPRINT, &[]);
    assert!(code == 0 && output.starts_with("0.0.0.0\n"), "{output}");
    assert!(output.lines().all(|line| line.parse::<std::net::Ipv4Addr>().is_ok()));
}

#[test]
fn questions_to_name_servers_are_answered_hard_or_soft() {
    let home = Home::new();
    for program in DNS {
        assert_eq!(home.run(program, &[]), (100, String::new(), String::new()));
    }
    let [_, dnsip, dnsmxip, dnsptr, dnstxt] = DNS;
    assert_eq!(home.run(dnsip, &["192.0.2.1"]), printed("192.0.2.1\n"));
    assert_eq!(home.run(dnsmxip, &["192.0.2.1"]), printed("192.0.2.1 0\n"));
    assert_eq!(home.run(dnsip, &["a..b"]), failed(100, "hard error"));
    assert_eq!(home.run(dnsptr, &["x"]), failed(100, "hard error"));
    assert_eq!(home.run(dnstxt, &["a..b"]), failed(100, "hard error"));
    // Nobody answers questions on an address that is for this purpose.
    let soft = outcome(home.command(dnsip).arg("a.example").env("DNSCACHEIP", "127.99.98.97:53"));
    assert_eq!(soft, failed(111, "soft error"));
}

/// Answers one question for texts: with one that is cut into two strings, and another one.
fn name_server() -> (String, std::thread::JoinHandle<()>) {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    let served = std::thread::Builder::new().spawn(move || {
        let mut question = [0; 512];
        let (length, client) = socket.recv_from(&mut question).unwrap();
        // The header of RFC 1035 §4.1.1: an answer, recursion available, one question, two answers.
        let mut answer = question[..length].to_vec();
        answer[2..12].copy_from_slice(&[0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 0]);
        let end = 12 + question[12..].iter().position(|byte| *byte == 0).unwrap() + 5;
        answer.truncate(end);
        for text in [b"\x06v=spf1\x05 -all".as_slice(), b"\x05a\x1bb\xe9c"] {
            let length = u8::try_from(text.len()).unwrap();
            answer.extend([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 60, 0, length]);
            answer.extend(text);
        }
        socket.send_to(&answer, client).unwrap();
    });
    (address, served.unwrap())
}

#[test]
fn dnstxt_prints_each_text_on_a_line() {
    let (address, served) = name_server();
    let mut command = Home::new().command(DNS[4]);
    let told = outcome(command.arg("a.example").env("DNSCACHEIP", address));
    assert_eq!(told, printed("v=spf1 -all\na?b?c\n"));
    served.join().unwrap();
}
