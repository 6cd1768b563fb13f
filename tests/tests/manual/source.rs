//! What the source says that the manual says too. It is read as text: what is not found as it
//! stands there today makes a test fail rather than pass.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A row of the table of control files.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Control {
    pub(crate) file: String,
    /// As the manual calls it.
    pub(crate) shape: String,
    /// As the manual writes it.
    pub(crate) default: String,
    pub(crate) readers: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Text(String),
    Word(String),
    Sign(char),
}

/// The rows of `controls! { … }`.
pub(crate) fn controls(source: &str) -> Vec<Control> {
    let (_, rest) = source.split_once("\ncontrols! {\n").expect("there is a table");
    let (table, _) = rest.split_once("\n}\n").expect("the table ends");
    let tokens = tokens(table);
    let rows = tokens.split(|token| *token == Token::Sign(';')).filter(|row| !row.is_empty());
    rows.map(|row| control(row).unwrap_or_else(|| panic!("a row of the table: {row:?}"))).collect()
}

fn control(row: &[Token]) -> Option<Control> {
    use Token::{Sign, Text, Word};
    let [Word(_), Text(file), Word(shape), rest @ ..] = row else { return None };
    let readers_at = rest.iter().position(|token| *token == Sign('['))?;
    let (default, rest) = rest.split_at(readers_at);
    let default = match default {
        [Word(nothing), Sign(',')] if nothing == "Default::Nothing" => "none".to_owned(),
        [Word(me), Sign(',')] if me == "Default::Me" => "me".to_owned(),
        [Word(me_or), Sign('('), Text(text), Sign(')'), Sign(',')] if me_or == "Default::MeOr" => {
            format!("me or {text}")
        }
        [Word(_), Sign('('), Text(text), Sign(')'), Sign(',')] => text.clone(),
        [Word(_), Sign('('), Word(number), Sign(')'), Sign(',')] => number.replace('_', ""),
        _ => return None,
    };
    let readers = rest.iter().take_while(|token| **token != Sign(']'));
    let readers = readers.filter_map(|token| match token {
        Text(reader) => Some(reader.clone()),
        Word(_) | Sign(_) => None,
    });
    let shape = if shape == "Cdb" { "database".to_owned() } else { shape.to_lowercase() };
    Some(Control { file: file.clone(), shape, default, readers: readers.collect() })
}

fn tokens(source: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = source.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '/' => rest.find('\n').unwrap_or(rest.len()),
            '"' => {
                let end = rest[1..].find('"').expect("a text ends");
                tokens.push(Token::Text(rest[1..=end].to_owned()));
                end + 2
            }
            '(' | ')' | '[' | ']' | ',' | ';' => {
                tokens.push(Token::Sign(first));
                1
            }
            _ => {
                let is_end = |letter: char| letter.is_whitespace() || "()[],;\"".contains(letter);
                let end = rest.find(is_end).unwrap_or(rest.len());
                tokens.push(Token::Word(rest[..end].to_owned()));
                end
            }
        };
        rest = rest[length..].trim_start();
    }
    tokens
}

/// The programs in `bin/` that install has in its table.
pub(crate) fn installed(layout: &str) -> BTreeSet<String> {
    let rows = layout.lines().filter_map(|line| line.trim_start().strip_prefix("row(\"bin/"));
    rows.filter_map(|row| row.split_once('"')).map(|(name, _)| name.to_owned()).collect()
}

/// The source of each program of the workspace, by its name.
pub(crate) fn programs(workspace: &Path) -> BTreeMap<String, String> {
    let mut programs = BTreeMap::new();
    for package in directory(workspace) {
        if package.join("src/main.rs").is_file() {
            let manifest = fs::read_to_string(package.join("Cargo.toml")).unwrap_or_default();
            let name = manifest.split('"').nth(1).unwrap_or_default().to_owned();
            programs.insert(name, code(&package.join("src")));
        }
        for program in directory(&package.join("src/bin")) {
            let name = program.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let text = code(&program);
            let more = modules(&package.join("src"), &text);
            programs.insert(name, text + &more);
        }
    }
    programs
}

/// The modules of its own package that a program uses: `use admin_tools::tcp_env::…` is
/// `tcp_env.rs`, and the directory of that name.
fn modules(source: &Path, program: &str) -> String {
    let uses = program.lines().filter_map(|line| line.strip_prefix("use ")?.split("::").nth(1));
    let names: BTreeSet<&str> = uses.map(|name| name.trim_end_matches(';')).collect();
    let paths = names.into_iter().map(|name| source.join(name));
    paths.map(|path| code(&path) + &code(&path.with_extension("rs"))).collect()
}

/// The exit codes that the header of a program names: each is the first word of its part.
pub(crate) fn header_codes(program: &Path) -> BTreeSet<u8> {
    let text = fs::read_to_string(program).unwrap_or_default();
    let header = text.lines().map_while(|line| line.strip_prefix("//!"));
    let lines = header.skip_while(|line| !line.trim_start().starts_with("Exit codes:"));
    let codes: Vec<&str> = lines.map(str::trim).collect();
    let codes = codes.join(" ");
    let parts = codes.trim_start_matches("Exit codes:").split([';', ',']);
    parts.filter_map(|part| part.split_whitespace().next()?.parse().ok()).collect()
}

/// The file with the header of each program of the workspace, by the program's name.
pub(crate) fn headers(workspace: &Path) -> BTreeMap<String, PathBuf> {
    let mut headers = BTreeMap::new();
    for package in directory(workspace) {
        if FOR_OURSELVES.iter().any(|name| package.ends_with(name)) {
            continue;
        }
        let main = package.join("src/main.rs");
        if main.is_file() {
            let manifest = fs::read_to_string(package.join("Cargo.toml")).unwrap_or_default();
            headers.insert(manifest.split('"').nth(1).unwrap_or_default().to_owned(), main);
        }
        for program in directory(&package.join("src/bin")) {
            let name = program.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            headers.insert(name, program);
        }
    }
    headers
}

/// Packages whose programs are for those who work on this one.
const FOR_OURSELVES: [&str; 2] = ["tests", "benches"];

/// The names below `control/` that the source has in its texts, with the file that each is in. Tests
/// do not count.
pub(crate) fn control_names(workspace: &Path) -> BTreeMap<String, PathBuf> {
    let mut names = BTreeMap::new();
    for path in sources(workspace) {
        let text = fs::read_to_string(&path).unwrap_or_default();
        let (text, _) = text.split_once("#[cfg(test)]\nmod tests").unwrap_or((&text, ""));
        let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        for before in
            ["control/", "control.join(\"", "control\").join(\"", "control.join(format!(\""]
        {
            for rest in lines.clone().flat_map(|line| line.split(before).skip(1)) {
                let is_end =
                    |letter: char| !(letter.is_ascii_alphanumeric() || "._-".contains(letter));
                let name = rest.split(is_end).next().unwrap_or_default();
                names.insert(name.trim_end_matches('.').to_owned(), path.clone());
            }
        }
    }
    names.remove("");
    names
}

/// All source of the workspace that is not there for tests.
fn sources(workspace: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left: Vec<PathBuf> = directory(workspace);
    while let Some(path) = left.pop() {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let skipped = ["tests", "target", "benches", "fuzz"].contains(&&*name);
        if path.is_dir() && !skipped && !name.starts_with('.') {
            left.extend(directory(&path));
        } else if path.extension().is_some_and(|end| end == "rs")
            && !skipped
            && !name.ends_with("_tests")
        {
            found.push(path);
        }
    }
    found
}

/// All source in a file, or below a directory, without its comments.
fn code(path: &Path) -> String {
    if path.is_dir() {
        return directory(path).iter().map(|entry| code(entry)).collect();
    }
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).fold(
        String::new(),
        |mut code, line| {
            code.push_str(line);
            code.push('\n');
            code
        },
    )
}

fn directory(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// The numbers in the functions `code`, which turn failures into exit codes.
pub(crate) fn exit_codes(code: &str) -> BTreeSet<u8> {
    let bodies = code.split("fn code(").skip(1).map(|rest| {
        let (body, _) = rest.split_once("\n    }\n").unwrap_or((rest, ""));
        body
    });
    let is_end = |letter: char| !(letter.is_alphanumeric() || letter == '_');
    bodies.flat_map(|body| body.split(is_end)).filter_map(|word| word.parse().ok()).collect()
}

/// The letters that a program has as options, each with whether it has an argument.
pub(crate) fn options(code: &str) -> Option<BTreeMap<char, bool>> {
    let literals = ["LETTERS: &[u8] = b\"", "Options::new(b\""];
    let (_, rest) = literals.iter().find_map(|before| code.split_once(before))?;
    let (letters, _) = rest.split_once('"')?;
    // A literal may go on in the next line.
    let is_letter = |letter: &char| !letter.is_whitespace() && *letter != '\\';
    let letters: Vec<char> = letters.chars().filter(is_letter).collect();
    let options = letters.iter().enumerate().filter(|(_, letter)| **letter != ':');
    Some(options.map(|(at, letter)| (*letter, letters.get(at + 1) == Some(&':'))).collect())
}
