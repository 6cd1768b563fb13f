//! One run of qmail-qrepair.

use std::collections::HashSet;
use std::fmt;
use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{PermissionsExt, lchown};
use std::path::{Path, PathBuf};

use qmail_core::accounts::Accounts;
use qmail_core::errno;
use qmail_core::queue::{Todo, is_closed};
use qmail_sys::sync_directory;

use super::apply::{Stuck, apply};
use super::areas::{Area, areas};
use super::contents::is_sound;
use super::detect;
use super::fixtures::{Fixture, directories, ways_in};
use super::inventory::Inventory;
use super::plan::{Plan, Why};
use super::report::Report;
use super::{Job, Request, Shape};
use crate::alone::{Alone, NotAlone};
use crate::say;
use qmail_core::progress::Progress;

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing is wrong, or nothing is wrong any more.
    Sound,
    /// Something is.
    Flawed,
}

impl Outcome {
    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Sound => say::FINE,
            Self::Flawed => say::UNSETTLED,
        }
    }
}

/// Why it ended early.
#[derive(Debug)]
pub enum Failure {
    /// Somebody works on the queue.
    NotAlone(NotAlone),
    /// The system would not do it.
    System(&'static str, PathBuf, io::Error),
    /// One of the others, when the queue was no longer as it had been.
    Unfinished(Box<Failure>),
    /// There is a queue already.
    Exists,
    /// Nobody can tell what layout the queue has.
    NoShape,
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAlone(reason) => reason.fmt(formatter),
            Self::System(what, path, error) => {
                write!(formatter, "unable to {what} {}: {}", path.display(), errno::text(error))
            }
            Self::Unfinished(reason) => {
                write!(formatter, "{reason}; the queue stays closed until a repair succeeds")
            }
            Self::Exists => formatter.write_str("there is a queue already"),
            Self::NoShape => {
                formatter.write_str("unable to determine conf-split, use --split to force")
            }
        }
    }
}

impl std::error::Error for Failure {}

impl From<NotAlone> for Failure {
    fn from(reason: NotAlone) -> Self {
        Self::NotAlone(reason)
    }
}

/// Does what `request` says with the queue of the tree at `home`.
pub fn run(
    request: &Request,
    home: &Path,
    accounts: &Accounts,
    output: impl Write,
) -> Result<Outcome, Failure> {
    let root = home.join("queue");
    let repair = request.job != Job::Test;
    let mut report = Report::new(output, repair);
    report.say(if repair { "running in repair mode" } else { "running in test-only mode" });
    let shape = if request.job == Job::Create {
        if root.join("mess").symlink_metadata().is_ok() {
            return Err(Failure::Exists);
        }
        Shape { split: request.split.unwrap_or(1), todo: request.todo.unwrap_or(Todo::Flat) }
    } else {
        shape(request, &root, &mut report)?
    };
    let areas = areas(&root);
    let mut work = Work { root, areas, shape, accounts, report, touched: false };
    if repair {
        work.repair()?
    } else {
        work.test()?
    }
    let Report { found, left, .. } = work.report;
    work.report.say(format_args!("{found} found, {left} left"));
    Ok(if left == 0 { Outcome::Sound } else { Outcome::Flawed })
}

fn shape(
    request: &Request,
    root: &Path,
    report: &mut Report<impl Write>,
) -> Result<Shape, Failure> {
    report.say("determining conf-split...");
    let found = detect::split(root);
    if let Some(split) = found {
        report.say(format_args!("  conf-split appears to be {split}"));
    }
    report.say("determining big-todo...");
    let hashed = detect::is_hashed(root);
    report.say(if hashed { "  big-todo found" } else { "  big-todo not found" });
    let todo = request.todo.unwrap_or(if hashed { Todo::Hashed } else { Todo::Flat });
    let split = request.split.or(found).ok_or(Failure::NoShape)?;
    Ok(Shape { split, todo })
}

struct Work<'a, W> {
    root: PathBuf,
    areas: Vec<Area>,
    shape: Shape,
    accounts: &'a Accounts,
    report: Report<W>,
    /// Whether anything has been changed, or was going to be.
    touched: bool,
}

impl<W: Write> Work<'_, W> {
    fn test(&mut self) -> Result<(), Failure> {
        match Alone::take(&self.root) {
            Ok(_) => {}
            Err(NotAlone::Running) => {
                self.report.say("warning: qmail-send is running: some of this may not be so");
            }
            Err(reason) => return Err(reason.into()),
        }
        if is_closed(&self.root) {
            self.report.flaw("an earlier repair has not ended: the queue is closed");
        }
        self.fixtures(&directories(&self.areas, self.shape))?;
        let plan = self.plan()?;
        self.tell(&plan);
        self.superfluous()?;
        self.files()?;
        self.fixtures(&ways_in())
    }

    fn repair(&mut self) -> Result<(), Failure> {
        let closed = Alone::take(&self.root)?.close()?;
        let was_closed = closed.had_been_closed();
        let result = self.repair_closed();
        match result {
            // Half of it in one layout, half in another: nobody may work on that.
            Err(reason) if self.touched || was_closed => Err(Failure::Unfinished(Box::new(reason))),
            Err(reason) => {
                closed.open()?;
                Err(reason)
            }
            Ok(()) => {
                let _alone = closed.open()?;
                self.fixtures(&ways_in())
            }
        }
    }

    /// Directories first, so that there is a place for every file.
    fn repair_closed(&mut self) -> Result<(), Failure> {
        self.fixtures(&directories(&self.areas, self.shape))?;
        let plan = self.plan()?;
        self.tell(&plan);
        self.touched |= plan.len() > 0;
        let report = &mut self.report;
        apply(&self.root, &plan, |file| {
            report.fixed(format_args!("moved {} to {}", file.from.display(), file.to.display()));
        })
        .map_err(|Stuck(path, error)| Failure::System("move", path, error))?;
        self.superfluous()?;
        self.files()
    }

    fn fixtures(&mut self, fixtures: &[Fixture]) -> Result<(), Failure> {
        let mut last = None;
        for fixture in fixtures {
            let path = self.root.join(&fixture.path);
            let directory = fixture.path.components().next();
            if last != Some(directory) {
                last = Some(directory);
                let name = directory.map_or(Path::new(""), |name| Path::new(name.as_os_str()));
                self.report
                    .say(format_args!("checking directory {}...", self.root.join(name).display()));
            }
            let failed = |error| Failure::System("look at", path.clone(), error);
            let flaws = fixture.flaws(&self.root, self.accounts).map_err(failed)?;
            for flaw in &flaws {
                self.report.flaw(format_args!("{} {flaw}", path.display()));
            }
            if !flaws.is_empty() && self.mends() {
                self.touched = true;
                let failed = |error| Failure::System("repair", path.clone(), error);
                fixture.mend(&self.root, self.accounts, &flaws).map_err(failed)?;
                let parent = path.parent().unwrap_or(&self.root);
                sync_directory(parent).map_err(failed)?;
                self.report.fixed(format_args!("{} is as it should be", path.display()));
            }
        }
        Ok(())
    }

    fn inventory(&self) -> Result<Inventory, Failure> {
        let mut progress = Progress::new("looking at files", None);
        Inventory::take(&self.root, &self.areas, &mut progress)
            .map_err(|(path, error)| Failure::System("read", path, error))
    }

    fn plan(&mut self) -> Result<Plan, Failure> {
        self.report.say("checking messages...");
        Ok(Plan::of(&self.inventory()?, &self.areas, self.shape))
    }

    fn tell(&mut self, plan: &Plan) {
        let aside: HashSet<&Path> =
            plan.aside.iter().chain(&plan.aside_last).map(|file| file.to.as_path()).collect();
        for file in plan.groups().into_iter().flatten() {
            if !aside.contains(file.from.as_path()) {
                self.report.misplaced(file);
                // Kept, but out of qmail's sight: only a human can say what it was.
                if self.mends() && matches!(file.why, Why::NoSender | Why::Twice) {
                    self.report.left += 1;
                }
            }
        }
    }

    /// Parts that no file belongs in.
    fn superfluous(&mut self) -> Result<(), Failure> {
        // Messages last: their parts tell the programs what layout this is.
        for area in self.areas.clone().iter().rev() {
            let directory = self.root.join(area.part(None));
            let split = if area.is_split(self.shape) { self.shape.split } else { 0 };
            for part in parts(&directory)?.into_iter().filter(|part| *part >= split) {
                let path = self.root.join(area.part(Some(part)));
                self.report.flaw(format_args!("{} is superfluous", path.display()));
                if !self.mends() {
                    continue;
                }
                self.touched = true;
                match fs::remove_dir(&path).and_then(|()| sync_directory(&directory)) {
                    Ok(()) => self.report.fixed(format_args!("removed {}", path.display())),
                    Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
                        self.report.hopeless(format_args!("{} is not empty", path.display()));
                    }
                    Err(error) => return Err(Failure::System("remove", path, error)),
                }
            }
        }
        Ok(())
    }

    /// Owners, modes and contents of the files, wherever they are by now.
    fn files(&mut self) -> Result<(), Failure> {
        let inventory = self.inventory()?;
        for strange in &inventory.strange {
            let path = self.root.join(strange);
            self.report.hopeless(format_args!("{} is an unexpected entry", path.display()));
        }
        let total = u64::try_from(inventory.entries.len()).unwrap_or(u64::MAX);
        let mut progress = Progress::new("checking files", Some(total));
        for entry in &inventory.entries {
            progress.step();
            let Some(area) = self.areas.get(entry.area) else { continue };
            let path = self.root.join(area.part(entry.part)).join(entry.name.text());
            let owner = self.accounts.user(area.owner).uid;
            let (kind, mode) = (area.kind, area.file_mode);
            let flaws = [(entry.uid != owner, "owner"), (entry.mode != mode, "permissions")];
            let flaws = flaws.iter().filter(|(wrong, _)| *wrong);
            let texts: Vec<&str> = flaws.map(|(_, what)| *what).collect();
            for what in &texts {
                self.report.flaw(format_args!("{} has wrong {what}", path.display()));
            }
            if !texts.is_empty() && self.mends() {
                // Its group is that of whoever sent it, and no matter.
                lchown(&path, Some(owner), None)
                    .and_then(|()| fs::set_permissions(&path, Permissions::from_mode(mode)))
                    .map_err(|error| Failure::System("repair", path.clone(), error))?;
                self.report.fixed(format_args!("{} is as it should be", path.display()));
            }
            match is_sound(kind, &path) {
                Ok(true) => {}
                Ok(false) => self.report.hopeless(format_args!("{} is damaged", path.display())),
                // A message can go while we look, if somebody else is there.
                Err(error) if error.kind() == io::ErrorKind::NotFound && !self.mends() => {}
                Err(error) => return Err(Failure::System("read", path, error)),
            }
        }
        Ok(())
    }

    fn mends(&self) -> bool {
        self.report.repairs()
    }
}

fn parts(directory: &Path) -> Result<Vec<u64>, Failure> {
    let failed = |error| Failure::System("read", directory.to_owned(), error);
    let mut parts = Vec::new();
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(parts),
        entries => entries.map_err(failed)?,
    };
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let name = qmail_core::queue::QueueId::parse(entry.file_name().as_encoded_bytes());
        if let Some(part) = name.filter(|_| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
            parts.push(part.as_u64());
        }
    }
    // The highest first: what is left is always 0, 1, 2, …
    parts.sort_unstable_by(|a, b| b.cmp(a));
    Ok(parts)
}
