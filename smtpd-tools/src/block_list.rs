//! rblsmtpd's options and decisions.

use std::net::{IpAddr, Ipv4Addr};

use qmail_dns::{Name, Resolver, listing};

/// As much as a list may say.
const LONGEST_TEXT: usize = 200;

/// What is to be asked, and what it means.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Options {
    is_permanent: bool,
    fails_closed: bool,
    lists: Vec<List>,
}

/// A list: of those who are welcome, or of the others.
#[derive(Debug, PartialEq, Eq)]
struct List {
    allows: bool,
    base: Vec<u8>,
    message: Option<Vec<u8>>,
}

/// Nobody could tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoAnswer;

/// Answers of the DNS: `Ok(None)` is that there is no such name.
pub trait Dns {
    /// The texts of a name.
    fn texts(&self, name: &[u8]) -> Result<Option<Vec<Vec<u8>>>, NoAnswer>;
    /// The addresses of a name.
    fn addresses(&self, name: &[u8]) -> Result<Option<Vec<Ipv4Addr>>, NoAnswer>;
}

/// The servers that this system asks.
#[derive(Clone, Copy, Debug)]
pub struct SystemDns;

impl Dns for SystemDns {
    fn texts(&self, name: &[u8]) -> Result<Option<Vec<Vec<u8>>>, NoAnswer> {
        let Some(name) = Name::parse(name) else { return Ok(None) };
        settled(Resolver::from_system().texts(&name))
    }

    fn addresses(&self, name: &[u8]) -> Result<Option<Vec<Ipv4Addr>>, NoAnswer> {
        let Some(name) = Name::parse(name) else { return Ok(None) };
        settled(Resolver::from_system().ipv4(&name))
    }
}

fn settled<T>(result: Result<T, qmail_dns::Failure>) -> Result<Option<T>, NoAnswer> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(failure) if failure.is_hard() => Ok(None),
        Err(_) => Err(NoAnswer),
    }
}

impl Options {
    /// `-b` or `-B`, `-c` or `-C`, `-r base[:message]`, `-a base`, in any order. `None` if there is
    /// anything else.
    pub fn parse(arguments: &[Vec<u8>]) -> Option<Self> {
        let mut options = Self::default();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_slice() {
                b"-b" => options.is_permanent = true,
                b"-B" => options.is_permanent = false,
                b"-c" => options.fails_closed = true,
                b"-C" => options.fails_closed = false,
                b"-r" => options.add(false, arguments.next()?),
                b"-a" => options.add(true, arguments.next()?),
                _ => return None,
            }
        }
        Some(options)
    }

    fn add(&mut self, allows: bool, value: &[u8]) {
        let mut parts = value.splitn(2, |byte| *byte == b':');
        let base = parts.next().unwrap_or_default().to_vec();
        self.lists.push(List { allows, base, message: parts.next().map(<[u8]>::to_vec) });
    }
}

/// Code and text for a client who is refused. `decided` is what somebody has decided already: empty
/// for nothing against it, `-text` refused for good, `text` refused for now.
pub fn refusal(
    options: &Options,
    address: &[u8],
    decided: Option<&[u8]>,
    dns: &dyn Dns,
) -> Option<(u16, Vec<u8>)> {
    match decided {
        Some([]) => return None,
        Some([b'-', text @ ..]) => return Some((553, printable(text))),
        Some(text) => return Some((451, printable(text))),
        None => {}
    }
    let shown = String::from_utf8_lossy(address).into_owned();
    let client: IpAddr = shown.parse().ok()?;
    let mut is_permanent = options.is_permanent;
    for list in &options.lists {
        let name = [listing::reversed(client), b".".to_vec(), list.base.clone()].concat();
        match list.ask(dns, &name, &shown) {
            Ok(None) => {}
            Ok(Some(_)) if list.allows => return None,
            Ok(Some(text)) => {
                return Some((if is_permanent { 553 } else { 451 }, printable(&text)));
            }
            Err(NoAnswer) if options.fails_closed => {
                return Some((451, b"temporary RBL lookup error".to_vec()));
            }
            Err(NoAnswer) if list.allows => return None,
            // Whom the list that failed would have refused for now must not be refused for good.
            Err(NoAnswer) => is_permanent = false,
        }
    }
    None
}

impl List {
    fn ask(&self, dns: &dyn Dns, name: &[u8], address: &str) -> Result<Option<Vec<u8>>, NoAnswer> {
        if !self.allows && self.message.is_none() {
            let found = dns.texts(name)?;
            return Ok(found.map(|texts| texts.into_iter().next().unwrap_or_default()));
        }
        let Some(found) = dns.addresses(name)? else { return Ok(None) };
        match listing::is_listing(&found) {
            None => Err(NoAnswer),
            Some(false) => Ok(None),
            Some(true) => {
                let message = String::from_utf8_lossy(self.message.as_deref().unwrap_or_default());
                Ok(Some(message.replace("%IP%", address).into_bytes()))
            }
        }
    }
}

fn printable(text: &[u8]) -> Vec<u8> {
    let shown = |byte: &u8| if matches!(byte, b' '..=b'~') { *byte } else { b'?' };
    text.iter().take(LONGEST_TEXT).map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;

    impl Dns for Fixed {
        fn texts(&self, name: &[u8]) -> Result<Option<Vec<Vec<u8>>>, NoAnswer> {
            match name {
                b"1.2.0.192.listed" => Ok(Some(vec![b"see\nx".to_vec()])),
                b"1.2.0.192.broken" => Err(NoAnswer),
                _ => Ok(None),
            }
        }

        fn addresses(&self, name: &[u8]) -> Result<Option<Vec<Ipv4Addr>>, NoAnswer> {
            match name {
                b"1.2.0.192.good" | b"1.2.0.192.a" => Ok(Some(vec![Ipv4Addr::new(127, 0, 0, 2)])),
                b"1.2.0.192.broken" => Err(NoAnswer),
                _ => Ok(None),
            }
        }
    }

    fn refused(line: &str) -> Option<(u16, String)> {
        let arguments: Vec<Vec<u8>> =
            line.split_whitespace().map(|word| word.as_bytes().to_vec()).collect();
        let options = Options::parse(&arguments).unwrap();
        let (code, text) = refusal(&options, b"192.0.2.1", None, &Fixed)?;
        Some((code, String::from_utf8(text).unwrap()))
    }

    #[test]
    fn the_first_list_decides() {
        assert_eq!(refused("-r none -r listed"), Some((451, "see?x".to_owned())));
        assert_eq!(refused("-b -r listed"), Some((553, "see?x".to_owned())));
        assert_eq!(refused("-a good -r listed"), None);
        assert_eq!(refused("-r a:no-%IP%"), Some((451, "no-192.0.2.1".to_owned())));
        assert_eq!(refused(""), None);
    }

    #[test]
    fn after_a_failure_nothing_is_for_good() {
        assert_eq!(refused("-b -r broken -r listed"), Some((451, "see?x".to_owned())));
        let later = Some((451, "temporary RBL lookup error".to_owned()));
        assert_eq!(refused("-b -c -r broken"), later);
        assert_eq!(refused("-a broken -r listed"), None);
        assert_eq!(refused("-c -a broken"), later);
    }

    #[test]
    fn what_was_decided_holds_and_options_must_be_known() {
        let options = Options::parse(&[b"-r".to_vec(), b"listed".to_vec()]).unwrap();
        let decide = |value: &[u8]| refusal(&options, b"192.0.2.1", Some(value), &Fixed);
        assert_eq!(decide(b""), None);
        assert_eq!(decide(b"-no"), Some((553, b"no".to_vec())));
        assert_eq!(decide(b"wait"), Some((451, b"wait".to_vec())));
        assert_eq!(Options::parse(&[b"-t".to_vec()]), None);
        assert_eq!(Options::parse(&[b"-r".to_vec()]), None);
    }
}
