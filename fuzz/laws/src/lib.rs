//! What every parser of this workspace owes, whatever it is given: a law for each.
//!
//! A law takes bytes and panics if it is broken. `tests/laws.rs` holds them against the seeds and
//! against proptest's inventions, on stable and with every `make test`; `fuzz/fuzz_targets` against
//! what libFuzzer finds, on demand. See docs/fuzzing.md.
#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a broken law is to be seen")]

mod between;
mod content;
mod database;
mod delivery;
mod envelope;
mod files;
mod login;
mod message;
mod names;
mod netstrings;
mod plugins;
mod pop3;
mod quotas;
mod signatures;
mod smtp;

/// The law of a parser.
#[derive(Clone, Copy, Debug)]
pub struct Law {
    /// Its name: that of its target and of its directory of seeds.
    pub name: &'static str,
    /// Panics if these bytes break it.
    pub check: fn(&[u8]),
    /// What such input is made of, so that inventions come closer to it.
    pub words: &'static [&'static str],
}

macro_rules! laws {
    ($($name:ident $check:path, [$($word:literal)*];)*) => {
        /// All of them.
        pub const LAWS: &[Law] = &[
            $(Law { name: stringify!($name), check: $check, words: &[$($word),*] }),*
        ];
        $(
            #[doc = concat!("The law `", stringify!($name), "`.")]
            pub fn $name(bytes: &[u8]) {
                $check(bytes);
            }
        )*
    };
}

laws! {
    addresses message::addresses, ["a@b" "@" "<" ">" "," ":" ";" "(" ")" "\"" "\\" "[" "]" "." "To: " "\n " "+" "#@[]" "-@[]"];
    between_daemons between::daemons, ["foop/12\0" "todo/3/12\0" "todo/12\0" "DL7\0" "DB12\0" "DX1\0" "Lline\n\0" "X\0" "0" "/" "\0"];
    cdb database::cdb, ["key" "=" "\0" "+3,1:abc->x\n" "\u{0}\u{8}\u{0}\u{0}" "!a-"];
    control files::control, ["#" "\n" " " "\t" "\0" "12" "a:b" "nameserver 127.0.0.1\n" "options timeout:1\n" "domain:relay"];
    dkim signatures::dkim, ["DKIM-Signature: " "v=1; " "a=rsa-sha256; " "d=a.example; " "s=s; " "h=From:To; " "bh=g3zLYH4xKxcPrHOD18z9YfpQcnk/GaJedfustWU5uGs=; " "b=AAAA" "c=relaxed/simple; " "l=0; " "x=1; " "From: a@b.example\n" "Authentication-Results: mx.example; " "(" ")" "\"" "\\" "\n" "\n " "\r" ";"];
    dkim_record signatures::record, ["v=DKIM1; " "k=rsa; " "k=ed25519; " "p=" "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQ" "h=sha256; " "s=email; " "t=y; " "n=x; " ";" "=" " "];
    dns_answer names::answer, ["\u{0}\u{1}a\u{7}example\u{0}" "\u{0}\u{10}\u{0}\u{1}" "\u{0}\u{1}\u{0}\u{1}" "\u{0}\u{f}" "\u{0}\u{5}" "\u{0}\u{0}\u{0}\u{9}" "\u{0}\u{4}"];
    dns_name names::name, ["." "a" "example" "\\" "xn--" "-" "_"];
    dot_qmail delivery::dot_qmail, ["&" "|" "./Maildir/" "./mbox" "#" "+list" "\n" " " "\t" "a@b"];
    envelope envelope::envelope, ["F" "T" "\0" "a@b" "\0\0" "-@[]" "#@[]"];
    header_tokens message::tokens, ["From " "(" ")" "\"" "\\" "[" "]" "<" ">" "@" "," ";" ":" "." "a" "\n" "\r" " "];
    maildirsize quotas::maildirsize, ["1000S,10C\n" "NOQUOTA" "10MB" "         900            1\n" "-900 -1\n" "9223372036854775807" "\n" " " "0" "\0" ",S=900" ",W=9" ":2,ST" "."];
    message_content content::smtp, [".\r\n" "\r\n" "\n" "\r" "." ".." "Received: " "Delivered-To: "];
    netstring netstrings::netstring, ["3:abc," "0:," ":" "," "12" "00" "999999999" "5:1:a,,"];
    pop3 pop3::pop3, ["\n" "\r\n" "\r" "." ".." "1 2" "RETR " "TOP 1 0" "0" "18446744073709551616"];
    remote_report delivery::report, ["r" "h" "s" "K" "Z" "D" "\0" "text\n" "rok\0Kok\0"];
    sasl login::sasl, ["AGEAYg==" "YQ==" "=" "*" "PLAIN " "LOGIN " "CRAM-MD5 " "AAAA" "YSBiYg=="];
    smtp_command smtp::command, ["MAIL FROM:" "RCPT TO:" "<" ">" "@" "\"" "\\" ":" " " "SIZE=1" "[127.0.0.1]" "\0" "\r"];
    smtp_reply smtp::reply, ["250-" "250 ok\r\n" "\n" "550 no\n" "421" "\r" "SIZE 1\n" "STARTTLS\n" "AUTH PLAIN LOGIN\n"];
    spawn delivery::spawn, ["\u{1}" "12/34\0" "a@b\0" "K" "Z" "D" "\0" "/" "0" "c111\0c111\0" "u1\0g1\0" "t0\0" "d/\0" "ax\0" "sA=b\0" "rA\0" "w\0"];
    spp_output plugins::output, ["A\n" "N\n" "O\n" "D\n" "E550 no\n" "R421 bye\n" "LMx\n" "P250-x\n" "HX-A: b\n" "H b\n" "Ca@b\n" "SA=b\n" "UA\n" "\r" "\0" "\n"];
    tls_report netstrings::tls_report, ["1:R," "4:1:R,," "4:1:G,," "4:Nodd," "3:Uno," "3:Fno," "8:VTLSv1.3," "2:CX," "2:Sx," "3:Pno," "1:T," "4:Ma@b," "60:" "25:" ":" "," "\n"];
}

/// What comes in pieces is understood as what comes at once: the same function for both.
fn same_in_pieces<T: PartialEq + std::fmt::Debug>(
    bytes: &[u8],
    mut read: impl FnMut(&[&[u8]]) -> T,
) {
    let whole = read(&[bytes]);
    for size in [1, 7] {
        let pieces: Vec<&[u8]> = bytes.chunks(size).collect();
        assert_eq!(read(&pieces), whole, "in pieces of {size}");
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    part.is_empty() || bytes.windows(part.len()).any(|window| window == part)
}
