//! Our documents lead somewhere, can be found, and name what there is.
//!
//! Unlike most of this suite, this looks at our files, and at no tree.

#[path = "manual/page.rs"]
#[expect(dead_code, reason = "the test `manual` uses the rest")]
mod page;
#[path = "manual/source.rs"]
#[expect(dead_code, reason = "the test `manual` uses the rest")]
mod source;

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use qmail_conformance::document::{
    all, anchors, false_references, links, quoted, read, references, rows, split,
};
use qmail_conformance::readme;
use qmail_conformance::sources::workspace;

/// Those that tell people what to set.
const ABOUT_SETTINGS: [&str; 3] = ["README.md", "docs/guide.md", "docs/patches.md"];

/// Words in capitals that are no variables of ours.
const NO_VARIABLES: [&str; 3] = ["ANYTHING", "DESTDIR", "QUEUE_EXTRA"];

/// Words in docs/patches.md that look like control files and are none.
const NO_CONTROLS: [&str; 3] = ["services", "surblfilter", "wildmat"];

/// Everything that has been patched into qmail, or goes with a patched one, as far as we know: words
/// that its row has in its first cell.
const PATCHES: &str = include_str!("documents/known-patches");

/// Fails with all complaints at once.
fn nothing_to_say(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

/// A path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut plain, part| {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::Normal(name) => plain.push(name),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => (),
        }
        plain
    })
}

/// Where the links of a document lead that stay in the workspace: the line, the path from there,
/// and the part of the document.
fn targets(document: &str) -> Vec<(usize, String, Option<String>)> {
    let (_, prose) = split(&read(document));
    let mut found = Vec::new();
    for (index, line) in prose.iter().enumerate() {
        for link in links(line).filter(|link| !link.contains("://")) {
            let (path, part) =
                link.split_once('#').map_or((link, None), |(path, part)| (path, Some(part)));
            let beside = Path::new(document).parent().unwrap_or(Path::new("")).join(path);
            let path = if path.is_empty() {
                document.to_owned()
            } else {
                plain(&beside).to_string_lossy().into_owned()
            };
            found.push((index + 1, path, part.map(str::to_owned)));
        }
    }
    found
}

#[test]
fn no_link_is_dead() {
    let mut dead = Vec::new();
    let mut count = 0;
    for document in all() {
        for (line, path, part) in targets(&document) {
            count += 1;
            if !workspace().join(&path).exists() {
                dead.push(format!("{document}, line {line}: there is no {path}"));
            } else if part.as_ref().is_some_and(|part| !anchors(&read(&path)).contains(part)) {
                dead.push(format!("{document}, line {line}: {path} has no part {part:?}"));
            }
        }
    }
    nothing_to_say(&dead);
    assert!(count > 100, "{count}");
}

/// What can be reached by links from here.
fn reached(from: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut left = vec![from.to_owned()];
    while let Some(path) = left.pop() {
        if found.insert(path.clone()) && path.ends_with(".md") {
            left.extend(targets(&path).into_iter().map(|(_, path, _)| path));
        }
    }
    found
}

#[test]
fn every_document_is_reached_from_the_readme_and_named_in_the_index() {
    let reached = reached("README.md");
    let in_index: BTreeSet<String> =
        targets("docs/INDEX.md").into_iter().map(|(_, path, _)| path).collect();
    let mut missing = Vec::new();
    for document in all() {
        if !reached.contains(&document) {
            missing.push(format!("nothing leads to {document}"));
        }
        let is_own = document.starts_with("docs/") && document != "docs/INDEX.md";
        if is_own && !in_index.contains(&document) {
            missing.push(format!("docs/INDEX.md has no {document}"));
        }
    }
    nothing_to_say(&missing);
}

#[test]
fn every_page_of_the_manual_is_in_the_index() {
    let in_index: BTreeSet<String> =
        targets("docs/INDEX.md").into_iter().map(|(_, path, _)| path).collect();
    let pages = page::all(&workspace().join("docs/man"));
    assert!(pages.len() > 70, "{}", pages.len());
    let paths = pages.iter().map(|page| page.path.strip_prefix(workspace()).unwrap_or(&page.path));
    let missing = paths.map(|path| path.to_string_lossy().into_owned());
    nothing_to_say(&missing.filter(|path| !in_index.contains(path)).collect::<Vec<_>>());
}

/// References to pages of the manual: `name.section`.
fn pages_named(line: &str) -> impl Iterator<Item = String> {
    let words = line.split(|letter: char| !(letter.is_alphanumeric() || "-_()".contains(letter)));
    words.filter_map(|word| {
        let (name, section) = word.strip_suffix(')')?.rsplit_once('(')?;
        ["1", "5", "7", "8"].contains(&section).then(|| format!("{name}.{section}"))
    })
}

#[test]
fn every_page_that_is_named_exists() {
    let pages = page::all(&workspace().join("docs/man"));
    let pages: BTreeSet<String> =
        pages.iter().map(|page| format!("{}.{}", page.name, page.section)).collect();
    let mut wrong = Vec::new();
    let mut count = 0;
    for document in all() {
        for line in split(&read(&document)).1 {
            for page in pages_named(&line) {
                count += 1;
                if !pages.contains(&page) {
                    wrong.push(format!("{document}: {page}"));
                }
            }
        }
    }
    nothing_to_say(&wrong);
    assert!(count > 25, "{count}");
}

fn controls() -> BTreeSet<String> {
    let table = source::controls(&read("crates/core/src/control/table.rs"));
    table.into_iter().map(|control| control.file).collect()
}

/// What follows `control/` in a text: the first part of a path.
fn controls_named(text: &str) -> BTreeSet<&str> {
    let is_end = |letter: char| !(letter.is_alphanumeric() || "._-".contains(letter));
    let names = text.split("control/").skip(1).filter_map(|rest| rest.split(is_end).next());
    names.map(|name| name.trim_end_matches('.')).filter(|name| !name.is_empty()).collect()
}

#[test]
fn every_control_file_that_is_named_is_read_by_somebody() {
    let known = controls();
    let mut wrong = Vec::new();
    for document in ABOUT_SETTINGS {
        let text = read(document);
        let named = controls_named(&text);
        wrong.extend(
            named
                .iter()
                .filter(|name| !known.contains(**name))
                .map(|name| format!("{document}: {name}")),
        );
    }
    let is_file_name = |word: &&str| {
        word.chars().all(|letter| {
            letter.is_ascii_lowercase() || letter.is_ascii_digit() || "_.".contains(letter)
        }) && word.starts_with(|letter: char| letter.is_ascii_lowercase())
    };
    for row in patches() {
        let words: Vec<&str> = quoted(&row[1]).filter(is_file_name).collect();
        let unknown =
            words.iter().filter(|word| !known.contains(**word) && !NO_CONTROLS.contains(word));
        wrong.extend(unknown.map(|word| format!("docs/patches.md: {word}")));
    }
    nothing_to_say(&wrong);
}

/// Whether a program looks at a variable, or the manual has it.
fn is_known(variable: &str, programs: &str, manual: &BTreeSet<String>) -> bool {
    manual.contains(variable) || programs.contains(&format!("\"{variable}\""))
}

/// The variables in the manual.
fn variables() -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    for page in page::all(&workspace().join("docs/man")) {
        let text = std::fs::read_to_string(&page.path).unwrap();
        for line in text.lines().filter(|line| line.contains("Ev ")) {
            known.extend(line.split_whitespace().map(str::to_owned));
        }
    }
    known
}

/// Words in capitals that are code, or that code sets.
fn variables_named(text: &str) -> BTreeSet<String> {
    let (blocks, prose) = split(text);
    let commands = blocks.iter().map(|block| block.text.as_str());
    let set = commands.flat_map(|text| text.split('=')).filter_map(|before| {
        before.rsplit(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_')).next()
    });
    let is_variable = |word: &&str| {
        word.len() > 3
            && word.starts_with(|letter: char| letter.is_ascii_uppercase())
            && word.chars().all(|letter| {
                letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_'
            })
    };
    let prose = prose.join("\n");
    let code = quoted(&prose).map(|code| code.split('=').next().unwrap_or(code));
    code.chain(set).filter(is_variable).map(str::to_owned).collect()
}

#[test]
fn every_variable_that_is_named_means_something_to_a_program() {
    let manual = variables();
    let programs: String = source::programs(&workspace()).into_values().collect();
    let mut wrong = Vec::new();
    for document in ABOUT_SETTINGS {
        let named = variables_named(&read(document));
        let unknown = named.iter().filter(|name| {
            !NO_VARIABLES.contains(&name.as_str()) && !is_known(name, &programs, &manual)
        });
        wrong.extend(unknown.map(|name| format!("{document}: {name}")));
    }
    nothing_to_say(&wrong);
}

#[test]
fn the_tables_of_the_readme_are_those_of_the_documents() {
    let (performance, compatibility) = (read("docs/performance.md"), read("docs/COMPATIBILITY.md"));
    let text = read("README.md");
    let filled = readme::filled(&text, &performance, &compatibility).unwrap();
    assert!(text == filled, "the documents say something else now: make readme");
}

/// All rows of docs/patches.md.
fn patches() -> Vec<Vec<String>> {
    let text = read("docs/patches.md");
    let headings = text.lines().filter_map(|line| line.strip_prefix("## "));
    headings.flat_map(|heading| rows(&text, heading)).collect()
}

#[test]
fn every_known_patch_has_one_row() {
    let rows = patches();
    let mut wrong = Vec::new();
    for patch in PATCHES.lines() {
        let count = rows.iter().filter(|row| row[0].contains(patch)).count();
        if count != 1 {
            wrong.push(format!("{patch}: {count} rows"));
        }
    }
    for row in rows {
        if !PATCHES.lines().any(|patch| row[0].contains(patch)) {
            wrong.push(format!("{}: nobody knows this patch", row[0]));
        }
    }
    nothing_to_say(&wrong);
}

#[test]
fn every_row_of_a_patch_names_tests_that_exist_or_says_what_to_do_instead() {
    let mut wrong = false_references(&read("docs/patches.md"));
    for row in patches() {
        let [patch, here, tests] = &row[..] else {
            wrong.push(format!("not three cells: {row:?}"));
            continue;
        };
        let has_none = ["not offered: ", "needless: "].iter().any(|word| here.starts_with(word));
        if references(tests).is_empty() && !has_none {
            wrong.push(format!("{patch}: no test"));
        }
    }
    nothing_to_say(&wrong);
}
