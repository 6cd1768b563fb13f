//! What a spawner's report means for a recipient.

use qmail_wire::spawn::{Mangled, Report, Verdict};

/// Said in a bounce when the last of all attempts was put off, too.
const TOO_LONG: &[u8] =
    b"I'm not going to try again; this message has been in the queue too long.\n";

/// What becomes of a recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// He has his mail.
    Success(Vec<u8>),
    /// He is tried again.
    Deferral(Vec<u8>),
    /// He will never have it, and the sender is told.
    Failure(Vec<u8>),
    /// Nobody knows: he is tried again.
    Unknown,
}

/// Judges a report. After the `last` attempt a deferral is a failure.
pub(crate) fn judge(report: Result<Report, Mangled>, last: bool) -> Outcome {
    match report {
        Err(Mangled { .. }) => Outcome::Unknown,
        Ok(Report { verdict, mut text, .. }) => match verdict {
            Verdict::Success => Outcome::Success(text),
            Verdict::Permanent => Outcome::Failure(text),
            Verdict::Temporary if last => {
                text.extend_from_slice(TOO_LONG);
                Outcome::Failure(text)
            }
            Verdict::Temporary => Outcome::Deferral(text),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(verdict: Verdict) -> Result<Report, Mangled> {
        Ok(Report { delivery: 0, verdict, text: b"text\n".to_vec() })
    }

    #[test]
    fn a_deferral_is_a_failure_only_when_it_is_the_last() {
        let text = b"text\n".to_vec();
        assert_eq!(judge(report(Verdict::Temporary), false), Outcome::Deferral(text.clone()));
        assert_eq!(judge(report(Verdict::Success), true), Outcome::Success(text.clone()));
        assert_eq!(judge(report(Verdict::Permanent), false), Outcome::Failure(text));
        let expected = "text\nI'm not going to try again; \
                        this message has been in the queue too long.\n";
        let failure = Outcome::Failure(expected.as_bytes().to_vec());
        assert_eq!(judge(report(Verdict::Temporary), true), failure);
    }

    #[test]
    fn a_mangled_report_never_bounces() {
        assert_eq!(judge(Err(Mangled { delivery: 0 }), true), Outcome::Unknown);
    }
}
