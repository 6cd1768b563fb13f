//! What a datagram means as the answer to a question.

use std::net::{Ipv4Addr, Ipv6Addr};

use hickory_proto::op::{Header, HeaderCounts, MessageType, Metadata, OpCode, Query, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA};
use hickory_proto::rr::{DNSClass, Name, RecordType};
use hickory_proto::serialize::binary::{BinDecodable, BinDecoder, DecodeError};

use crate::question::{Extension, Question};
use crate::{Cause, Failure};

/// Aliases followed inside one answer; more are a loop or a joke.
const MOST_ALIASES: usize = 16;

/// What a message means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// It does not answer this question: somebody else's, too late, or forged.
    NotOurs,
    /// The answer did not fit; TCP has it whole.
    Truncated,
    /// The server stumbled over the extension; ask it again without.
    Unextended,
    /// Records of the type asked for, or the certainty that there are none.
    Settled(Result<Vec<Data>, Failure>),
    /// This server does not help; another may.
    Useless(Cause),
}

/// The contents of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// An A.
    Ipv4(Ipv4Addr),
    /// An AAAA.
    Ipv6(Ipv6Addr),
    /// An MX.
    Exchanger(u16, Name),
    /// A CNAME or PTR.
    Name(Name),
    /// A TXT, its strings joined.
    Text(Vec<u8>),
}

/// Judges a message that came from the server that `question` went to.
pub fn read(question: &Question, message: &[u8]) -> Reading {
    let mut decoder = BinDecoder::new(message);
    let Ok(Header { metadata, counts }) = Header::read(&mut decoder) else {
        return Reading::NotOurs;
    };
    if !is_ours(question, &metadata, &counts, &mut decoder) {
        return Reading::NotOurs;
    }
    if metadata.truncation {
        return Reading::Truncated;
    }
    match read_records(question.kind, &counts, &mut decoder) {
        Ok(records) => judge(question, metadata, &records),
        // A server that does not understand us may not send more than a header.
        Err(_) if is_stumbling(question, metadata.response_code) => Reading::Unextended,
        Err(_) => Reading::Useless(Cause::Malformed),
    }
}

/// Whether number and question are those we sent. A server that could not read the question need
/// not repeat it.
fn is_ours(
    question: &Question,
    metadata: &Metadata,
    counts: &HeaderCounts,
    decoder: &mut BinDecoder<'_>,
) -> bool {
    if metadata.id != question.id
        || metadata.message_type != MessageType::Response
        || metadata.op_code != OpCode::Query
    {
        return false;
    }
    match counts.queries {
        0 => !is_settling(metadata.response_code),
        1 => Query::read(decoder).is_ok_and(|query| {
            *query.name() == question.name
                && query.query_type() == question.kind
                && query.query_class() == DNSClass::IN
        }),
        _ => false,
    }
}

fn is_settling(code: ResponseCode) -> bool {
    matches!(code, ResponseCode::NoError | ResponseCode::NXDomain)
}

/// FORMERR, NOTIMP and BADVERS (by number: the codec has another name for 16).
fn is_stumbling(question: &Question, code: ResponseCode) -> bool {
    question.extension == Extension::Announced && matches!(u16::from(code), 1 | 4 | 16)
}

/// The records that matter.
struct Records {
    /// Aliases and records of the type asked for, by owner.
    answers: Vec<(Name, RecordType, Data)>,
    /// The upper bits of the response code.
    code_high: u8,
    /// Whether somebody says that he is the source of this zone.
    has_authority: bool,
}

/// Walks all sections, and decodes only what answers: a strange record beside it does no harm.
fn read_records(
    kind: RecordType,
    counts: &HeaderCounts,
    decoder: &mut BinDecoder<'_>,
) -> Result<Records, DecodeError> {
    let mut records = Records { answers: Vec::new(), code_high: 0, has_authority: false };
    for _ in 0..counts.answers {
        let record = Raw::read(decoder)?;
        if record.class == DNSClass::IN && (record.kind == kind || record.kind == RecordType::CNAME)
        {
            let data = record.decode(decoder)?;
            records.answers.push((record.owner, record.kind, data));
        } else {
            record.skip(decoder)?;
        }
    }
    for _ in 0..counts.authorities {
        let record = Raw::read(decoder)?;
        records.has_authority |= record.kind == RecordType::SOA;
        record.skip(decoder)?;
    }
    for _ in 0..counts.additionals {
        let record = Raw::read(decoder)?;
        if record.kind == RecordType::OPT {
            let [code_high, ..] = record.ttl.to_be_bytes();
            records.code_high = code_high;
        }
        record.skip(decoder)?;
    }
    Ok(records)
}

fn judge(question: &Question, mut metadata: Metadata, records: &Records) -> Reading {
    metadata.merge_response_code(records.code_high);
    match metadata.response_code {
        // Also behind an alias: then its target does not exist.
        ResponseCode::NXDomain => Reading::Settled(Err(Failure::NoSuchName)),
        ResponseCode::NoError => match follow(question, &records.answers) {
            None => Reading::Useless(Cause::Malformed),
            Some(found) if !found.is_empty() => Reading::Settled(Ok(found)),
            // Nobody has looked: this server has only sent us on, or stopped at an alias.
            Some(_) if !is_complete(&metadata, records) => Reading::Useless(Cause::Lame),
            Some(_) => Reading::Settled(Err(Failure::NoSuchRecord)),
        },
        code if is_stumbling(question, code) => Reading::Unextended,
        code => Reading::Useless(Cause::Refused(code.into())),
    }
}

/// Whether an answer without a record comes from somebody who asked everybody he had to, or who
/// owns the zone.
fn is_complete(metadata: &Metadata, records: &Records) -> bool {
    metadata.recursion_available
        || records.has_authority
        || (metadata.authoritative && records.answers.is_empty())
}

/// The records of the name asked for, or of the name that its aliases lead to; `None` if they lead
/// in a circle.
fn follow(question: &Question, answers: &[(Name, RecordType, Data)]) -> Option<Vec<Data>> {
    let mut current = &question.name;
    for _ in 0..=MOST_ALIASES {
        let here = || answers.iter().filter(|(owner, _, _)| owner == current);
        let found: Vec<Data> = here()
            .filter(|(_, kind, _)| *kind == question.kind)
            .map(|(_, _, data)| data.clone())
            .collect();
        let alias = here().find_map(|(_, kind, data)| match data {
            Data::Name(target) if *kind == RecordType::CNAME => Some(target),
            _ => None,
        });
        match alias {
            Some(target) if found.is_empty() => current = target,
            _ => return Some(found),
        }
    }
    None
}

/// A record whose contents have not been read yet.
struct Raw {
    owner: Name,
    kind: RecordType,
    class: DNSClass,
    ttl: u32,
    length: usize,
}

impl Raw {
    fn read(decoder: &mut BinDecoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            owner: Name::read(decoder)?,
            kind: RecordType::read(decoder)?,
            class: DNSClass::read(decoder)?,
            ttl: decoder.read_u32()?.unverified(/* any number is one */),
            length: decoder.read_u16()?.unverified(/* held against what is left */).into(),
        })
    }

    fn skip(&self, decoder: &mut BinDecoder<'_>) -> Result<(), DecodeError> {
        decoder.read_slice(self.length).map(|_| ())
    }

    fn decode(&self, decoder: &mut BinDecoder<'_>) -> Result<Data, DecodeError> {
        if self.length > decoder.len() {
            return Err(DecodeError::InsufficientBytes);
        }
        let end = decoder.index().saturating_add(self.length);
        let data = match self.kind {
            RecordType::A => Data::Ipv4(A::read(decoder)?.0),
            RecordType::AAAA => Data::Ipv6(AAAA::read(decoder)?.0),
            RecordType::MX => {
                let preference = decoder.read_u16()?.unverified(/* any number is one */);
                Data::Exchanger(preference, Name::read(decoder)?)
            }
            RecordType::TXT => Data::Text(read_strings(decoder, end)?),
            _ => Data::Name(Name::read(decoder)?),
        };
        // Contents longer or shorter than they claim to be.
        if decoder.index() == end { Ok(data) } else { Err(DecodeError::InsufficientBytes) }
    }
}

/// The strings of a TXT record, joined: its readers take them for one.
fn read_strings(decoder: &mut BinDecoder<'_>, end: usize) -> Result<Vec<u8>, DecodeError> {
    let mut text = Vec::new();
    while decoder.index() < end {
        text.extend_from_slice(decoder.read_character_data()?.unverified(/* bytes are bytes */));
    }
    Ok(text)
}

#[cfg(test)]
#[path = "reading_tests.rs"]
mod tests;
