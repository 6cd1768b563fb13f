//! Which outcomes are refused: `$DKIMVERIFY`.

use super::{Outcome, Verdict};
use crate::Domain;

/// The letters of outcomes that are refused: for good those in upper case, for now those in lower
/// case. Without letters, nothing is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy(Vec<u8>);

/// A message that is refused, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Whether trying again is useless.
    pub is_permanent: bool,
    /// Why, in a few words.
    pub words: &'static str,
}

impl Policy {
    /// Reads the letters. A lone `p` refuses nothing: that is how one has always written it.
    pub fn parse(letters: &[u8]) -> Self {
        if letters == b"p" { Self::default() } else { Self(letters.to_vec()) }
    }

    /// Whether a message with these outcomes is refused. A signature that could not be judged for
    /// want of an answer never makes a message be refused for good.
    pub fn judge(&self, outcomes: &[Outcome], author: Option<&Domain>) -> Option<Refusal> {
        let letters = letters(outcomes, author);
        let refused = |letter: &u8| letters.contains(letter);
        let is_permanent = self.0.iter().any(refused);
        let is_temporary = self
            .0
            .iter()
            .any(|letter| letter.is_ascii_lowercase() && refused(&letter.to_ascii_uppercase()));
        if !is_permanent && !is_temporary {
            return None;
        }
        let may_change = outcomes.iter().any(|outcome| outcome.verdict.may_change());
        let words = outcomes.iter().find(|outcome| !outcome.is_pass());
        Some(Refusal {
            is_permanent: is_permanent && !may_change,
            words: words.map_or("not signed by its author", |outcome| outcome.verdict.words()),
        })
    }
}

/// The letters of a message. One good signature is enough: what the others are does not count.
fn letters(outcomes: &[Outcome], author: Option<&Domain>) -> Vec<u8> {
    if !outcomes.iter().any(Outcome::is_pass) {
        let all = outcomes.iter().map(|outcome| outcome.verdict.letter());
        let is_signed = outcomes.iter().any(|outcome| outcome.verdict != Verdict::NotSigned);
        return all.chain(is_signed.then_some(b'T')).collect();
    }
    let first = if outcomes.iter().all(Outcome::is_pass) { b'A' } else { b'C' };
    let vouched = author.is_some_and(|author| outcomes.iter().any(|o| o.vouches_for(author)));
    if vouched { vec![first] } else { vec![first, b'F'] }
}

#[cfg(test)]
mod tests {
    use super::super::outcome::Claim;
    use super::*;
    use mail_auth::dkim::Signature;

    fn outcome(verdict: Verdict) -> Outcome {
        let signature = Signature { d: "example.org".into(), ..Signature::default() };
        Outcome { verdict, signature: Some(Claim::of(&signature)) }
    }

    /// `D`, `Z` or `-` for each policy.
    fn judged(verdicts: &[Verdict], author: &str, policies: &[&str]) -> String {
        let outcomes: Vec<_> = verdicts.iter().copied().map(outcome).collect();
        let author = Domain::parse(author.as_bytes());
        let judge = |policy: &&str| match Policy::parse(policy.as_bytes())
            .judge(&outcomes, author.as_ref())
        {
            None => '-',
            Some(refusal) if refusal.is_permanent => 'D',
            Some(_) => 'Z',
        };
        policies.iter().map(judge).collect()
    }

    const AUTHOR: &str = "mail.example.org";

    #[test]
    fn nothing_is_refused_without_letters() {
        for verdict in [Verdict::NotSigned, Verdict::WrongSignature, Verdict::NoAnswer] {
            assert_eq!(judged(&[verdict], AUTHOR, &["", "p"]), "--");
        }
    }

    #[test]
    fn the_case_of_a_letter_says_for_how_long() {
        let policies = ["U", "u", "T", "t", "S", "IKu"];
        assert_eq!(judged(&[Verdict::BodyChanged], AUTHOR, &policies), "DZDZ-Z");
        assert_eq!(judged(&[Verdict::NotSigned], AUTHOR, &["S", "s", "T"]), "DZ-");
    }

    #[test]
    fn one_good_signature_is_enough() {
        let mixed = [Verdict::BodyChanged, Verdict::Pass];
        assert_eq!(judged(&mixed, AUTHOR, &["UTI", "C", "A"]), "-D-");
        assert_eq!(judged(&[Verdict::Pass], AUTHOR, &["BCDEFGHIJKLMNOPQRSTUVWXY", "A"]), "-D");
    }

    #[test]
    fn others_may_not_sign_for_an_author_if_one_says_so() {
        for (author, expected) in
            [("example.org", "-"), ("a.example.org", "-"), ("org", "D"), ("x.example", "D")]
        {
            assert_eq!(judged(&[Verdict::Pass], author, &["F"]), expected, "{author}");
        }
        let nobody = Policy::parse(b"F").judge(&[outcome(Verdict::Pass)], None);
        assert!(nobody.unwrap().is_permanent);
    }

    #[test]
    fn what_may_change_is_not_refused_for_good() {
        let unsettled = [Verdict::BodyChanged, Verdict::NoAnswer];
        assert_eq!(judged(&unsettled, AUTHOR, &["U", "T", "P", "pq", ""]), "ZZZZ-");
    }
}
