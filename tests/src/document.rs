//! Our documents: what they link to, name, and tell people to type.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use crate::sources::{rust_files, workspace};

/// A file of the workspace.
///
/// # Panics
///
/// When there is none.
#[must_use]
pub fn read(path: &str) -> String {
    fs::read_to_string(workspace().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All documents of the workspace, by their paths from there.
#[must_use]
pub fn all() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut left = vec![PathBuf::new()];
    while let Some(directory) = left.pop() {
        let entries = fs::read_dir(workspace().join(&directory)).into_iter().flatten().flatten();
        for entry in entries {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = directory.join(&name);
            let is_ours = !name.starts_with('.') && name != "target";
            if is_ours && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                left.push(path);
            } else if path.extension().is_some_and(|end| end == "md") {
                found.insert(path.to_string_lossy().into_owned());
            }
        }
    }
    found
}

/// What stands between two fences.
#[derive(Clone, Debug)]
pub struct Block {
    /// The line that it begins with.
    pub line: usize,
    /// The heading that it is below.
    pub heading: String,
    /// The words behind the first fence: a language, and what tests have to know.
    pub words: Vec<String>,
    /// What stands between them, without what the fence is indented by.
    pub text: String,
}

impl Block {
    /// Its language; empty if none is named.
    #[must_use]
    pub fn language(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    /// The value of a word `name=value`.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
    }
}

/// The blocks of a document, and the document without them: its lines keep their numbers.
#[must_use]
pub fn split(text: &str) -> (Vec<Block>, Vec<String>) {
    let mut blocks = Vec::new();
    let mut prose = Vec::new();
    let mut heading = String::new();
    let mut open: Option<(usize, Block)> = None;
    for (index, line) in text.lines().enumerate() {
        let bare = line.trim_start();
        let indent = line.len() - bare.len();
        match (bare.strip_prefix("```"), open.take()) {
            (Some(info), None) => {
                let words = info.split_whitespace().map(str::to_owned).collect();
                let heading = heading.clone();
                let block = Block { line: index + 1, heading, words, text: String::new() };
                open = Some((indent, block));
            }
            (Some(_), Some((_, block))) => blocks.push(block),
            (None, Some((indent, mut block))) => {
                block.text.push_str(line.get(indent..).unwrap_or_default());
                block.text.push('\n');
                open = Some((indent, block));
            }
            (None, None) => {
                if let Some(title) = title(line) {
                    title.clone_into(&mut heading);
                }
                prose.push(line.to_owned());
                continue;
            }
        }
        prose.push(String::new());
    }
    (blocks, prose)
}

/// The text of a heading.
fn title(line: &str) -> Option<&str> {
    let rest = line.trim_start_matches('#');
    (rest.len() < line.len()).then(|| rest.strip_prefix(' ')).flatten().map(str::trim)
}

/// The targets of links in a line of prose.
pub fn links(line: &str) -> impl Iterator<Item = &str> {
    // What is code is no link.
    let outside = line.split('`').step_by(2);
    outside.flat_map(|part| part.split("](").skip(1)).filter_map(|rest| rest.split(')').next())
}

/// What the headings of a document are called in links, as GitHub does it.
#[must_use]
pub fn anchors(text: &str) -> BTreeSet<String> {
    let (_, prose) = split(text);
    let titles = prose.iter().filter_map(|line| title(line));
    titles.map(anchor).collect()
}

fn anchor(title: &str) -> String {
    let kept = title.chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
    kept.flat_map(char::to_lowercase)
        .map(|letter| if letter == ' ' { '-' } else { letter })
        .collect()
}

/// What is between back quotes.
pub fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The cells of each row of the tables below a heading of the second rank, without those of the
/// table's head.
///
/// # Panics
///
/// When there is no such heading.
#[must_use]
pub fn rows(text: &str, heading: &str) -> Vec<Vec<String>> {
    let (_, rest) = text.split_once(&format!("\n## {heading}\n")).expect(heading);
    let section = rest.split("\n## ").next().unwrap_or_default();
    let is_row = |line: &&str| line.starts_with("| ");
    let mut found = Vec::new();
    for block in section.split("| --- |").skip(1) {
        for row in block.lines().skip(1).take_while(is_row) {
            let cells = row.trim_matches('|').split(" | ");
            found.push(cells.map(|cell| cell.trim().to_owned()).collect());
        }
    }
    found
}

/// References to tests: `place::name`.
#[must_use]
pub fn references(text: &str) -> BTreeSet<(&str, &str)> {
    quoted(text).filter_map(|word| word.split_once("::")).collect()
}

/// The references of a text to tests that do not exist.
#[must_use]
pub fn false_references(text: &str) -> Vec<String> {
    let wrong =
        references(text).into_iter().filter(|(place, name)| !tests_in(place).contains(*name));
    wrong.map(|(place, name)| format!("{place}::{name}")).collect()
}

/// The names of the tests in the files that a place may mean: `smtpd` is `tests/tests/smtpd.rs`,
/// `install/shape` a file of that name below `install`.
fn tests_in(place: &str) -> BTreeSet<String> {
    let files = match place.rsplit_once('/') {
        None => vec![workspace().join("tests/tests").join(format!("{place}.rs"))],
        Some((directory, stem)) => {
            let all = rust_files(&workspace().join(directory), &[]).into_iter();
            all.filter(|path| path.file_stem().is_some_and(|name| name == stem)).collect()
        }
    };
    let texts = files.into_iter().map(|file| fs::read_to_string(file).unwrap_or_default());
    let mut names = BTreeSet::new();
    for text in texts {
        for test in text.split("#[test]").skip(1) {
            let name = test.split_once("fn ").and_then(|(_, rest)| rest.split('(').next());
            names.extend(name.map(str::to_owned));
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# A *title*, `code` & more\n\nSee [this](other.md#part), `[not](this)`.\n\n   \
                        ```sh as=joe\n   echo # no title\n   ```\n\n## Part\n\n| a | b |\n| --- | --- |\n| \
                        `x::y` | two |\n";

    #[test]
    fn blocks_have_their_words_and_are_no_prose() {
        let (blocks, prose) = split(TEXT);
        let [block] = &blocks[..] else { panic!("{blocks:?}") };
        assert_eq!((block.line, block.language(), block.setting("as")), (5, "sh", Some("joe")));
        assert_eq!(
            (block.text.as_str(), block.heading.as_str()),
            ("echo # no title\n", "A *title*, `code` & more")
        );
        assert_eq!(prose.len(), TEXT.lines().count());
        assert!(!prose.concat().contains("echo"));
    }

    #[test]
    fn links_and_anchors_are_found_as_readers_see_them() {
        let (_, prose) = split(TEXT);
        let found: Vec<&str> = prose.iter().flat_map(|line| links(line)).collect();
        assert_eq!(found, ["other.md#part"]);
        assert_eq!(anchors(TEXT), ["a-title-code--more", "part"].map(str::to_owned).into());
    }

    #[test]
    fn rows_and_references_are_those_of_the_table() {
        assert_eq!(rows(TEXT, "Part"), [["`x::y`", "two"]]);
        assert_eq!(false_references(TEXT), ["x::y"]);
    }
}
