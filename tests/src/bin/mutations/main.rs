//! Builds broken programs, one after the other, and sees whether the crash suite notices.
//!
//! `mutations PROGRAMS WORK`: PROGRAMS is a directory with a build that is in order, WORK one for the
//! broken ones. Run in the workspace; `make mutations` does.
#![forbid(unsafe_code)]

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};

use qmail_conformance::files;
use qmail_conformance::mutations::{ALL, Mutation};

/// What the suite says when something is wrong with mail, and not with the suite.
const NOTICED: [&str; 4] = ["wrong states of", "has become", "has not arrived", "is lost for"];

fn main() -> ExitCode {
    let mut words = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(programs), Some(work)) = (words.next(), words.next()) else {
        return ExitCode::from(100);
    };
    match run(&programs, &work) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            say(&format!("mutations: {error}"));
            ExitCode::from(111)
        }
    }
}

/// How many were not noticed.
fn run(programs: &Path, work: &Path) -> io::Result<usize> {
    let (source, build) = (work.join("source"), work.join("programs"));
    copy_source(&source)?;
    link_all(programs, &build)?;
    let output = suite(&build, &ALL[0])?;
    if !output.status.success() {
        say(&String::from_utf8_lossy(&output.stdout));
        return Err(io::Error::other("the build that is in order does not pass"));
    }
    let mut missed = 0;
    for mutation in ALL {
        let original = fs::read_to_string(mutation.file)?;
        let broken = mutation.apply(&original).map_err(|line| {
            io::Error::other(format!("{}: {line:?} is not there once", mutation.file))
        })?;
        files::write(&source.join(mutation.file), broken);
        build_broken(mutation, &source, work, &build)?;
        files::write(&source.join(mutation.file), original);
        let output = suite(&build, mutation)?;
        let said = String::from_utf8_lossy(&output.stdout);
        let noticed = NOTICED.iter().find(|words| said.contains(**words));
        let is_noticed = !output.status.success() && noticed.is_some();
        missed += usize::from(!is_noticed);
        let verdict = if is_noticed { "noticed" } else { "NOT NOTICED" };
        say(&format!("{verdict}: {}", mutation.name));
        link_all(programs, &build)?;
    }
    say(&format!("{} broken builds, {missed} not noticed", ALL.len()));
    Ok(missed)
}

/// Everything that git knows.
fn copy_source(to: &Path) -> io::Result<()> {
    let listed = Command::new("git").args(["ls-files", "-z"]).output()?;
    if !listed.status.success() {
        return Err(io::Error::other("this is no clone: git does not know what belongs to it"));
    }
    for name in String::from_utf8_lossy(&listed.stdout).split_terminator('\0') {
        let target = to.join(name);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        // It may be deleted and not yet committed.
        if Path::new(name).is_file() {
            fs::copy(name, target)?;
        }
    }
    Ok(())
}

fn link_all(from: &Path, to: &Path) -> io::Result<()> {
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)?.flatten() {
        if entry.file_type()?.is_file() {
            fs::hard_link(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

fn build_broken(mutation: &Mutation, source: &Path, work: &Path, build: &Path) -> io::Result<()> {
    let target = work.join("target");
    let packages = mutation.programs.iter().flat_map(|program| ["--package", program]);
    let status = cargo()
        .args(["build", "--quiet", "--manifest-path"])
        .arg(source.join("Cargo.toml"))
        .args(packages)
        .env("CARGO_TARGET_DIR", &target)
        .status()?;
    if !status.success() {
        return Err(io::Error::other(format!("{} cannot be built", mutation.name)));
    }
    for program in mutation.programs {
        fs::remove_file(build.join(program))?;
        fs::copy(target.join("debug").join(program), build.join(program))?;
    }
    Ok(())
}

/// The test on these programs; where it makes a choice, it is about those that are broken.
fn suite(build: &Path, mutation: &Mutation) -> io::Result<Output> {
    let mut cargo = cargo();
    cargo.args(["test", "--package", "qmail-conformance", "--test", "crash", "--", mutation.test]);
    cargo.envs(mutation.programs.first().map(|program| ("QMAIL_CRASH", program)));
    cargo.env("QMAIL_BUILD", fs::canonicalize(build)?).output()
}

/// Without what `cargo run` tells us of ourselves: some crates would be built again for it.
fn cargo() -> Command {
    let mut cargo = Command::new("cargo");
    let is_of_us =
        |name: &str| ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|it| name.starts_with(it));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_of_us)) {
        cargo.env_remove(name);
    }
    cargo
}

fn say(text: &str) {
    let _ = io::stdout().write_all(format!("{text}\n").as_bytes());
}
