//! What those find who look for weak TLS: testssl.sh and sslscan.

use std::io::Read;
use std::path::Path;

use qmail_conformance::process::Program;
use qmail_conformance::secure::Secure;
use qmail_conformance::{Tree, files};

use crate::matrix::lacks;

/// A line of testssl's report.
struct Finding {
    id: String,
    severity: String,
    text: String,
}

/// All that there is, in the order of the server: nothing without forward secrecy or AEAD.
const CIPHERS: [(&str, &str); 2] = [
    (
        "cipherorder_TLSv1_2",
        "ECDHE-ECDSA-AES256-GCM-SHA384 ECDHE-ECDSA-CHACHA20-POLY1305 ECDHE-ECDSA-AES128-GCM-SHA256",
    ),
    (
        "cipherorder_TLSv1_3",
        "TLS_AES_256_GCM_SHA384 TLS_CHACHA20_POLY1305_SHA256 TLS_AES_128_GCM_SHA256",
    ),
];
const PROTOCOLS: [(&str, &str); 6] = [
    ("SSLv2", "not offered"),
    ("SSLv3", "not offered"),
    ("TLS1", "not offered"),
    ("TLS1_1", "not offered"),
    ("TLS1_2", "offered"),
    ("TLS1_3", "offered with final"),
];
/// It has seen the `454` after a handshake that came to nothing, and is not sure what that means.
const REFUSED: &str = "received 4xx/5xx after STARTTLS handshake";
/// A certificate of this host's own making has nobody who vouches for it.
const SELF_SIGNED: [&str; 2] = ["cert_chain_of_trust", "cert_revocation"];

/// The report of `testssl WORDS`, run in the tree's world.
fn testssl(secure: &Secure, words: &[&str], port: u16) -> Vec<Finding> {
    let place = secure.tree.scratch();
    let report = place.join(format!("{port}.csv"));
    let program = secure.tree.command("timeout").env("HOME", place).env("TERM", "dumb");
    let program =
        program.args(["600", "testssl", "--quiet", "--warnings=off", "--color=0", "--nodns=none"]);
    let program = program.args(["--openssl-timeout=60", "--ip=127.0.0.1", "--csvfile"]);
    let program = program.arg(&report).args(words.iter().copied());
    let said = said_in_the_end(program.arg(format!("localhost:{port}")));
    assert!(said.contains("\n Done "), "{said}");
    let findings = findings(&report);
    assert!(!findings.is_empty(), "{said}");
    findings
}

/// What a program says that takes minutes on a busy machine, for which nobody else in these tests may
/// run: it is `timeout` that ends it.
fn said_in_the_end(program: Program<'_>) -> String {
    let (mut child, mut output) = program.start();
    let mut said = String::new();
    output.read_to_string(&mut said).expect("it writes text");
    child.wait().expect("the child is ours");
    said
}

/// The lines `"id","fqdn/ip","port","severity","finding",...`, less the heading.
fn findings(report: &Path) -> Vec<Finding> {
    let text = String::from_utf8_lossy(&files::read(report)).into_owned();
    let finding = |line: &str| {
        let mut fields = line.trim_matches('"').split("\",\"").map(str::to_owned);
        let id = fields.next()?;
        let severity = fields.nth(2)?;
        Some(Finding { id, severity, text: fields.next()? })
    };
    text.lines().skip(1).filter_map(finding).collect()
}

/// Nothing is worse than LOW, but for what a certificate without an authority is blamed for.
fn assert_harmless(findings: &[Finding]) {
    for Finding { id, severity, text } in findings {
        let known = SELF_SIGNED.contains(&id.as_str())
            // Of this host's OpenSSL, not of the server.
            || id == "engine_problem"
            || text.starts_with(REFUSED);
        let harmless = matches!(severity.as_str(), "OK" | "INFO" | "LOW" | "DEBUG");
        assert!(harmless || known, "{severity} {id}: {text}");
    }
}

fn assert_finds(findings: &[Finding], expected: &[(&str, &str)]) {
    for (id, text) in expected {
        let found = findings.iter().find(|finding| finding.id == *id);
        assert_eq!(found.map(|found| found.text.trim()), Some(*text), "{id}");
    }
}

/// What is offered, who chooses, the certificate, and all known attacks.
const EVERYTHING: [&str; 6] = ["-p", "-s", "-f", "-P", "-S", "-U"];

#[test]
fn testssl_finds_nothing_in_qmail_smtpd() {
    if lacks(&Tree::under_test(), "testssl") {
        return;
    }
    let secure = Secure::new();
    let _smtps = secure.serve(465, secure.smtpd(&[("SMTPS", "1")]));
    let findings = testssl(&secure, &EVERYTHING, 465);
    assert_harmless(&findings);
    assert_finds(&findings, &PROTOCOLS);
    assert_finds(&findings, &CIPHERS);
    assert_finds(&findings, &[("cipher_order", "server"), ("ROBOT", ROBOT), ("RC4", SAFE)]);
}

const SAFE: &str = "not vulnerable";
const ROBOT: &str = "not vulnerable, no RSA key transport cipher";

#[test]
fn testssl_finds_nothing_in_qmail_tlsrelay() {
    if lacks(&Tree::under_test(), "testssl") {
        return;
    }
    let secure = Secure::new();
    let _pops = secure.serve(995, secure.popup(&[("POP3S", "1")]));
    let findings = testssl(&secure, &EVERYTHING, 995);
    assert_harmless(&findings);
    assert_finds(&findings, &PROTOCOLS);
    assert_finds(&findings, &CIPHERS);
    assert_finds(&findings, &[("cipher_order", "server"), ("ROBOT", ROBOT), ("RC4", SAFE)]);
}

#[test]
fn testssl_finds_nothing_behind_starttls_and_stls() {
    if lacks(&Tree::under_test(), "testssl") {
        return;
    }
    let secure = Secure::new();
    let _submission = secure.serve(587, secure.smtpd(&[("SMTPAUTH", "!")]));
    let _pop = secure.serve(110, secure.popup(&[("FORCETLS", "1")]));
    for (protocol, port) in [("smtp", 587), ("pop3", 110)] {
        let findings = testssl(&secure, &["-t", protocol, "-p", "-s", "-f"], port);
        assert_harmless(&findings);
        assert_finds(&findings, &PROTOCOLS[4..]);
        for finding in findings.iter().filter(|it| ["TLS1", "TLS1_1"].contains(&it.id.as_str())) {
            let Finding { id, text, .. } = finding;
            assert!(text.ends_with("not offered") || text.starts_with(REFUSED), "{id}: {text}");
        }
        assert_finds(&findings, &[("cipherlist_STRONG", "offered"), ("PFS", "offered")]);
    }
}

/// The lines of sslscan's report about protocols, ciphers and groups, in its order.
const SSLSCAN: [&str; 15] = [
    "SSLv2 disabled",
    "SSLv3 disabled",
    "TLSv1.0 disabled",
    "TLSv1.1 disabled",
    "TLSv1.2 enabled",
    "TLSv1.3 enabled",
    "Preferred TLSv1.3 256 bits TLS_AES_256_GCM_SHA384",
    "Accepted TLSv1.3 256 bits TLS_CHACHA20_POLY1305_SHA256",
    "Accepted TLSv1.3 128 bits TLS_AES_128_GCM_SHA256",
    "Preferred TLSv1.2 256 bits ECDHE-ECDSA-AES256-GCM-SHA384",
    "Accepted TLSv1.2 256 bits ECDHE-ECDSA-CHACHA20-POLY1305",
    "Accepted TLSv1.2 128 bits ECDHE-ECDSA-AES128-GCM-SHA256",
    "TLSv1.3 128 bits secp256r1",
    "TLSv1.3 192 bits secp384r1",
    "TLSv1.3 128 bits x25519",
];

#[test]
fn sslscan_finds_tls_of_today() {
    if lacks(&Tree::under_test(), "sslscan") {
        return;
    }
    let secure = Secure::new();
    let _submission = secure.serve(587, secure.smtpd(&[("SMTPAUTH", "!")]));
    let _pops = secure.serve(995, secure.popup(&[("POP3S", "1")]));
    for (word, port) in [("--starttls-smtp", 587), ("", 995)] {
        let program = secure.tree.command("timeout").args(["600", "sslscan", "--timeout=5"]);
        let program = program.args(["--no-colour", "--no-sigs"]);
        let program = if word.is_empty() { program } else { program.arg(word) };
        let said = said_in_the_end(program.arg(format!("127.0.0.1:{port}")));
        let named = ["SSLv", "TLSv1", "Preferred", "Accepted"];
        let lines: Vec<String> = said
            .lines()
            .filter(|line| named.iter().any(|name| line.starts_with(name)))
            .filter(|line| !line.contains("heartbleed"))
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(lines.len(), SSLSCAN.len(), "{port}: {said}");
        for (line, expected) in lines.iter().zip(SSLSCAN) {
            assert!(line.starts_with(expected), "{port}: {line}: {said}");
        }
        assert_eq!(said.matches("not vulnerable to heartbleed").count(), 2, "{port}: {said}");
    }
}
