//! The tables.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use crate::meter::Costs;
use crate::scenarios::{Better, Figure};

/// All figures of a run, by what they are of, in the order in which they first came.
#[derive(Debug, Default)]
pub(crate) struct Report {
    systems: Vec<String>,
    rows: Vec<Row>,
    calls: Vec<(String, String, Costs, usize)>,
}

/// One thing that was measured, of each system.
#[derive(Debug)]
struct Row {
    what: String,
    unit: &'static str,
    better: Better,
    values: BTreeMap<String, Vec<f64>>,
    processor: BTreeMap<String, Vec<f64>>,
    flushes: BTreeMap<String, Vec<f64>>,
}

/// Around the tables in a document.
const MARKS: [&str; 2] = ["<!-- measured -->\n", "<!-- end of what is measured -->\n"];

/// System calls by what they are for.
const KINDS: [(&str, &[&str]); 5] = [
    ("execs", &["execve", "execveat"]),
    ("forks", &["fork", "vfork", "clone", "clone3"]),
    ("syncs", &["fsync", "fdatasync", "sync", "syncfs", "sync_file_range"]),
    ("creates and links", &["creat", "link", "linkat", "rename", "renameat", "renameat2"]),
    ("unlinks", &["unlink", "unlinkat"]),
];

impl Report {
    pub(crate) fn new(systems: Vec<String>) -> Self {
        Self { systems, ..Self::default() }
    }

    /// Adds a figure of a system.
    pub(crate) fn add(&mut self, system: &str, figure: Figure) {
        let at = self.rows.iter().position(|row| row.what == figure.what);
        let at = at.unwrap_or_else(|| {
            self.rows.push(Row::of(&figure));
            self.rows.len() - 1
        });
        let Some(row) = self.rows.get_mut(at) else { return };
        row.values.entry(system.to_owned()).or_default().push(figure.value);
        let Some((costs, messages)) = figure.costs else { return };
        #[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 messages")]
        let messages = messages as f64;
        if let Some(processor) = costs.processor {
            let each = processor.as_secs_f64() * 1e3 / messages;
            row.processor.entry(system.to_owned()).or_default().push(each);
        }
        if let Some(flushes) = costs.flushes {
            let each = f64::from(u32::try_from(flushes).unwrap_or(u32::MAX)) / messages;
            row.flushes.entry(system.to_owned()).or_default().push(each);
        }
    }

    /// Adds the system calls of a figure.
    pub(crate) fn add_calls(&mut self, system: &str, figure: Figure) {
        if let Some((costs, messages)) = figure.costs.filter(|(costs, _)| !costs.calls.is_empty()) {
            self.calls.push((figure.what, system.to_owned(), costs, messages));
        }
    }

    /// Everything, in Markdown.
    pub(crate) fn text(&self) -> String {
        let mut text = self.rates();
        text += "\nProcessor time of the system under test, in milliseconds for each message:\n\n";
        text += &self.each(|row| &row.processor, 2);
        if self.rows.iter().any(|row| !row.flushes.is_empty()) {
            text += "\nFlushes of the disk for each message:\n\n";
            text += &self.each(|row| &row.flushes, 1);
        }
        if !self.calls.is_empty() {
            text += "\nSystem calls for each message:\n\n";
            text += &self.calls();
        }
        text
    }

    fn rates(&self) -> String {
        let mut text = header("", &self.systems);
        let (first, others) = self.systems.split_first().map_or(("", &[][..]), |(f, o)| (f, o));
        if !others.is_empty() {
            let more: Vec<_> = others.iter().map(|other| format!("{first} : {other}")).collect();
            text = header("", &[&self.systems[..], &more].concat());
        }
        for row in &self.rows {
            let _ = write!(text, "| {} ", row.what);
            for system in &self.systems {
                let _ = write!(text, "| {} ", row.cell(system));
            }
            for other in others {
                let ratio = row.ratio(first, other).map(|ratio| format!("{ratio:.2}"));
                let _ = write!(text, "| {} ", ratio.unwrap_or_default());
            }
            text += "|\n";
        }
        text
    }

    fn each(&self, of: impl Fn(&Row) -> &BTreeMap<String, Vec<f64>>, places: usize) -> String {
        let mut text = header("", &self.systems);
        for row in self.rows.iter().filter(|row| !of(row).is_empty()) {
            let _ = write!(text, "| {} ", row.what);
            for system in &self.systems {
                let middle = of(row).get(system).map(|values| median(values));
                let cell = middle.map(|value| format!("{value:.places$}"));
                let _ = write!(text, "| {} ", cell.unwrap_or_default());
            }
            text += "|\n";
        }
        text
    }

    fn calls(&self) -> String {
        let kinds = KINDS.iter().map(|(kind, _)| (*kind).to_owned());
        let mut columns = vec!["system".to_owned(), "all".to_owned()];
        columns.extend(kinds);
        let mut text = header("", &columns);
        for (what, system, costs, messages) in &self.calls {
            let _ =
                write!(text, "| {what} | {system} | {} ", each(costs.calls.values(), *messages));
            for (_, names) in KINDS {
                let counts = names.iter().filter_map(|name| costs.calls.get(*name));
                let _ = write!(text, "| {} ", each(counts, *messages));
            }
            text += "|\n";
        }
        text
    }
}

impl Row {
    fn of(figure: &Figure) -> Self {
        Self {
            what: figure.what.clone(),
            unit: figure.unit,
            better: figure.better,
            values: BTreeMap::new(),
            processor: BTreeMap::new(),
            flushes: BTreeMap::new(),
        }
    }

    /// The median, and from where to where.
    fn cell(&self, system: &str) -> String {
        let Some(values) = self.values.get(system) else { return String::new() };
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(0.0, f64::max);
        let places = if most < 10.0 { 2 } else { 0 };
        let (middle, unit) = (median(values), self.unit);
        format!("{middle:.places$}{unit} ({least:.places$}–{most:.places$})")
    }

    /// How much better the first is than the other: the median of all rounds, since what is measured
    /// one after the other meets the same disk, and rounds do not.
    fn ratio(&self, first: &str, other: &str) -> Option<f64> {
        let rounds = self.values.get(first)?.iter().zip(self.values.get(other)?);
        let ratios: Vec<_> = rounds
            .map(|(first, other)| match self.better {
                Better::Higher => first / other,
                Better::Lower => other / first,
            })
            .collect();
        Some(median(&ratios))
    }
}

/// Puts tables into a document, in the place of those that are there.
pub(crate) fn put(text: &str, document: &Path) -> io::Result<()> {
    let old = fs::read_to_string(document)?;
    let [begin, end] = MARKS;
    let replaced = old.split_once(begin).zip(old.split_once(end));
    let missing = || io::Error::other(format!("{} has no place for it", document.display()));
    let ((before, _), (_, after)) = replaced.ok_or_else(missing)?;
    let new = document.with_extension("new");
    fs::File::create(&new)?
        .write_all(format!("{before}{begin}\n{text}\n{end}{after}").as_bytes())?;
    fs::rename(new, document)
}

fn header(first: &str, columns: &[String]) -> String {
    let rule = "| ---: ".repeat(columns.len());
    format!("| {first} | {} |\n| --- {rule}|\n", columns.join(" | "))
}

fn each<'a>(counts: impl Iterator<Item = &'a u64>, messages: usize) -> String {
    let sum = counts.sum::<u64>();
    #[expect(clippy::cast_precision_loss, reason = "nobody makes 2^53 system calls")]
    let each = sum as f64 / messages as f64;
    format!("{each:.1}")
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(value: f64, better: Better) -> Figure {
        Figure { what: "speed".to_owned(), unit: "/s", better, value, costs: None }
    }

    #[test]
    fn a_ratio_above_one_says_that_the_first_is_better() {
        for (better, ratio) in [(Better::Higher, "2.00"), (Better::Lower, "0.50")] {
            let mut report = Report::new(vec!["a".to_owned(), "b".to_owned()]);
            for (a, b) in [(180.0, 90.0), (600.0, 300.0), (800.0, 200.0)] {
                report.add("a", figure(a, better));
                report.add("b", figure(b, better));
            }
            let row = "| speed | 600/s (180–800) | 200/s (90–300) |";
            let text = report.text();
            assert!(text.contains(&format!("{row} {ratio} |")), "{text}");
        }
    }

    #[test]
    fn tables_take_the_place_of_older_ones() {
        let directory = tempfile::tempdir().unwrap();
        let document = directory.path().join("document.md");
        let [begin, end] = MARKS;
        let mut file = fs::File::create(&document).unwrap();
        write!(file, "before\n{begin}old\n{end}after\n").unwrap();
        put("new\n", &document).unwrap();
        let text = fs::read_to_string(&document).unwrap();
        assert_eq!(text, format!("before\n{begin}\nnew\n\n{end}after\n"));
    }
}
