//! Ports by number or name: services(5).

use std::fs::File;
use std::io::Read;

const FILE: &str = "/etc/services";
const LARGEST_FILE: u64 = 4 << 20;

/// The port that a word means; `None` if nobody knows.
pub(crate) fn of(word: &[u8]) -> Option<u16> {
    number(word).or_else(|| named(word, &services()))
}

fn number(word: &[u8]) -> Option<u16> {
    let plain = word.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(word).ok()?.parse().ok().filter(|_| plain)
}

/// The file; nothing if it cannot be read.
fn services() -> Vec<u8> {
    let mut text = Vec::new();
    match File::open(FILE).and_then(|file| file.take(LARGEST_FILE).read_to_end(&mut text)) {
        Ok(_) => text,
        Err(_) => Vec::new(),
    }
}

/// The first service of TCP with this name or alias.
fn named(name: &[u8], services: &[u8]) -> Option<u16> {
    services.split(|byte| *byte == b'\n').find_map(|line| {
        let line = line.split(|byte| *byte == b'#').next()?;
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let (first, port) = (words.next()?, words.next()?.strip_suffix(b"/tcp")?);
        let is_it = first == name || words.any(|alias| alias == name);
        number(port).filter(|_| is_it)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVICES: &[u8] = b"# names\nsmtp\t\t25/tcp\t\tmail # Simple Mail\nx 25/udp\nbroken\n\
        domain 53/udp\ndomain\t53/tcp\nbig 70000/tcp\nsubmission 587/tcp";

    #[test]
    fn names_and_aliases_of_tcp_are_known() {
        for (name, port) in [("smtp", 25), ("mail", 25), ("domain", 53), ("submission", 587)] {
            assert_eq!(named(name.as_bytes(), SERVICES), Some(port), "{name}");
        }
        for name in ["x", "broken", "big", "Simple", "25", "#", ""] {
            assert_eq!(named(name.as_bytes(), SERVICES), None, "{name}");
        }
    }

    #[test]
    fn numbers_are_digits_and_no_more_than_there_are_ports() {
        assert_eq!(number(b"65535"), Some(65535));
        for word in ["65536", "+25", "-1", "", "25x", " 25"] {
            assert_eq!(number(word.as_bytes()), None, "{word}");
        }
    }
}
