//! Lists that may be very long: control files of a million lines that each connection looks into.
//!
//! A short list is kept in memory and a long one is read anew for each question, so that no session
//! needs more memory because of it. Better is an index beside it, `NAME.cdb`, which
//! qmail-newlist(8) makes: it holds for as long as it is not older than the list.

use std::fs::{File, Metadata};
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::cdb::{Cdb, CdbWriter};
use crate::control::{Control, ControlError, Controls, counting, list_lines};
use crate::if_there;

/// Files up to this size are kept in memory, in bytes.
const SHORT: u64 = 65_536;
/// Longer lines are none: nothing that is looked for is that long.
const LONGEST_LINE: u64 = 8192;
/// The key of the lines that are patterns. No line is empty, so this is none.
const PATTERNS: &[u8] = b"";

/// Whether an index may stand in for a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Index {
    /// Lines are looked for as they are; patterns are lines with a special byte.
    Used,
    /// Every line is a pattern: only the list itself has them in their order.
    Ignored,
}

/// A list of lines, compared without regard to ASCII case.
#[derive(Debug)]
pub struct LongList {
    source: Source,
}

#[derive(Debug)]
enum Source {
    Short(Vec<Vec<u8>>),
    Long(File),
    Indexed(Cdb),
}

impl LongList {
    /// The list that a control file has, or its index; `None` if there is neither.
    ///
    /// # Errors
    /// If one of them is there but cannot be read.
    pub fn load(
        controls: &Controls,
        control: &Control,
        index: Index,
    ) -> Result<Option<Self>, ControlError> {
        let path = controls.path(control);
        let names = [path.clone(), index_of(&path)];
        if !names.iter().filter_map(|path| path.file_name()).any(|name| controls.may_have(name)) {
            return Ok(None);
        }
        Self::open(&path, index).map_err(|error| ControlError { path, error })
    }

    /// The list in a file, or its index; `None` if there is neither.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn open(path: &Path, index: Index) -> io::Result<Option<Self>> {
        let list = if_there(File::open(path))?;
        let metadata = list.as_ref().map(File::metadata).transpose()?;
        if index == Index::Used
            && let Some(cdb) = fresh_index(path, metadata.as_ref())?
        {
            return Ok(Some(Self { source: Source::Indexed(cdb) }));
        }
        let Some(mut file) = list else { return Ok(None) };
        if metadata.is_some_and(|metadata| metadata.len() > SHORT) {
            return Ok(Some(Self { source: Source::Long(file) }));
        }
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        Ok(Some(Self { source: Source::Short(list_lines(&text)) }))
    }

    /// The first of `names` that is a line of the list.
    ///
    /// # Errors
    /// If the list cannot be read.
    pub fn first_of<'n>(&self, names: &[&'n [u8]]) -> io::Result<Option<&'n [u8]>> {
        if let Source::Indexed(cdb) = &self.source {
            for name in names.iter().filter(|name| !name.is_empty()) {
                if cdb.get(&name.to_ascii_lowercase())?.is_some() {
                    return Ok(Some(name));
                }
            }
            return Ok(None);
        }
        let mut first = names.len();
        self.find(|line| {
            let mut earlier = names.iter().take(first);
            if let Some(at) = earlier.position(|name| name.eq_ignore_ascii_case(line)) {
                first = at;
            }
            (first == 0).then_some(())
        })?;
        Ok(names.get(first).copied())
    }

    /// Whether `name` is a line of the list.
    ///
    /// # Errors
    /// If the list cannot be read.
    pub fn contains(&self, name: &[u8]) -> io::Result<bool> {
        Ok(self.first_of(&[name])?.is_some())
    }

    /// What `question` makes of the first line that it does not pass over. An index has only those
    /// that are patterns: see [`is_pattern`].
    ///
    /// # Errors
    /// If the list cannot be read.
    pub fn find<T>(&self, mut question: impl FnMut(&[u8]) -> Option<T>) -> io::Result<Option<T>> {
        match &self.source {
            Source::Short(lines) => Ok(lines.iter().find_map(|line| question(line))),
            Source::Long(file) => each_line(BufReader::new(FromStart { file, at: 0 }), question),
            Source::Indexed(cdb) => {
                let patterns = cdb.get(PATTERNS)?.unwrap_or_default();
                Ok(list_lines(&patterns).iter().find_map(|line| question(line)))
            }
        }
    }
}

/// Whether a line of such a list may mean more than itself: it has one of `* ? [ \`, or begins with
/// `!`.
pub fn is_pattern(line: &[u8]) -> bool {
    line.starts_with(b"!") || line.iter().any(|byte| b"*?[\\".contains(byte))
}

/// Where the index of a list is.
pub fn index_of(list: &Path) -> PathBuf {
    let mut name = list.as_os_str().to_owned();
    name.push(".cdb");
    name.into()
}

/// Puts what the index of a list has into a database.
///
/// # Errors
/// If the list cannot be read, or the index cannot be written: it may hold 4 GiB.
pub fn fill_index(list: impl BufRead, index: &mut CdbWriter<File>) -> io::Result<()> {
    let mut patterns = Vec::new();
    let failure = each_line(list, |line| {
        if is_pattern(line) {
            patterns.extend_from_slice(line);
            patterns.push(b'\n');
        }
        index.add(&line.to_ascii_lowercase(), b"").err()
    })?;
    match failure {
        Some(error) => Err(error),
        None => index.add(PATTERNS, &patterns),
    }
}

/// The index, if there is one and the list has not been changed since.
fn fresh_index(list: &Path, metadata: Option<&Metadata>) -> io::Result<Option<Cdb>> {
    let index = index_of(list);
    let Some(made) = if_there(index.metadata())? else { return Ok(None) };
    let time = |metadata: &Metadata| (metadata.mtime(), metadata.mtime_nsec());
    if metadata.is_some_and(|changed| time(changed) > time(&made)) {
        return Ok(None);
    }
    if_there(Cdb::open(index))
}

/// What `question` makes of the first line that it does not pass over; comments are no lines.
fn each_line<T>(
    mut input: impl BufRead,
    mut question: impl FnMut(&[u8]) -> Option<T>,
) -> io::Result<Option<T>> {
    let mut line = Vec::new();
    loop {
        line.clear();
        if (&mut input).take(LONGEST_LINE).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        if !line.ends_with(b"\n") && line.len() as u64 == LONGEST_LINE {
            skip_line(&mut input)?;
            continue;
        }
        if let Some(found) = counting(&line).and_then(&mut question) {
            return Ok(Some(found));
        }
    }
}

fn skip_line(input: &mut impl BufRead) -> io::Result<()> {
    let mut part = Vec::new();
    while !part.ends_with(b"\n") {
        part.clear();
        if input.take(LONGEST_LINE).read_until(b'\n', &mut part)? == 0 {
            break;
        }
    }
    Ok(())
}

/// Reads a file from its start, wherever others are in it.
struct FromStart<'f> {
    file: &'f File,
    at: u64,
}

impl Read for FromStart<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read_at(buffer, self.at)?;
        self.at += length as u64;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Write;

    fn write(path: &Path, text: &str) {
        File::create(path).unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn make_index(list: &Path) {
        let mut index = CdbWriter::new(File::create(index_of(list)).unwrap()).unwrap();
        fill_index(BufReader::new(File::open(list).unwrap()), &mut index).unwrap();
        index.finish().unwrap();
    }

    fn long() -> String {
        let lines = (0..10_000).map(|number| format!("user{number}@example.com\n"));
        format!("{}!good@*\n*@Bad.example\n{}\nlast", lines.collect::<String>(), "x".repeat(9000))
    }

    #[test]
    fn short_long_and_indexed_lists_say_the_same() {
        let home = tempfile::tempdir().unwrap();
        let list = home.path().join("list");
        let check = |list: &LongList| {
            assert!(list.contains(b"User9999@example.com").unwrap());
            assert!(list.contains(b"LAST").unwrap());
            assert!(!list.contains(b"user10000@example.com").unwrap());
            assert!(!list.contains(b"").unwrap());
            let names: [&[u8]; 3] = [b"none", b"last", b"user1@example.com"];
            assert_eq!(list.first_of(&names).unwrap(), Some(&b"last"[..]));
            let pattern = |line: &[u8]| is_pattern(line).then(|| line.to_vec());
            assert_eq!(list.find(pattern).unwrap().unwrap(), b"!good@*");
        };
        write(&list, &long());
        let opened = LongList::open(&list, Index::Used).unwrap().unwrap();
        assert!(matches!(opened.source, Source::Long(_)));
        check(&opened);
        make_index(&list);
        let opened = LongList::open(&list, Index::Used).unwrap().unwrap();
        assert!(matches!(opened.source, Source::Indexed(_)));
        check(&opened);
        write(&list, "user1@example.com\n# comment\nuser9999@example.com\n!good@*\nlast\n");
        check(&LongList::open(&list, Index::Ignored).unwrap().unwrap());
    }

    #[test]
    fn an_index_that_is_older_than_its_list_is_not_used() {
        let home = tempfile::tempdir().unwrap();
        let list = home.path().join("list");
        write(&list, "old\n");
        make_index(&list);
        write(&list, "new\n");
        let later = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
        File::options().write(true).open(&list).unwrap().set_modified(later).unwrap();
        let opened = LongList::open(&list, Index::Used).unwrap().unwrap();
        assert!(opened.contains(b"new").unwrap() && !opened.contains(b"old").unwrap());
    }

    #[test]
    fn what_is_missing_is_no_list_and_what_is_unreadable_an_error() {
        let home = tempfile::tempdir().unwrap();
        let list = home.path().join("list");
        assert!(LongList::open(&list, Index::Used).unwrap().is_none());
        fs::create_dir(&list).unwrap();
        assert!(LongList::open(&list, Index::Used).is_err());
    }
}
