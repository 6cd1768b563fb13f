//! Control files: one row a setting, and the three shapes in which settings are written.

mod map;
mod survey;
mod table;

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::if_there;
pub use map::{Map, Set};
use survey::Survey;
pub use table::*;

/// A setting: the file in `control/` that has it, and what holds without that file.
#[derive(Clone, Copy, Debug)]
pub struct Control {
    /// Name of the file.
    pub file: &'static str,
    /// How it is written.
    pub shape: Shape,
    /// What holds if it is missing.
    pub default: Default,
    /// Programs that read it.
    pub readers: &'static [&'static str],
    /// What it is, in a few words.
    pub about: &'static str,
}

/// How a control file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Its first line.
    Line,
    /// The digits at the beginning of its first line.
    Number,
    /// A value on each line; lines that are empty or begin with `#` do not count.
    List,
    /// A list of `key:value`.
    Map,
    /// A constant database.
    Cdb,
    /// In a form that only its readers know: certificates and keys, say, or a directory of them.
    File,
}

/// What holds if a control file is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Default {
    /// Nothing: the reader decides.
    Nothing,
    /// The contents of `me`, if that is there.
    Me,
    /// The contents of `me`, or else this.
    MeOr(&'static str),
    /// This.
    Text(&'static str),
    /// This.
    Number(u64),
}

/// A control file that is there but cannot be read. No program goes on then.
#[derive(Debug)]
pub struct ControlError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub error: io::Error,
}

impl fmt::Display for ControlError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "unable to read {}: {}",
            self.path.display(),
            crate::errno::text(&self.error)
        )
    }
}

impl std::error::Error for ControlError {}

/// The control files of a tree. `me` is read once, since other settings fall back on it.
#[derive(Clone, Debug)]
pub struct Controls {
    directory: PathBuf,
    survey: Survey,
    me: Option<Vec<u8>>,
}

impl Controls {
    /// Reads `control/me` below `home`.
    ///
    /// # Errors
    /// If `me` is there but cannot be read.
    pub fn open(home: &Path) -> Result<Self, ControlError> {
        Self::open_with(home, |_| Survey::default())
    }

    /// As [`Self::open`], for programs with many settings, most of which no file has: looks once
    /// which files there are.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn survey(home: &Path) -> Result<Self, ControlError> {
        Self::open_with(home, Survey::of)
    }

    /// The same, without what was seen when it was looked which files there are.
    pub(crate) fn looking_anew(&self) -> Self {
        Self { survey: Survey::default(), ..self.clone() }
    }

    fn open_with(home: &Path, survey: impl Fn(&Path) -> Survey) -> Result<Self, ControlError> {
        let directory = home.join("control");
        let survey = survey(&directory);
        let mut controls = Self { directory, survey, me: None };
        controls.me = controls.read(&ME)?.map(|file| first_line(&file));
        Ok(controls)
    }

    /// The value of a [`Shape::Line`].
    pub fn line(&self, control: &Control) -> Result<Option<Vec<u8>>, ControlError> {
        let line = self.read(control)?.map(|file| first_line(&file));
        Ok(line.or_else(|| self.default_line(control)))
    }

    /// The value of a [`Shape::Number`]; too large a number counts as the largest.
    pub fn number(&self, control: &Control) -> Result<u64, ControlError> {
        let digits = self.read(control)?.and_then(|file| leading_number(&first_line(&file)));
        Ok(digits.unwrap_or(match control.default {
            Default::Number(number) => number,
            _ => 0,
        }))
    }

    /// The value of a [`Shape::Number`] without a default: `None` if the file is missing, or has
    /// something else.
    pub fn number_if_set(&self, control: &Control) -> Result<Option<u64>, ControlError> {
        Ok(self.read(control)?.and_then(|file| leading_number(&first_line(&file))))
    }

    /// The whole of a [`Shape::File`]; `None` if there is none.
    pub fn whole(&self, control: &Control) -> Result<Option<Vec<u8>>, ControlError> {
        self.read(control)
    }

    /// The lines of a [`Shape::List`] or [`Shape::Map`].
    pub fn list(&self, control: &Control) -> Result<Option<Vec<Vec<u8>>>, ControlError> {
        let lines = self.read(control)?.map(|file| list_lines(&file));
        Ok(lines.or_else(|| self.default_line(control).map(|line| vec![line])))
    }

    /// A list as a set of names.
    pub fn set(&self, control: &Control) -> Result<Option<Set>, ControlError> {
        Ok(self.list(control)?.map(|lines| lines.into_iter().collect()))
    }

    /// A list of `key:value` as a map. A missing file is an empty one.
    pub fn map(&self, control: &Control) -> Result<Map, ControlError> {
        Ok(self.list(control)?.unwrap_or_default().into_iter().collect())
    }

    /// Where a control file is.
    pub fn path(&self, control: &Control) -> PathBuf {
        self.directory.join(control.file)
    }

    /// Whether there is such a file. One that cannot be looked at is there: whoever uses it says
    /// what is wrong.
    pub fn has(&self, control: &Control) -> bool {
        let is_missing = |error: io::Error| error.kind() == io::ErrorKind::NotFound;
        self.may_have(OsStr::new(control.file))
            && !fs::metadata(self.path(control)).is_err_and(is_missing)
    }

    /// The contents of `me`, as they were when the controls were opened.
    pub fn me(&self) -> Option<&[u8]> {
        self.me.as_deref()
    }

    /// Whether a file of this name may be in `control/`, as far as is known.
    pub(crate) fn may_have(&self, file: &OsStr) -> bool {
        self.survey.may_have(file)
    }

    fn read(&self, control: &Control) -> Result<Option<Vec<u8>>, ControlError> {
        if !self.may_have(OsStr::new(control.file)) {
            return Ok(None);
        }
        read(&self.path(control))
    }

    fn default_line(&self, control: &Control) -> Option<Vec<u8>> {
        match control.default {
            Default::Nothing | Default::Number(_) => None,
            Default::Me => self.me.clone(),
            Default::MeOr(text) => Some(self.me.clone().unwrap_or_else(|| text.into())),
            Default::Text(text) => Some(text.into()),
        }
    }
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, ControlError> {
    if_there(fs::read(path)).map_err(|error| ControlError { path: path.to_owned(), error })
}

/// The first line of a file, less the blanks at its end.
pub fn first_line(file: &[u8]) -> Vec<u8> {
    let line = file.split(|byte| *byte == b'\n').next().unwrap_or_default();
    strip_end(line).to_vec()
}

/// The lines of a list that count.
pub fn list_lines(file: &[u8]) -> Vec<Vec<u8>> {
    let lines = file.split(|byte| *byte == b'\n');
    lines.filter_map(counting).map(<[u8]>::to_vec).collect()
}

/// A line of a list, less the blanks at its end; `None` if it does not count. A line with a NUL
/// could be taken for two, and is left out.
pub fn counting(line: &[u8]) -> Option<&[u8]> {
    let line = strip_end(line);
    let counts = !line.is_empty() && !line.starts_with(b"#") && !line.contains(&0);
    counts.then_some(line)
}

/// The number that a line begins with; `None` if it begins with something else.
pub fn leading_number(line: &[u8]) -> Option<u64> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(None, |number: Option<u64>, digit| {
        let digit = u64::from(digit.saturating_sub(b'0'));
        Some(number.unwrap_or(0).saturating_mul(10).saturating_add(digit))
    })
}

fn strip_end(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|byte| !matches!(byte, b' ' | b'\t' | b'\n'));
    end.and_then(|end| line.get(..=end)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> (tempfile::TempDir, Controls) {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("control")).unwrap();
        for (name, contents) in files {
            let path = home.path().join("control").join(name);
            std::io::Write::write_all(&mut fs::File::create(path).unwrap(), contents.as_bytes())
                .unwrap();
        }
        let controls = Controls::open(home.path()).unwrap();
        (home, controls)
    }

    #[test]
    fn comments_and_what_could_be_two_lines_do_not_count() {
        for line in [&b""[..], b"\n", b" \t\n", b"#a", b"\0a", b"a\0b"] {
            assert_eq!(counting(line), None, "{line:?}");
        }
        assert_eq!(counting(b" # a#b \t\n"), Some(&b" # a#b"[..]));
    }

    #[test]
    fn a_missing_line_falls_back_on_me_and_then_on_its_own_name() {
        let (_home, controls) = tree(&[("me", "here.example \t\nignored\n")]);
        assert_eq!(controls.line(&BOUNCEHOST).unwrap().unwrap(), b"here.example");
        assert_eq!(controls.line(&BOUNCEFROM).unwrap().unwrap(), b"MAILER-DAEMON");
        let (_home, controls) = tree(&[]);
        assert_eq!(controls.line(&BOUNCEHOST).unwrap().unwrap(), b"bouncehost");
        assert_eq!(controls.line(&HELOHOST).unwrap(), None);
    }

    #[test]
    fn a_number_without_a_default_may_be_missing() {
        let files =
            [("bouncemaxbytes", "0\n"), ("bouncemessage", "Hi.\n\n"), ("bouncelifetime", "x")];
        let (_home, controls) = tree(&files);
        assert_eq!(controls.number_if_set(&BOUNCEMAXBYTES).unwrap(), Some(0));
        assert_eq!(controls.number_if_set(&BOUNCELIFETIME).unwrap(), None);
        assert_eq!(controls.number_if_set(&QUEUELIFETIME).unwrap(), None);
        assert_eq!(controls.whole(&BOUNCEMESSAGE).unwrap().unwrap(), b"Hi.\n\n");
        assert_eq!(controls.whole(&DOUBLEBOUNCEMESSAGE).unwrap(), None);
    }

    #[test]
    fn a_number_is_its_leading_digits() {
        let (_home, controls) = tree(&[("databytes", "10k\n"), ("queuelifetime", " 5\n")]);
        assert_eq!(controls.number(&DATABYTES).unwrap(), 10);
        assert_eq!(controls.number(&QUEUELIFETIME).unwrap(), 604_800);
        assert_eq!(leading_number(b"99999999999999999999999"), Some(u64::MAX));
    }

    #[test]
    fn comments_blanks_and_nuls_are_not_entries() {
        let lines = list_lines(b"a\n#b\n\n \t\n c \nd\0e\nf");
        assert_eq!(lines, [b"a".as_slice(), b" c", b"f"]);
    }

    #[test]
    fn an_empty_list_is_not_a_missing_one() {
        let (_home, controls) = tree(&[("me", "here\n"), ("locals", "")]);
        assert_eq!(controls.list(&LOCALS).unwrap(), Some(vec![]));
        let (_home, controls) = tree(&[("me", "here\n")]);
        assert!(controls.set(&LOCALS).unwrap().unwrap().contains(b"HERE"));
    }

    #[test]
    fn an_unreadable_file_is_an_error() {
        let (home, controls) = tree(&[]);
        fs::create_dir(home.path().join("control/locals")).unwrap();
        assert!(controls.list(&LOCALS).is_err());
        assert!(Controls::survey(home.path()).unwrap().list(&LOCALS).is_err());
    }

    #[test]
    fn a_survey_changes_nothing_about_what_is_read() {
        let (home, _) = tree(&[("me", "here\n"), ("locals", "there\n")]);
        let controls = Controls::survey(home.path()).unwrap();
        assert!(controls.set(&LOCALS).unwrap().unwrap().contains(b"there"));
        assert_eq!(controls.line(&DEFAULTDOMAIN).unwrap().unwrap(), b"here");
        assert_eq!(controls.line(&HELOHOST).unwrap().unwrap(), b"here");
        assert_eq!(controls.list(&RCPTHOSTS).unwrap(), None);
    }
}
