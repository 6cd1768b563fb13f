//! A manual page, as far as tests have to understand it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A page in mdoc(7).
pub(crate) struct Page {
    /// Its file.
    pub(crate) path: PathBuf,
    /// `qmail-queue`: its name by its file.
    pub(crate) name: String,
    /// `8`, by its file.
    pub(crate) section: String,
    lines: Vec<String>,
}

/// All pages below a directory with `man1`, `man5` and so on.
pub(crate) fn all(manual: &Path) -> Vec<Page> {
    let directories = ["man1", "man5", "man7", "man8"].map(|name| manual.join(name));
    let mut paths: Vec<PathBuf> = directories
        .iter()
        .flat_map(|directory| fs::read_dir(directory).expect("the manual has this section"))
        .map(|entry| entry.expect("a directory can be read").path())
        .collect();
    paths.sort();
    paths.into_iter().map(Page::read).collect()
}

impl Page {
    fn read(path: PathBuf) -> Self {
        let text = fs::read_to_string(&path).expect("a page is text");
        let file = path.file_name().and_then(|name| name.to_str()).expect("its name is text");
        let (name, section) = file.rsplit_once('.').expect("its name ends with its section");
        Self {
            name: name.to_owned(),
            section: section.to_owned(),
            lines: text.lines().map(str::to_owned).collect(),
            path,
        }
    }

    /// `qmail-queue(8)`
    pub(crate) fn title(&self) -> String {
        format!("{}({})", self.name, self.section)
    }

    /// The words of each line that is this macro, without the macro.
    pub(crate) fn uses(&self, wanted: &str) -> impl Iterator<Item = Vec<&str>> {
        let words = self.lines.iter().map(|line| line.split_whitespace().collect::<Vec<_>>());
        words.filter(move |words| words.first() == Some(&wanted)).map(|words| words[1..].to_vec())
    }

    /// The lines of a section, without its heading.
    pub(crate) fn part(&self, heading: &str) -> &[String] {
        let heading = format!(".Sh {heading}");
        let Some(start) = self.lines.iter().position(|line| *line == heading) else {
            return &[];
        };
        let part = &self.lines[start + 1..];
        let end = part.iter().position(|line| line.starts_with(".Sh "));
        &part[..end.unwrap_or(part.len())]
    }

    /// What the page is about, as its NAME section says.
    pub(crate) fn names(&self) -> Vec<&str> {
        let names = self.part("NAME").iter().filter_map(|line| line.strip_prefix(".Nm "));
        names.map(|name| name.trim_end_matches(" ,")).collect()
    }

    /// The exit codes that it has a line for.
    pub(crate) fn exit_codes(&self) -> BTreeSet<u8> {
        let parts = [self.part("EXIT STATUS"), self.part("EXIT CODES")];
        let items =
            parts.iter().flat_map(|part| *part).filter_map(|line| line.strip_prefix(".It "));
        items.filter_map(|item| item.split_whitespace().next()?.parse().ok()).collect()
    }

    /// Every number in the section on exit codes.
    pub(crate) fn exit_numbers(&self) -> BTreeSet<u8> {
        let parts = [self.part("EXIT STATUS"), self.part("EXIT CODES")];
        let words = parts.iter().flat_map(|part| *part).flat_map(|line| line.split_whitespace());
        words.filter_map(|word| word.trim_end_matches([',', ';', ':', '.']).parse().ok()).collect()
    }

    /// The words that stand behind `Fl`, in the synopsis and wherever an option is explained.
    pub(crate) fn options(&self) -> Vec<&str> {
        let synopsis = self.part("SYNOPSIS").iter();
        let items = self.lines.iter().filter(|line| line.starts_with(".It Fl "));
        synopsis.chain(items).flat_map(|line| flags(line)).collect()
    }

    /// Whether the page has this word, perhaps with a directory or punctuation around it.
    pub(crate) fn mentions(&self, word: &str) -> bool {
        let is_end = |letter: char| letter.is_whitespace() || "/,;:".contains(letter);
        self.lines.iter().any(|line| line.split(is_end).any(|part| part == word))
    }
}

/// The words behind `Fl` in a line, up to the next macro.
fn flags(line: &str) -> impl Iterator<Item = &str> {
    let words = line.split_whitespace().map(|word| word.trim_start_matches('.'));
    words
        .skip_while(|word| *word != "Fl")
        .skip(1)
        .take_while(|word| !matches!(*word, "Ar" | "Op" | "Oo" | "Cm"))
        // Long options stand beside short ones of the same meaning.
        .filter(|word| !matches!(*word, "," | "|" | "Fl") && !word.starts_with("\\&-"))
}
