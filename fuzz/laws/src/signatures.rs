//! DKIM: headers of strangers, and records in their zones.

use std::io::{self, Read};

use qmail_dns::{Cause, Failure};
use qmail_policy::dkim::{Limits, Records, Verifier};
use qmail_policy::results::{is_from, without_claims, write};
use qmail_policy::text::{Blocks, author, fields, wire};

const SERVER: &str = "mx.example";

/// What DNS says of every name.
struct Zone<'t>(Option<&'t [u8]>);

impl Records for Zone<'_> {
    fn texts(&self, _: &str) -> Result<Vec<Vec<u8>>, Failure> {
        let text = self.0.ok_or(Failure::Temporary(Cause::TimedOut))?;
        Ok(vec![text.to_vec()])
    }
}

/// A stranger's message has a bounded number of outcomes, none of them good; what we write of them
/// is one field, which is known for ours; and what claims to be ours is gone after one look.
pub(crate) fn dkim(bytes: &[u8]) {
    let (header, body) = parts(bytes, bytes.len());
    assert_eq!(parts(bytes, 1), (header.clone(), body.clone()));
    assert!(!header.contains(&b'\r') && !body.contains(&b'\r'));
    let header = &header[..];
    let length: usize = fields(header).map(<[u8]>::len).sum();
    assert!(matches!(header.len() - length, 0 | 1));
    let _ = author(header);

    let on_the_wire = wire(header);
    let limits = Limits::default();
    let mut verifier = Verifier::new(&on_the_wire, limits);
    verifier.body(&body);
    let outcomes = verifier.finish(&Zone(None), limits);
    assert!((1..=limits.signatures + 1).contains(&outcomes.len()));
    assert!(!outcomes.iter().any(qmail_policy::dkim::Outcome::is_pass));
    let methods: Vec<_> = outcomes.iter().map(|outcome| outcome.method()).collect();
    let field = write(SERVER, &methods);
    assert_eq!(fields(&field).count(), 1);
    assert!(field.is_ascii() && is_from(&field, SERVER));

    let kept = without_claims(header, SERVER).concat();
    assert_eq!(without_claims(&kept, SERVER).concat(), kept);
    assert!(!fields(&kept).any(|field| is_from(field, SERVER)));
    let marked = [&field[..], &kept].concat();
    assert_eq!(without_claims(&marked, SERVER).concat(), kept);
}

/// Header and body of a message that comes in blocks of this size.
fn parts(message: &[u8], size: usize) -> (Vec<u8>, Vec<u8>) {
    let mut blocks = Blocks::new(Slow { rest: message, size });
    let (header, mut body) = blocks.read_header(usize::MAX).unwrap();
    while let Some(block) = blocks.next_block().unwrap() {
        body.extend_from_slice(&block);
    }
    (header.text().to_vec(), body)
}

struct Slow<'m> {
    rest: &'m [u8],
    size: usize,
}

impl Read for Slow<'_> {
    fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        let room = self.size.min(block.len());
        self.rest.read(&mut block[..room])
    }
}

/// Whatever stands in a zone, a signature that nobody has made does not pass.
pub(crate) fn record(bytes: &[u8]) {
    let header = b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=a.example; s=s;\r\n \
        h=From; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\r\n\
        DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; d=a.example; s=e;\r\n \
        h=From; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\r\n\
        From: a@a.example\r\n\r\n";
    let limits = Limits::default();
    let outcomes = Verifier::new(header, limits).finish(&Zone(Some(bytes)), limits);
    assert_eq!(outcomes.len(), 2);
    assert!(!outcomes.iter().any(qmail_policy::dkim::Outcome::is_pass));
    let asked = outcomes.iter().all(|outcome| outcome.verdict.words() != "body does not match");
    assert!(asked, "it was not looked up");
}
