//! The tables of the README, which are made of those in other documents.

use std::fmt::Write;

use crate::document::{quoted, rows};

/// The lines that are shown of what `make bench` has measured.
const MEASURED: [&str; 9] = [
    "`sendmail`, 20 writers",
    "SMTP acceptance, 10 sessions",
    "SMTP to Maildir",
    "drain of a full queue",
    "SMTP to another server",
    "connections",
    "memory of an idle session",
    "50 MiB in",
    "50 MiB out",
];

/// The parts of docs/COMPATIBILITY.md whose rows have a verdict, what they are about, and how many
/// of these a row names.
const COUNTED: [(&str, &str, Names); 5] = [
    ("Programs", "programs", Names::One),
    ("Options", "options of theirs", Names::Quoted),
    ("Control files", "control files", Names::Quoted),
    ("Other files", "other files and formats", Names::One),
    ("Environment variables", "environment variables", Names::Quoted),
];

/// What the first cell of a row names.
#[derive(Clone, Copy)]
enum Names {
    One,
    /// Whatever is in back quotes there, if anything is.
    Quoted,
}

/// The README with its tables as the other documents have them now.
///
/// # Errors
///
/// What is missing, and where.
pub fn filled(readme: &str, performance: &str, compatibility: &str) -> Result<String, String> {
    let readme = put(readme, "measured", &measured(performance)?)?;
    put(&readme, "compatibility", &counted(compatibility))
}

/// A text in the place of the one between two marks.
fn put(document: &str, name: &str, text: &str) -> Result<String, String> {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
    let missing = || format!("README.md has no place for {name}");
    let (before, rest) = document.split_once(&begin).ok_or_else(missing)?;
    let (_, after) = rest.split_once(&end).ok_or_else(missing)?;
    Ok(format!("{before}{begin}\n{text}\n{end}{after}"))
}

/// Some rows of the first table that compares systems.
fn measured(performance: &str) -> Result<String, String> {
    let (_, text) = performance
        .split_once("<!-- measured -->")
        .ok_or("docs/performance.md has nothing that was measured")?;
    let mut lines = text.lines().skip_while(|line| !line.starts_with("|  | qmail-rs |"));
    let mut head = lines.by_ref().take(2);
    let (Some(columns), Some(rule)) = (head.next(), head.next()) else {
        return Err("docs/performance.md compares no systems".to_owned());
    };
    let table: Vec<&str> = lines.take_while(|line| line.starts_with('|')).collect();
    let mut text = format!("{columns}\n{rule}\n");
    for what in MEASURED {
        let start = format!("| {what} |");
        let row = table.iter().find(|row| row.starts_with(&start));
        let row = row.ok_or_else(|| format!("docs/performance.md has no row {what}"))?;
        text += &without_ranges(row);
        text.push('\n');
    }
    Ok(text)
}

/// `| 142/s (99–196) |` becomes `| 142/s |`.
fn without_ranges(row: &str) -> String {
    let cells = row.split(" | ").map(|cell| match cell.split_once(" (") {
        Some((value, range)) if range.contains('–') => value,
        _ => cell,
    });
    cells.collect::<Vec<_>>().join(" | ")
}

/// How many there are of each kind, by what became of them.
fn counted(compatibility: &str) -> String {
    let verdicts = ["same", "better", "not offered"];
    let mut text = format!("| of netqmail 1.06 | {} |\n", verdicts.join(" | "));
    text += "| --- | ---: | ---: | ---: |\n";
    for (heading, what, names) in COUNTED {
        let rows = rows(compatibility, heading);
        let _ = write!(text, "| {what} ");
        for verdict in verdicts {
            let is_so = |row: &&Vec<String>| row.get(1).is_some_and(|it| it.starts_with(verdict));
            let count: usize = rows.iter().filter(is_so).map(|row| names.count(row)).sum();
            let _ = write!(text, "| {count} ");
        }
        text += "|\n";
    }
    text
}

impl Names {
    fn count(self, row: &[String]) -> usize {
        match self {
            Self::One => 1,
            Self::Quoted => row.first().map_or(0, |cell| quoted(cell).count().max(1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPATIBILITY: &str = "# x\n\n## Programs\n\n### a\n\n| a | b | c |\n| --- | --- | --- |\n\
        | one | same | |\n| two | better: so | |\n\n### b\n\n| a | b | c |\n| --- | --- | --- |\n\
        | three | same; new | |\n\n## Options\n\n## Control files\n\n## Other files\n\n\
        ## Environment variables\n\n| a | b | c |\n| --- | --- | --- |\n\
        | `A` `B` | not offered: no | |\n";

    #[test]
    fn verdicts_are_counted_by_what_a_row_names() {
        let text = counted(COMPATIBILITY);
        assert!(text.contains("| programs | 2 | 1 | 0 |\n"), "{text}");
        assert!(text.contains("| environment variables | 0 | 0 | 2 |\n"), "{text}");
    }

    #[test]
    fn ranges_go_and_other_remarks_stay() {
        let row = "| `x` (y) | 142/s (99–196) | 1.34 |";
        assert_eq!(without_ranges(row), "| `x` (y) | 142/s | 1.34 |");
    }

    #[test]
    fn a_text_takes_the_place_of_the_one_before() {
        let document = "a\n<!-- x -->\nold\n<!-- end of x -->\nb\n";
        let new = put(document, "x", "new\n").unwrap();
        assert_eq!(new, "a\n<!-- x -->\n\nnew\n\n<!-- end of x -->\nb\n");
        assert_eq!(put(&new, "x", "new\n").unwrap(), new);
        assert!(put(document, "y", "").is_err());
    }
}
