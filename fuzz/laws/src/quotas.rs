//! `maildirsize`, which belongs to whoever owns the maildir, and names of messages.

use std::time::Duration;

use qmail_core::maildir::quota::ledger::{Ledger, TRUSTED, Verdict, judge, line};
use qmail_core::maildir::quota::{Limits, Usage, is_trashed, size_in_name};

use crate::contains;

pub(crate) fn maildirsize(file: &[u8]) {
    let ledger = Ledger::parse(file);
    written_again(&ledger);
    appended_to(file, &ledger);
    judged(&ledger);
    if let Some(limits) = Limits::parse(file) {
        assert_eq!(Limits::parse(limits.to_string().as_bytes()), Some(limits));
    }
    named(file);
}

/// What is understood is the same when it is counted anew and written.
fn written_again(ledger: &Ledger) {
    let Some(limits) = ledger.limits.filter(|_| ledger.is_sound) else { return };
    assert!(ledger.used.bytes >= 0 && ledger.used.messages >= 0);
    let text = [format!("{limits}\n").as_bytes(), &line(ledger.used)].concat();
    assert_eq!(Ledger::parse(&text), Ledger { lines: 1, ..*ledger });
}

/// A line behind whole lines is added to them, and what made no sense makes none because of it.
fn appended_to(file: &[u8], ledger: &Ledger) {
    let change = Usage::message(u64::try_from(file.len()).unwrap());
    let longer = Ledger::parse(&[file, &line(change)].concat());
    if file.ends_with(b"\n") {
        assert_eq!(longer.used, ledger.used.plus(change));
        assert_eq!(longer.lines, ledger.lines + 1);
    } else {
        assert!(!ledger.is_sound);
    }
}

/// Mail is refused only by one line that is young and makes sense, and never where a smaller message
/// is not.
fn judged(ledger: &Ledger) {
    let limits = ledger.limits.unwrap_or_default();
    let verdict = |bytes, age| judge(ledger, limits, Usage::message(bytes), age);
    for bytes in [0, 1000, u64::MAX] {
        let fresh = verdict(bytes, Duration::ZERO);
        if fresh == Verdict::Full {
            assert!(ledger.is_sound && ledger.lines <= 1 && !limits.is_unlimited());
            assert_ne!(verdict(u64::MAX, Duration::ZERO), Verdict::Fits);
        }
        assert_ne!(verdict(bytes, TRUSTED), Verdict::Full);
        assert!(ledger.is_sound || fresh == Verdict::Recount);
        assert!(!limits.is_unlimited() || fresh != Verdict::Full);
    }
}

/// A size that a name tells stands there, and flags are no part of it.
fn named(name: &[u8]) {
    if let Some(size) = size_in_name(name) {
        assert!(contains(name, b",S="));
        let again = format!("1.2.host,S={size}:2,T");
        assert_eq!(size_in_name(again.as_bytes()), Some(size));
        assert!(is_trashed(again.as_bytes()));
    }
    if !name.contains(&b':') {
        assert!(!is_trashed(name));
        assert_eq!(size_in_name(&[name, b":2,S"].concat()), size_in_name(name));
    }
}
