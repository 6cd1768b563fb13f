//! SMTP: commands of clients, replies of servers.

use std::ops::Range;

use qmail_wire::command::Command;
use qmail_wire::smtp_client::{Class, Offer, ReplyParser};
use qmail_wire::smtp_server::{address_literal, path};

use crate::same_in_pieces;

/// A command is what its parts say, and an address that we write is the address that we read.
pub(crate) fn command(line: &[u8]) {
    let command = Command::parse(line);
    assert!(!command.verb.iter().any(|byte| *byte == b' ' || byte.is_ascii_uppercase()));
    assert!(!command.argument.starts_with(b" "));
    assert!(!command.verb.contains(&0) && !command.argument.contains(&0));
    let written = [&command.verb[..], b" ", &command.argument, b"\r"].concat();
    assert_eq!(Command::parse(&written), command);

    let address = path(&command.argument);
    assert!(address.len() <= command.argument.len());
    let _ = address_literal(&address);
    let host = qmail_address::host(&address).unwrap_or_default();
    if !host.iter().any(|byte| b">\"\\".contains(byte)) {
        let written = [b"FROM:<", &qmail_address::quote(&address)[..], b">"].concat();
        assert_eq!(path(&written), address);
    }
}

/// Replies do not depend on how they arrive, and only a code makes them one thing or the other.
pub(crate) fn reply(bytes: &[u8]) {
    same_in_pieces(bytes, |pieces| {
        let mut parser = ReplyParser::new();
        let mut replies = Vec::new();
        for piece in pieces {
            let mut rest = *piece;
            loop {
                match parser.feed(&mut rest) {
                    Ok(None) => break,
                    Ok(Some(reply)) => {
                        assert!(reply.text().len() <= 5_000);
                        assert!(reply.code().is_none_or(|code| code < 1000));
                        let is_said =
                            |codes: Range<u16>| reply.code().is_some_and(|c| codes.contains(&c));
                        assert_eq!(reply.class() == Class::Success, is_said(200..300));
                        assert_eq!(reply.class() == Class::Permanent, is_said(500..600));
                        let _ = Offer::parse(&reply);
                        replies.push((reply.code(), reply.class(), reply.text().to_vec()));
                    }
                    Err(_) => return (replies, true),
                }
            }
        }
        (replies, false)
    });
}
