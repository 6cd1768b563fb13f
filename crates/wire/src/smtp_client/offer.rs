//! What a server offers in its reply to EHLO.

use super::Reply;

/// The extensions that a server offers. One that does not know EHLO offers none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// RFC 2920: commands may be sent without waiting for each reply.
    pub pipelining: bool,
    /// RFC 6152: messages may have bytes beyond ASCII.
    pub eight_bit: bool,
    /// RFC 3207: the rest may be said inside TLS.
    pub starttls: bool,
    /// RFC 1870: messages may declare their size; and the largest that is taken, if there is one.
    pub size: Option<SizeLimit>,
    /// RFC 4954: the mechanisms to authenticate by, in upper case and in the server's order.
    pub auth: Option<Vec<Vec<u8>>>,
}

/// The largest message that a server takes; `None` if it does not say.
pub type SizeLimit = Option<u64>;

impl Offer {
    /// Reads a reply to EHLO: a keyword begins each line but the first. What nobody understands is
    /// not offered.
    pub fn parse(reply: &Reply) -> Self {
        let mut offer = Self::default();
        for line in reply.text().split(|byte| *byte == b'\n').skip(1) {
            let Some(line) = line.get(4..) else { continue };
            // Old servers write `AUTH=LOGIN`, for clients that are older still.
            let mut words = line.split(|byte| matches!(byte, b' ' | b'\t' | b'='));
            let keyword = words.next().unwrap_or_default().to_ascii_uppercase();
            offer.add(&keyword, words.filter(|word| !word.is_empty()));
        }
        offer
    }

    fn add<'l>(&mut self, keyword: &[u8], mut words: impl Iterator<Item = &'l [u8]>) {
        match keyword {
            b"PIPELINING" => self.pipelining = true,
            b"8BITMIME" => self.eight_bit = true,
            b"STARTTLS" => self.starttls = true,
            // RFC 1870 §4: 0 is no limit.
            b"SIZE" => {
                self.size = Some(words.next().and_then(number).filter(|limit| *limit > 0));
            }
            b"AUTH" => {
                let mechanisms = self.auth.get_or_insert_default();
                for mechanism in words.map(<[u8]>::to_ascii_uppercase) {
                    if !mechanisms.contains(&mechanism) {
                        mechanisms.push(mechanism);
                    }
                }
            }
            _ => {}
        }
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smtp_client::ReplyParser;

    fn offer(text: &str) -> Offer {
        Offer::parse(&ReplyParser::new().feed(&mut text.as_bytes()).unwrap().unwrap())
    }

    #[test]
    fn keywords_are_read_in_any_case_and_the_first_line_is_none() {
        let text = "250-PIPELINING\r\n250-size 1000\r\n250-8BITMIME\r\n250-StartTLS\r\n\
                    250-AUTH login CRAM-MD5\r\n250-AUTH=LOGIN PLAIN\r\n250 X-ODD\r\n";
        let auth = [b"LOGIN".to_vec(), b"CRAM-MD5".to_vec(), b"PLAIN".to_vec()];
        let expected = Offer {
            pipelining: false,
            eight_bit: true,
            starttls: true,
            size: Some(Some(1000)),
            auth: Some(auth.to_vec()),
        };
        assert_eq!(offer(text), expected);
        assert!(offer("250-x\r\n250 PIPELINING\r\n").pipelining);
        assert_eq!(offer("250 PIPELINING\r\n"), Offer::default());
        assert_eq!(offer("250-x\r\n250-\r\n250\r\n"), Offer::default());
    }

    #[test]
    fn a_limit_that_is_none_is_no_limit() {
        for size in ["SIZE", "SIZE 0", "SIZE x", "SIZE -1", "SIZE 99999999999999999999"] {
            assert_eq!(offer(&format!("250-x\r\n250 {size}\r\n")).size, Some(None), "{size}");
        }
        assert_eq!(offer("250-x\r\n250 SIZE 9\r\n").size, Some(Some(9)));
        assert_eq!(offer("250-x\r\n250 AUTH\r\n").auth, Some(vec![]));
    }
}
