//! Deliveries: instructions, orders to spawners, and what comes back.

use qmail_local::instruction::{Instruction, instructions};
use qmail_rspawn::RemoteOutput;
use qmail_spawn::Output;
use qmail_sys::Exit;
use qmail_wire::fork_server::Job;
use qmail_wire::spawn::{Command, CommandParser, ReportParser, Verdict, Width};

use crate::{contains, same_in_pieces};

/// Each line is one instruction, and a Maildir or mbox is never anything but a path.
pub(crate) fn dot_qmail(file: &[u8]) {
    let lines = file.strip_suffix(b"\n").unwrap_or(file).split(|byte| *byte == b'\n').count();
    assert_eq!(instructions(file).count(), lines);
    for instruction in instructions(file) {
        let text = match instruction {
            Instruction::Blank | Instruction::Ignored | Instruction::ForwardOnly => continue,
            Instruction::Maildir(path) => {
                assert!(path.ends_with(b"/") && matches!(path[0], b'.' | b'/'));
                path
            }
            Instruction::Mbox(path) => {
                assert!(!path.ends_with(b"/") && matches!(path[0], b'.' | b'/'));
                path
            }
            Instruction::Program(text) | Instruction::Forward(text) => text,
        };
        assert!(contains(file, text) && !text.contains(&b'\n'));
        assert!(!matches!(text.last(), Some(b' ' | b'\t')));
    }
}

/// Orders and reports do not depend on how they arrive, and are read as they are written.
pub(crate) fn spawn(bytes: &[u8]) {
    for width in [Width::One, Width::Two] {
        orders(bytes, width);
        reports(bytes, width);
    }
    jobs(bytes);
}

/// A job is what was sent, and nothing that a program cannot be given.
fn jobs(bytes: &[u8]) {
    let Some(job) = Job::parse(bytes) else { return };
    assert!(!job.arguments.is_empty());
    let names = job.environment.iter().map(|(name, _)| name);
    assert!(names.clone().all(|name| !name.is_empty() && !name.contains(&b'=')));
    if let Some(message) = job.encode() {
        assert_eq!(Job::parse(&message), Some(job));
    }
}

fn orders(bytes: &[u8], width: Width) {
    same_in_pieces(bytes, |pieces| {
        let mut parser = CommandParser::new(width);
        pieces.iter().flat_map(|piece| parser.push(piece)).collect::<Vec<_>>()
    });
    for command in CommandParser::new(width).push(bytes).into_iter().flatten() {
        let written = CommandParser::new(width).push(&command.encode(width));
        is_confined(&command);
        assert_eq!(written, [Ok(command)]);
    }
}

fn reports(bytes: &[u8], width: Width) {
    same_in_pieces(bytes, |pieces| {
        let mut parser = ReportParser::new(width);
        pieces.iter().flat_map(|piece| parser.push(piece)).collect::<Vec<_>>()
    });
    for report in ReportParser::new(width).push(bytes).into_iter().flatten() {
        assert!(report.text.len() <= 10_000);
        let written = ReportParser::new(width).push(&report.encode(width));
        assert_eq!(written, [Ok(report)]);
    }
}

/// A message name without a fault stays below `mess/`.
fn is_confined(command: &Command) {
    if command.message_fault().is_none() {
        assert!(!command.message.starts_with(b"/") && !contains(&command.message, b".."));
        assert!((1..100).contains(&command.message.len()));
    }
}

/// qmail-remote's last word counts, and only if it said one: mail neither bounces nor counts as
/// delivered over anything else. What never ends is no word.
pub(crate) fn report(bytes: &[u8]) {
    let judged = |pieces: &[&[u8]], exit| {
        let mut output = RemoteOutput::default();
        pieces.iter().for_each(|piece| output.push(piece));
        output.judge(exit)
    };
    for exit in [Exit::Code(0), Exit::Code(1), Exit::Code(111), Exit::Signal(9)] {
        same_in_pieces(bytes, |pieces| judged(pieces, exit));
    }
    let (verdict, text) = judged(&[bytes], Exit::Code(0));
    assert!(text.len() <= 10_000);
    let said = |letters: &[u8]| {
        let records = bytes.split_inclusive(|byte| *byte == 0);
        let mut records = records.filter(|record| record.ends_with(b"\0"));
        records.any(|record| letters.contains(&record[0]))
    };
    let last = bytes.rsplit(|byte| *byte == 0).nth(1).unwrap_or_default();
    match verdict {
        Verdict::Success => assert!(last.starts_with(b"K") && !said(b"hs")),
        Verdict::Permanent => assert!(said(b"Dh") && bytes.ends_with(b"\0")),
        Verdict::Temporary => {}
    }
    assert_ne!(judged(&[bytes], Exit::Signal(9)).0, Verdict::Success);
}
