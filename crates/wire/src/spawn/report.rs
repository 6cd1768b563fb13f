//! Reports: a spawner says what became of a delivery.

use super::{DeliveryNumber, NumberParser, REPORT_LIMIT, Width};

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Delivered.
    Success,
    /// Not now: it is to be tried again.
    Temporary,
    /// Never.
    Permanent,
}

impl Verdict {
    /// Its letter in a report.
    pub const fn letter(self) -> u8 {
        match self {
            Self::Success => b'K',
            Self::Temporary => b'Z',
            Self::Permanent => b'D',
        }
    }

    /// The verdict for a letter.
    pub const fn from_letter(letter: u8) -> Option<Self> {
        match letter {
            b'K' => Some(Self::Success),
            b'Z' => Some(Self::Temporary),
            b'D' => Some(Self::Permanent),
            _ => None,
        }
    }
}

/// The end of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The number that the command had.
    pub delivery: DeliveryNumber,
    /// What became of it.
    pub verdict: Verdict,
    /// What there is to say about it; lines end with LF.
    pub text: Vec<u8>,
}

/// A report without a verdict. Nobody knows what became of the delivery: it is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mangled {
    /// The number that the command had.
    pub delivery: DeliveryNumber,
}

impl Report {
    /// The bytes for qmail-send. A NUL would end the text there, so the text ends at its first one.
    pub fn encode(&self, width: Width) -> Vec<u8> {
        let text = self.text.split(|byte| *byte == 0).next().unwrap_or_default();
        let mut bytes = width.encode(self.delivery);
        bytes.push(self.verdict.letter());
        bytes.extend_from_slice(text);
        bytes.push(0);
        bytes
    }
}

/// Collects reports from what arrives, in bounded memory.
#[derive(Debug, Default)]
pub struct ReportParser {
    number: NumberParser,
    content: Vec<u8>,
}

impl ReportParser {
    /// A parser at the beginning of a report.
    pub fn new(width: Width) -> Self {
        Self { number: NumberParser::new(width), content: Vec::new() }
    }

    /// Takes what has arrived, and gives the reports that are complete with it.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Result<Report, Mangled>> {
        bytes.iter().filter_map(|byte| self.push_byte(*byte)).collect()
    }

    fn push_byte(&mut self, byte: u8) -> Option<Result<Report, Mangled>> {
        if self.number.take(byte) {
            return None;
        }
        if byte != 0 {
            if self.content.len() < REPORT_LIMIT - self.number.width.bytes() {
                self.content.push(byte);
            }
            return None;
        }
        let next = Self::new(self.number.width);
        let Self { number, mut content } = std::mem::replace(self, next);
        let delivery = number.number();
        let Some(verdict) = content.first().copied().and_then(Verdict::from_letter) else {
            return Some(Err(Mangled { delivery }));
        };
        content.remove(0);
        Some(Ok(Report { delivery, verdict, text: content }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(delivery: DeliveryNumber, verdict: Verdict, text: &[u8]) -> Report {
        Report { delivery, verdict, text: text.to_vec() }
    }

    #[test]
    fn reports_arrive_as_they_were_sent_however_they_are_cut() {
        let all = [
            report(0, Verdict::Success, b"did 1+0+0\n"),
            report(7, Verdict::Temporary, b""),
            report(255, Verdict::Permanent, b"no\nsuch\xff user"),
        ];
        for width in [Width::One, Width::Two] {
            let bytes: Vec<u8> = all.iter().flat_map(|report| report.encode(width)).collect();
            for cut in 0..bytes.len() {
                let mut parser = ReportParser::new(width);
                let mut arrived = parser.push(&bytes[..cut]);
                arrived.extend(parser.push(&bytes[cut..]));
                assert_eq!(arrived, all.clone().map(Ok));
            }
        }
    }

    #[test]
    fn a_report_without_a_verdict_is_mangled_and_the_next_one_is_not() {
        let mut parser = ReportParser::new(Width::One);
        let arrived = parser.push(b"\x01\0\x02Xyz\0\0Kok\0");
        let expected = [
            Err(Mangled { delivery: 1 }),
            Err(Mangled { delivery: 2 }),
            Ok(report(0, Verdict::Success, b"ok")),
        ];
        assert_eq!(arrived, expected);
    }

    #[test]
    fn what_exceeds_the_limit_is_dropped() {
        let mut parser = ReportParser::new(Width::One);
        let arrived =
            parser.push(&report(3, Verdict::Permanent, &[b'x'; 50_000]).encode(Width::One));
        let expected = report(3, Verdict::Permanent, &vec![b'x'; REPORT_LIMIT - 2]);
        assert_eq!(arrived, [Ok(expected)]);
    }

    #[test]
    fn a_number_of_two_bytes_may_have_a_nul_among_them() {
        let mut parser = ReportParser::new(Width::Two);
        let reports = [report(256, Verdict::Success, b"a"), report(509, Verdict::Temporary, b"b")];
        let bytes = reports.each_ref().map(|report| report.encode(Width::Two)).concat();
        assert_eq!(bytes, b"\0\x01Ka\0\xfd\x01Zb\0");
        assert_eq!(parser.push(&bytes), reports.map(Ok));
    }

    #[test]
    fn a_text_ends_at_its_first_nul() {
        assert_eq!(report(1, Verdict::Success, b"a\0Db").encode(Width::One), b"\x01Ka\0");
    }
}
