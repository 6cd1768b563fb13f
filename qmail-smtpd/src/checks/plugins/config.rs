//! `smtpplugins`: which plug-ins are asked at which step.

/// A step of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::checks) enum Section {
    Connection,
    Helo,
    Mail,
    Rcpt,
    Data,
    Auth,
    Pass,
}

/// The plug-ins of each section, in their order.
#[derive(Debug, Default)]
pub(in crate::checks) struct Sections {
    by_section: [Vec<Vec<u8>>; 7],
}

impl Section {
    /// By the letter behind the bracket.
    fn of(letter: Option<&u8>) -> Option<Self> {
        match letter? {
            b'c' => Some(Self::Connection),
            b'h' => Some(Self::Helo),
            b'm' => Some(Self::Mail),
            b'r' => Some(Self::Rcpt),
            b'd' => Some(Self::Data),
            b'a' => Some(Self::Auth),
            b'p' => Some(Self::Pass),
            _ => None,
        }
    }

    fn number(self) -> usize {
        match self {
            Self::Connection => 0,
            Self::Helo => 1,
            Self::Mail => 2,
            Self::Rcpt => 3,
            Self::Data => 4,
            Self::Auth => 5,
            Self::Pass => 6,
        }
    }

    /// Where the variable is that has what this step is about.
    pub(super) fn address_variable(self) -> Option<&'static str> {
        match self {
            Self::Helo => Some("SMTPHELOHOST"),
            Self::Mail => Some("SMTPMAILFROM"),
            Self::Rcpt | Self::Pass => Some("SMTPRCPTTO"),
            Self::Connection | Self::Data | Self::Auth => None,
        }
    }

    /// Which of the queues of `L` is for this step.
    pub(super) fn queue(self) -> Option<usize> {
        match self {
            Self::Mail => Some(0),
            Self::Rcpt => Some(1),
            Self::Data => Some(2),
            Self::Connection | Self::Helo | Self::Auth | Self::Pass => None,
        }
    }
}

impl Sections {
    /// From the lines of the file. What stands before the first section, or in one that nobody
    /// knows, does not count.
    pub(in crate::checks) fn parse(lines: &[Vec<u8>]) -> Self {
        let mut sections = Self::default();
        let mut section = None;
        for line in lines {
            if let Some(name) = line.strip_prefix(b"[") {
                section = Section::of(name.first());
            } else if let Some(section) = section
                && let Some(plugins) = sections.by_section.get_mut(section.number())
            {
                plugins.push(line.clone());
            }
        }
        sections
    }

    pub(super) fn plugins(&self, section: Section) -> &[Vec<u8>] {
        self.by_section.get(section.number()).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_letter_names_the_section_and_sections_may_come_again() {
        let text = "early\n[mail]\nplugins/one\n:two -x\n[unknown]\nnone\n[rcpt]\nplugins/three\n\
                    [m]\nplugins/four with blanks\n[Mail]\nnone";
        let lines: Vec<Vec<u8>> = text.lines().map(|line| line.as_bytes().to_vec()).collect();
        let sections = Sections::parse(&lines);
        let mail: Vec<&[u8]> = sections.plugins(Section::Mail).iter().map(Vec::as_slice).collect();
        assert_eq!(mail, [&b"plugins/one"[..], b":two -x", b"plugins/four with blanks"]);
        assert_eq!(sections.plugins(Section::Rcpt), [b"plugins/three".to_vec()]);
        assert!(sections.plugins(Section::Data).is_empty());
    }
}
