//! Options, of which sendmail has many more than qmail has uses for.

use qmail_core::options::{Given, Options};

use crate::Failure;

/// All options. Those of the second line are other sendmails': notifications, mail transaction
/// ids, tags and modes that we have no use for. A program that gives them wants its mail sent.
pub(crate) const LETTERS: &[u8] = b"vimte:f:p:o:B:F:EJxb:\
                                    GUnN:R:V:O:L:A:";

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// To show the queue.
    ListQueue,
    /// To speak SMTP on descriptors 0 and 1.
    Serve,
    /// To send a message.
    Send {
        /// The envelope sender.
        sender: Option<Vec<u8>>,
        /// The author's name.
        name: Option<Vec<u8>>,
        /// Whether recipients in the header count, beside those given here.
        header_recipients: bool,
        /// Recipients given here.
        recipients: Vec<Vec<u8>>,
    },
}

impl Request {
    /// Reads the command line, on which the name of the program may say what is asked for.
    pub(crate) fn parse(mut options: Options) -> Result<Self, Failure> {
        let (mut sender, mut name, mut header_recipients) = (None, None, false);
        while let Some(option) = options.next_option().map_err(|bad| Failure::Usage(Some(bad)))? {
            match option {
                Given::Letter(b't') => header_recipients = true,
                // Their arguments may be missing.
                Given::Letter(b'E' | b'J') => {
                    options.rest_of_word();
                }
                Given::Argument(b'f', argument) => sender = Some(bare(argument)),
                Given::Argument(b'F', argument) => name = Some(argument),
                Given::Argument(b'b', mode) => match mode.first() {
                    Some(b'm') => {}
                    Some(b'p') => return Ok(Self::ListQueue),
                    Some(b's') => return Ok(Self::Serve),
                    _ => return Err(Failure::Usage(None)),
                },
                Given::Letter(_) | Given::Argument(..) => {}
            }
        }
        match options.program() {
            b"mailq" => Ok(Self::ListQueue),
            b"newaliases" => Err(Failure::NewAliases),
            _ => {
                let recipients = options.operands();
                Ok(Self::Send { sender, name, header_recipients, recipients })
            }
        }
    }
}

/// `<>` is how bounces write the empty sender.
fn bare(sender: Vec<u8>) -> Vec<u8> {
    if sender == b"<>" { Vec::new() } else { sender }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(words: &[&str]) -> Result<Request, Failure> {
        Request::parse(Options::new(LETTERS, words.iter().copied().map(Into::into)))
    }

    fn sender(words: &[&str]) -> Option<String> {
        match request(words) {
            Ok(Request::Send { sender, .. }) => {
                sender.map(|bytes| String::from_utf8(bytes).unwrap())
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn options_without_a_use_are_taken_with_their_arguments() {
        let many = ["-oi", "-o", "em", "-odb", "-B8BITMIME", "-p", "x", "-bm", "-vimx", "-Etext"];
        let more =
            ["-N", "never", "-Rhdrs", "-V", "id", "-G", "-U", "-n", "-O", "a=b", "-Lx", "-Am"];
        let words = [["sendmail"].as_slice(), &many, &more, &["-fjoe", "x"]].concat();
        assert_eq!(sender(&words).unwrap(), "joe");
    }

    #[test]
    fn modes_that_qmail_lacks_are_refused() {
        for mode in ["-bd", "-bt", "-bi"] {
            let failure = request(&["sendmail", mode]).unwrap_err();
            assert!(failure.message().starts_with("sendmail: usage: sendmail [ -t ]"));
            assert_eq!(failure.code(), 100);
        }
    }

    #[test]
    fn unknown_options_are_named_before_the_usage() {
        let failure = request(&["/usr/sbin/sendmail", "-q30m"]).unwrap_err();
        assert!(failure.message().starts_with("sendmail: illegal option -- q\nsendmail: usage: "));
        let failure = request(&["sendmail", "-f"]).unwrap_err();
        assert!(failure.message().starts_with("sendmail: option requires an argument -- f\n"));
    }

    #[test]
    fn what_is_asked_for_first_is_done() {
        assert_eq!(request(&["sendmail", "-bp", "-bs", "-q"]), Ok(Request::ListQueue));
        assert_eq!(request(&["sendmail", "-bs", "-q"]), Ok(Request::Serve));
    }

    #[test]
    fn newaliases_is_for_somebody_else() {
        let failure = request(&["/usr/bin/newaliases"]).unwrap_err();
        let text = "sendmail: fatal: please use fastforward/newaliases instead\n";
        assert_eq!((failure.code(), failure.message().as_str()), (100, text));
    }
}
