//! The manual says what is so: its pages are compared with the source of the programs.
//!
//! Unlike the rest of this suite, this looks at our code, and at nothing else.

#[path = "manual/page.rs"]
mod page;
#[path = "manual/source.rs"]
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use page::Page;
use qmail_conformance::sources::workspace;

/// Pages of other packages that ours refer to.
const FOREIGN: [&str; 10] = [
    "cdb(5)",
    "flock(2)",
    "groupadd(8)",
    "inetd(8)",
    "mtree(5)",
    "passwd(5)",
    "syslogd(8)",
    "systemd-sysusers(8)",
    "systemd-tmpfiles(8)",
    "useradd(8)",
];

/// The page in sections 1 and 8 that is about an interface rather than a program.
const INTERFACE: &str = "qmail-command";

fn pages() -> Vec<Page> {
    page::all(&workspace().join("docs/man"))
}

fn page(name: &str) -> Page {
    let found = pages().into_iter().find(|page| page.name == name);
    found.unwrap_or_else(|| panic!("there is no page {name}"))
}

fn read(path: &str) -> String {
    fs::read_to_string(workspace().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn controls() -> Vec<source::Control> {
    source::controls(&read("crates/core/src/control/table.rs"))
}

/// Fails with all complaints at once.
fn nothing_to_say(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn every_page_is_clean_mdoc() {
    let mut mandoc = Command::new("mandoc");
    mandoc.args(["-T", "lint", "-W", "warning"]).args(pages().iter().map(|page| &page.path));
    let output = match mandoc.output() {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let forbidden =
                std::env::var_os("QMAIL_TESTS_NO_SKIP").is_some_and(|value| value == "1");
            assert!(!forbidden, "needs the program mandoc");
            println!("skipped: every_page_is_clean_mdoc: needs the program mandoc");
            return;
        }
        Err(error) => panic!("mandoc: {error}"),
    };
    let complaints = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&complaints));
}

#[test]
fn a_page_has_the_name_of_its_file() {
    for page in pages() {
        let directory = page.path.parent().and_then(Path::file_name);
        assert_eq!(directory, Some(format!("man{}", page.section).as_ref()), "{}", page.title());
        let title: Vec<_> = page.uses(".Dt").collect();
        assert_eq!(title, [[&*page.name.to_uppercase(), &page.section]], "{}", page.title());
        assert_eq!(page.names().first(), Some(&&*page.name), "{}", page.title());
    }
}

#[test]
fn references_lead_somewhere() {
    let pages = pages();
    let titles: BTreeSet<String> = pages.iter().map(Page::title).collect();
    let mut complaints = Vec::new();
    for page in &pages {
        let line_uses = page.uses(".Xr").chain(page.uses(".It").filter_map(after_reference));
        for words in line_uses {
            let title = format!("{}({})", words[0], words[1]);
            if !titles.contains(&title) && !FOREIGN.contains(&&*title) {
                complaints.push(format!("{} refers to {title}", page.title()));
            }
        }
    }
    nothing_to_say(complaints);
}

fn after_reference(words: Vec<&str>) -> Option<Vec<&str>> {
    let at = words.iter().position(|word| *word == "Xr")?;
    Some(words[at + 1..].to_vec())
}

#[test]
fn the_table_of_controls_is_that_of_the_programs() {
    let page = page("qmail-control");
    let rows = page.part("TABLE").iter().filter_map(|line| line.strip_prefix(".It Pa "));
    let told: Vec<String> = rows.map(str::to_owned).collect();
    let known: Vec<String> = controls()
        .iter()
        .map(|row| format!("{} Ta {} Ta {}", row.file, row.default, row.readers.join(", ")))
        .collect();
    assert!(!known.is_empty());
    assert_eq!(told, known);
}

#[test]
fn every_control_is_explained_in_its_form() {
    let page = page("qmail-control");
    let items = page.part("CONTROLS").iter().filter_map(|line| line.strip_prefix(".It Pa "));
    let told: Vec<&str> = items.collect();
    let known: Vec<String> =
        controls().iter().map(|row| format!("{} Pq {}", row.file, row.shape)).collect();
    assert_eq!(told, known);
}

#[test]
fn a_program_names_the_controls_that_it_reads() {
    let pages = pages();
    let mut complaints = Vec::new();
    for control in controls() {
        for reader in &control.readers {
            let told =
                pages.iter().any(|page| page.name == *reader && page.mentions(&control.file));
            if !told {
                complaints.push(format!("{reader}(8) says nothing of {}", control.file));
            }
        }
    }
    nothing_to_say(complaints);
}

#[test]
fn the_exit_codes_of_qmail_queue_are_all_told_and_no_others() {
    let mut codes = source::exit_codes(&read("qmail-queue/src/failure.rs"));
    assert!(codes.len() > 5);
    codes.insert(0);
    assert_eq!(page("qmail-queue").exit_codes(), codes);
}

#[test]
fn every_exit_code_of_a_program_is_told() {
    let programs = source::programs(&workspace());
    let headers = source::headers(&workspace());
    let mut complaints = Vec::new();
    for page in pages() {
        let Some(code) = programs.get(&page.name) else { continue };
        // Those in src/bin share their failures, and do not have them all.
        if !headers.get(&page.name).is_some_and(|header| header.ends_with("main.rs")) {
            continue;
        }
        // What qmail-lspawn has a function for are the codes of what it runs.
        if page.name == "qmail-lspawn" {
            continue;
        }
        for code in source::exit_codes(code).difference(&page.exit_codes()) {
            complaints.push(format!("{} says nothing of exit code {code}", page.title()));
        }
    }
    nothing_to_say(complaints);
}

#[test]
fn exit_codes_are_those_in_the_headers_of_the_programs() {
    let pages = pages();
    let mut complaints = Vec::new();
    for (program, header) in source::headers(&workspace()) {
        let Some(page) = pages.iter().find(|page| page.names().contains(&&*program)) else {
            continue;
        };
        let told = page.exit_numbers();
        for code in source::header_codes(&header).difference(&told) {
            complaints.push(format!("{} says nothing of {code} of {program}", page.title()));
        }
    }
    nothing_to_say(complaints);
}

#[test]
fn options_are_those_that_the_programs_have() {
    let programs = source::programs(&workspace());
    let mut compared = 0;
    for page in pages() {
        let Some(code) = programs.get(&page.name) else { continue };
        let Some(known) = source::options(code) else { continue };
        assert_eq!(letters(&page, &known), known.keys().copied().collect(), "{}", page.title());
        compared += 1;
    }
    assert!(compared >= 3, "options are written in another way now");
}

/// The letters of a page, read as the program would read them.
fn letters(page: &Page, known: &BTreeMap<char, bool>) -> BTreeSet<char> {
    let mut letters = BTreeSet::new();
    for word in page.options() {
        for letter in word.chars() {
            letters.insert(letter);
            if known.get(&letter) == Some(&true) {
                break;
            }
        }
    }
    letters
}

/// The names that pages in sections 1 and 8 are about.
fn documented(pages: &[Page]) -> BTreeSet<String> {
    let commands = pages.iter().filter(|page| matches!(&*page.section, "1" | "8"));
    commands.flat_map(Page::names).map(str::to_owned).collect()
}

#[test]
fn every_installed_program_has_a_page() {
    let installed = source::installed(&read("install/src/layout.rs"));
    assert!(!installed.is_empty());
    let told = documented(&pages());
    let missing = installed.difference(&told);
    nothing_to_say(missing.map(|name| format!("{name} has no page")).collect());
}

#[test]
fn every_other_program_has_a_page_too() {
    let told = documented(&pages());
    let programs: BTreeSet<String> = source::headers(&workspace()).into_keys().collect();
    assert!(programs.len() > 50, "{programs:?}");
    let missing = programs.difference(&told);
    nothing_to_say(missing.map(|name| format!("{name} has no page")).collect());
}

#[test]
fn every_control_that_a_program_names_is_in_the_table() {
    let known: BTreeSet<String> = controls().into_iter().map(|control| control.file).collect();
    let named = source::control_names(&workspace());
    assert!(named.contains_key("locals") && named.contains_key("me"), "{named:?}");
    // What a file is called until it is complete.
    let is_whole = |name: &str| !name.ends_with(".tmp") && !name.ends_with(".new");
    let strangers = named.iter().filter(|(name, _)| is_whole(name));
    let unknown = strangers.filter(|(name, _)| !known.contains(*name));
    let complaints = unknown.map(|(name, path)| format!("{}: {name}", path.display()));
    nothing_to_say(complaints.collect());
}

#[test]
fn every_page_is_about_a_program_that_exists() {
    let programs = source::programs(&workspace());
    let scripts = fs::read_dir(workspace().join("install/scripts")).unwrap().flatten();
    let scripts: BTreeSet<String> =
        scripts.map(|script| script.file_name().to_string_lossy().into_owned()).collect();
    let told = documented(&pages());
    let without_program =
        told.iter().filter(|name| !programs.contains_key(*name) && !scripts.contains(*name));
    let unknown = without_program.filter(|name| *name != INTERFACE);
    nothing_to_say(unknown.map(|name| format!("there is no program {name}")).collect());
}
