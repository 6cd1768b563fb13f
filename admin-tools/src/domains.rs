//! Parts of domain names, and the names that a short one may stand for.

/// What short host names are completed with: the first label goes if two others are left.
pub fn default_domain(name: &[u8]) -> &[u8] {
    let labels: Vec<&[u8]> = name.split(|byte| *byte == b'.').collect();
    match labels.as_slice() {
        [first, _, _, ..] => name.get(first.len() + 1..).unwrap_or(name),
        _ => name,
    }
}

/// What host names ending in a plus are completed with: the last two labels.
pub fn plus_domain(name: &[u8]) -> &[u8] {
    let mut dots = name.iter().enumerate().rev().filter(|(_, byte)| **byte == b'.');
    let start = dots.nth(1).map_or(0, |(at, _)| at + 1);
    name.get(start..).unwrap_or(name)
}

/// The domains in which short names are looked for, as a resolv.conf(5) and `$LOCALDOMAIN` say; and
/// how many dots make a name a full one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchList {
    domains: Vec<Vec<u8>>,
    dots: usize,
}

impl SearchList {
    /// The last line of the text that names domains counts, and the variable more. Without either,
    /// it is the domain of this host.
    pub fn parse(text: &str, variable: Option<&str>, own_name: &[u8]) -> Self {
        let mut named = None;
        let mut dots = 1;
        for line in text.lines() {
            let mut words = line.split_ascii_whitespace();
            match words.next() {
                Some("search") => named = Some(words.map(Into::into).collect()),
                Some("domain") => named = Some(words.take(1).map(Into::into).collect()),
                Some("options") => {
                    let number = words.filter_map(|word| word.strip_prefix("ndots:")).next_back();
                    dots = number.and_then(|it| it.parse().ok()).unwrap_or(dots);
                }
                _ => {}
            }
        }
        let from_variable =
            variable.map(|list| list.split_ascii_whitespace().map(Into::into).collect());
        let own = || {
            let dot = own_name.iter().position(|byte| *byte == b'.');
            dot.and_then(|dot| own_name.get(dot + 1..)).map(<[u8]>::to_vec).into_iter().collect()
        };
        Self { domains: from_variable.or(named).unwrap_or_else(own), dots }
    }

    /// The one of this system, whose name is `own_name`. A set-id program would not believe the
    /// variable.
    pub fn from_system(own_name: &[u8]) -> Self {
        // Without the file it is as if it were empty: see resolv.conf(5).
        let text = std::fs::read("/etc/resolv.conf").unwrap_or_default();
        let variable = std::env::var("LOCALDOMAIN").ok();
        Self::parse(&String::from_utf8_lossy(&text), variable.as_deref(), own_name)
    }

    /// What `name` may stand for, in the order in which it is asked for.
    pub fn candidates(&self, name: &[u8]) -> Vec<Vec<u8>> {
        if name.ends_with(b".") {
            return vec![name.to_vec()];
        }
        let longer = self.domains.iter().map(|domain| [name, b".", domain.as_slice()].concat());
        let own = std::iter::once(name.to_vec());
        let dots = name.iter().filter(|byte| **byte == b'.').count();
        if dots >= self.dots { own.chain(longer).collect() } else { longer.chain(own).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_keep_two_labels_at_least() {
        assert_eq!(default_domain(b"mail.here.example"), b"here.example");
        assert_eq!(default_domain(b"here.example"), b"here.example");
        assert_eq!(default_domain(b"here"), b"here");
        assert_eq!(plus_domain(b"a.mail.here.example"), b"here.example");
        assert_eq!(plus_domain(b"here.example"), b"here.example");
        assert_eq!(plus_domain(b"here"), b"here");
    }

    fn candidates(text: &str, variable: Option<&str>, name: &str) -> Vec<String> {
        let list = SearchList::parse(text, variable, b"me.own.example");
        let names = list.candidates(name.as_bytes());
        names.into_iter().map(|name| String::from_utf8(name).unwrap()).collect()
    }

    #[test]
    fn short_names_are_completed_first_and_long_ones_last() {
        let text = "domain x\nsearch a.example b.example\n";
        assert_eq!(candidates(text, None, "h"), ["h.a.example", "h.b.example", "h"]);
        assert_eq!(candidates(text, None, "h.c"), ["h.c", "h.c.a.example", "h.c.b.example"]);
        assert_eq!(candidates(text, None, "h."), ["h."]);
        assert_eq!(candidates("options ndots:2\nsearch a", None, "h.c"), ["h.c.a", "h.c"]);
    }

    #[test]
    fn the_variable_wins_and_the_own_domain_is_last_resort() {
        assert_eq!(candidates("search a\n", Some("v w"), "h"), ["h.v", "h.w", "h"]);
        assert_eq!(candidates("", None, "h"), ["h.own.example", "h"]);
    }
}
