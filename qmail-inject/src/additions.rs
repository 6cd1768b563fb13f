//! What a message gets that its author left out.

use qmail_address::{needs_quoting, quote};
use qmail_message::date;
use qmail_message::field::{Known, Seen};
use qmail_message::rewrite;
use qmail_message::token::{Token, Unparsable, scan, unquote};

use crate::failure::Failure;
use crate::settings::Settings;

const NOT_SHOWN: &[u8] = b"Cc: recipient list not shown: ;\n";

/// The fields that a message lacks. `visible` are the recipients in `To` and `Cc`, in the order in
/// which they were collected.
pub(crate) fn fields(
    settings: &Settings,
    seen: Seen,
    visible: &[Vec<u8>],
) -> Result<Vec<u8>, Failure> {
    let mut added = Vec::new();
    if !seen.contains(Known::Date) {
        added.extend(date_field(settings));
    }
    if !seen.contains(Known::MessageId) {
        added.extend(message_id_field(settings));
    }
    if !seen.contains(Known::From) {
        added.extend(from_field(settings, "From")?);
    }
    if !seen.contains(Known::To) && !seen.contains(Known::Cc) {
        added.extend_from_slice(NOT_SHOWN);
    }
    if !seen.contains(Known::MailFollowupTo) {
        added.extend(followup_field(settings, visible));
    }
    Ok(added)
}

/// The fields that a message lacks which is sent on.
pub(crate) fn resent_fields(settings: &Settings, seen: Seen) -> Result<Vec<u8>, Failure> {
    let mut added = Vec::new();
    if !seen.contains(Known::ResentDate) {
        added.extend([b"Resent-", date_field(settings).as_slice()].concat());
    }
    if !seen.contains(Known::ResentMessageId) {
        added.extend([b"Resent-", message_id_field(settings).as_slice()].concat());
    }
    if !seen.contains(Known::ResentFrom) {
        added.extend(from_field(settings, "Resent-From")?);
    }
    if !seen.contains(Known::ResentTo) && !seen.contains(Known::ResentCc) {
        added.extend([b"Resent-", NOT_SHOWN].concat());
    }
    Ok(added)
}

/// The envelope sender of a message that does not name one.
pub(crate) fn default_sender(settings: &Settings) -> Result<Vec<u8>, Failure> {
    let author = &settings.author;
    let mut user = author.sender_user.clone();
    if author.letters.sender_per_message {
        user.extend(format!("-{}.{}", settings.started, settings.process).into_bytes());
    }
    if author.letters.sender_per_recipient {
        user.push(b'-');
    }
    let host = author.sender_host.as_deref();
    let bad = |Unparsable| Failure::Line(line("Return-Path", &user, host));
    let mut tokens = vec![Token::Quoted(user.clone())];
    tokens.extend(host_tokens(host).map_err(bad)?);
    let completed = settings.defaults.completion.complete(tokens);
    let mut sender = unquote(&completed.map_err(bad)?);
    if author.letters.sender_per_recipient {
        sender.extend_from_slice(b"-@[]");
    }
    Ok(sender)
}

fn date_field(settings: &Settings) -> Vec<u8> {
    format!("Date: {}\n", date::rfc5322(settings.started)).into_bytes()
}

fn message_id_field(settings: &Settings) -> Vec<u8> {
    let (stamp, process) = (date::stamp(settings.started), settings.process);
    let unique = format!("Message-ID: <{stamp}.{process}.qmail@");
    [unique.as_bytes(), &settings.defaults.id_host, b">\n"].concat()
}

fn from_field(settings: &Settings, name: &str) -> Result<Vec<u8>, Failure> {
    let author = &settings.author;
    let host = author.host.as_deref();
    let bad = |Unparsable| Failure::Line(line(name, &author.user, host));
    let mut address = user_tokens(&author.user).map_err(bad)?;
    address.extend(host_tokens(host).map_err(bad)?);
    let mut tokens = vec![Token::Atom(name.into()), Token::Colon];
    match &author.name {
        None => tokens.extend(address),
        Some(person) if author.letters.name_is_comment => {
            tokens.extend(address);
            tokens.push(Token::Comment(person.clone()));
        }
        Some(person) => {
            tokens.extend([Token::Quoted(person.clone()), Token::Left]);
            tokens.extend(address);
            tokens.push(Token::Right);
        }
    }
    let rewritten = rewrite::tokens(tokens, &settings.defaults.completion);
    Ok(rewritten.map_err(bad)?.field)
}

fn user_tokens(user: &[u8]) -> Result<Vec<Token>, Unparsable> {
    if needs_quoting(user) { Ok(vec![Token::Quoted(user.to_vec())]) } else { scan(user) }
}

/// `@` and the host, if there is one.
fn host_tokens(host: Option<&[u8]>) -> Result<Vec<Token>, Unparsable> {
    match host {
        None => Ok(Vec::new()),
        // Between tokens a line end is a blank, and would join what is on both sides of it.
        Some(host) if qmail_address::breaks_lines(host) => Err(Unparsable),
        Some(host) => scan(&[b"@", host].concat()),
    }
}

/// A field as it would have been, for a complaint about it.
fn line(name: &str, user: &[u8], host: Option<&[u8]>) -> Vec<u8> {
    let host = host.map(|host| [b"@", host].concat()).unwrap_or_default();
    [name.as_bytes(), b": ", user, &host, b"\n"].concat()
}

/// Asks for answers to everybody but the author, if he is on one of the lists that the mail goes
/// to.
fn followup_field(settings: &Settings, visible: &[Vec<u8>]) -> Vec<u8> {
    let Some(lists) = &settings.lists else { return Vec::new() };
    if !visible.iter().any(|address| lists.contains(address)) {
        return Vec::new();
    }
    let quoted: Vec<_> = visible.iter().rev().map(|address| quote(address)).collect();
    [b"Mail-Followup-To: ", quoted.join(b",\n  ".as_slice()).as_slice(), b"\n"].concat()
}
