//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::systems::{Exim, OpenSmtpd, Postfix, Qmail, System};

/// What is to be measured, and how.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub size: Size,
    /// Empty for all.
    pub scenarios: Vec<String>,
    /// Empty for all.
    pub systems: Vec<String>,
    pub trees: Vec<Qmail>,
    pub disk: Disk,
    /// Whether system calls are counted, in a pass of its own.
    pub counts: bool,
    /// A document that holds the tables.
    pub into: Option<PathBuf>,
}

/// How much mail.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub messages: usize,
    /// How often everything is measured.
    pub rounds: usize,
    /// Of the message to many.
    pub recipients: usize,
    /// Of the large message.
    pub mebibytes: usize,
    /// How many messages wait in the larger queues.
    pub queued: [usize; 3],
}

/// Where the queues are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Disk {
    /// A new journaled file system of its own, in a file.
    #[default]
    Ext4,
    /// Memory: what is left is processor time.
    Tmpfs,
    /// As it is.
    Directory(PathBuf),
}

impl Arguments {
    /// From the words after the program's name.
    pub(crate) fn parse(words: impl Iterator<Item = OsString>) -> Result<Self, String> {
        let mut parsed = Self::default();
        let mut words = words.map(|word| word.into_string().map_err(|word| format!("{word:?}?")));
        while let Some(word) = words.next().transpose()? {
            if word == "--no-counts" {
                parsed.counts = false;
                continue;
            }
            let value = words.next().transpose()?.ok_or_else(|| format!("{word} what?"))?;
            parsed.set(&word, &value)?;
        }
        Ok(parsed)
    }

    fn set(&mut self, word: &str, value: &str) -> Result<(), String> {
        let number = || value.parse().map_err(|_| format!("{value} is no number"));
        match word {
            "--rounds" => self.size.rounds = number()?,
            "--messages" => self.size.messages = number()?,
            "--recipients" => self.size.recipients = number()?,
            "--mebibytes" => self.size.mebibytes = number()?,
            "--queued" => {
                let most: usize = number()?;
                self.size.queued = [most / 1000, most / 10, most];
            }
            "--scenarios" => self.scenarios = list(value),
            "--systems" => self.systems = list(value),
            "--tree" => self.trees.push(tree(value)?),
            "--programs" => self.trees.push(programs(value)?),
            "--into" => self.into = Some(value.into()),
            "--disk" => {
                self.disk = match value {
                    "ext4" => Disk::Ext4,
                    "tmpfs" => Disk::Tmpfs,
                    directory => Disk::Directory(directory.into()),
                }
            }
            _ => return Err(format!("{word}?")),
        }
        Ok(())
    }

    /// All systems that are there and wanted, ours first.
    pub(crate) fn systems(&self) -> Vec<Box<dyn System>> {
        let mut all: Vec<Box<dyn System>> = vec![Box::new(Qmail::ours())];
        all.extend(Qmail::original().map(|tree| Box::new(tree) as Box<dyn System>));
        all.extend(self.trees.iter().cloned().map(|tree| Box::new(tree) as Box<dyn System>));
        all.extend([
            Box::new(Postfix) as Box<dyn System>,
            Box::new(OpenSmtpd) as Box<dyn System>,
            Box::new(Exim) as Box<dyn System>,
        ]);
        let wanted = |name: &str| self.systems.is_empty() || self.systems.iter().any(|n| n == name);
        all.retain(|system| system.is_there() && wanted(system.name()));
        all
    }
}

impl Default for Arguments {
    fn default() -> Self {
        Self {
            size: Size {
                messages: 1000,
                recipients: 1000,
                mebibytes: 50,
                queued: [1000, 100_000, 1_000_000],
                rounds: 5,
            },
            scenarios: Vec::new(),
            systems: Vec::new(),
            trees: Vec::new(),
            disk: Disk::default(),
            counts: true,
            into: None,
        }
    }
}

fn list(value: &str) -> Vec<String> {
    value.split(',').map(str::to_owned).collect()
}

/// `NAME=DIRECTORY` or `NAME=DIRECTORY:HOME`, of a tree whose programs think that it is at HOME.
fn tree(value: &str) -> Result<Qmail, String> {
    let (name, place) = value.split_once('=').ok_or_else(|| format!("{value}: NAME=DIRECTORY"))?;
    let (source, home) = place.split_once(':').unwrap_or((place, place));
    Ok(Qmail::at(name, source.into(), home.into()))
}

/// `NAME=DIRECTORY`, of programs of ours that are not installed.
fn programs(value: &str) -> Result<Qmail, String> {
    let (name, place) = value.split_once('=').ok_or_else(|| format!("{value}: NAME=DIRECTORY"))?;
    Ok(Qmail::of_programs(name, place.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Arguments, String> {
        Arguments::parse(words.iter().map(OsString::from))
    }

    #[test]
    fn sizes_and_choices_are_understood() {
        let words = ["--messages", "20", "--scenarios", "inject,drain", "--disk", "tmpfs"];
        let parsed = parse(&words).unwrap();
        assert_eq!((parsed.size.messages, parsed.size.rounds), (20, 5));
        assert_eq!(parsed.scenarios, ["inject", "drain"]);
        assert_eq!(parsed.disk, Disk::Tmpfs);
    }

    #[test]
    fn a_word_that_means_nothing_is_refused() {
        for words in [&["--rounds"][..], &["--rounds", "five"], &["--speed", "11"]] {
            assert!(parse(words).is_err(), "{words:?}");
        }
    }
}
