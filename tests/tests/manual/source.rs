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
            // `tcp-env.rs`, and `tcp_env.rs` or a directory `tcp_env` of its own.
            let module = package.join("src").join(name.replace('-', "_"));
            let more = code(&module) + &code(&module.with_extension("rs"));
            programs.insert(name, code(&program) + &more);
        }
    }
    programs
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
