//! policies: what the policies of qmail-smtpd cost a session: time and memory.
//!
//! Usage: `policies DIRECTORY`, where the programs of a tree are. For each set of settings, a tree of
//! its own is made, and 100 sessions are held on it, in turn with those of the others: from the
//! start of the process to the greeting; HELO, MAIL and RCPT; the most memory it had by then.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a table is what this is for")]

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use qmail_benches::Sample;
use tempfile::TempDir;

const ROUNDS: usize = 100;
const LINES: usize = 1_000_000;

/// Lists after which nobody looks for a recipient any more.
const KNOWING: [&str; 3] = ["goodrcptto", "recipients", "validrcptto"];
/// The only recipient.
const USERS: &str = "=joe:joe:65534:65534:/:::\n.\n";

/// Settings, and a tree that has them.
struct Setting {
    name: &'static str,
    files: Vec<(&'static str, String)>,
    variables: Vec<(&'static str, &'static str)>,
    /// Lists that have an index.
    indexed: &'static [&'static str],
}

/// What was measured.
#[derive(Default)]
struct Figures {
    greeting: Sample,
    commands: Sample,
    memory: Vec<u64>,
}

fn main() -> ExitCode {
    let Some(programs) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("policies: usage: policies directory");
        return ExitCode::from(100);
    };
    match measure(&programs) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("policies: fatal: {error}");
            ExitCode::from(111)
        }
    }
}

fn measure(programs: &Path) -> io::Result<()> {
    let settings = settings();
    let trees: Vec<TempDir> =
        settings.iter().map(|setting| setting.tree(programs)).collect::<io::Result<_>>()?;
    let mut figures: Vec<Figures> = settings.iter().map(|_| Figures::default()).collect();
    for _ in 0..ROUNDS {
        for ((setting, tree), figures) in settings.iter().zip(&trees).zip(&mut figures) {
            hold_session(setting, tree.path(), figures)?;
        }
    }
    println!("{:<44} {:>11} {:>12} {:>8}", "settings", "greeting ms", "commands ms", "KiB");
    for (setting, mut figures) in settings.iter().zip(figures) {
        figures.memory.sort_unstable();
        println!(
            "{:<44} {:>11.2} {:>12.2} {:>8}",
            setting.name,
            milliseconds(figures.greeting.median()),
            milliseconds(figures.commands.median()),
            figures.memory.get(ROUNDS / 2).copied().unwrap_or_default(),
        );
    }
    Ok(())
}

fn hold_session(setting: &Setting, home: &Path, figures: &mut Figures) -> io::Result<()> {
    let started = Instant::now();
    let mut server = Command::new(home.join("bin/qmail-smtpd"))
        .env_clear()
        .env("QMAILHOME", home)
        .env("PATH", "/usr/bin:/bin")
        .envs([("TCPREMOTEIP", "192.0.2.1"), ("TCPREMOTEHOST", "client.example")])
        .envs(setting.variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut to = server.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let mut from = BufReader::new(server.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?);
    expect(&mut from, "220 ")?;
    figures.greeting.push(started.elapsed());
    let started = Instant::now();
    let commands = ["HELO mx.client.example", "MAIL FROM:<ann@sender.example>"];
    for command in commands.into_iter().chain(["RCPT TO:<joe@here.example>"]) {
        to.write_all(format!("{command}\r\n").as_bytes())?;
        expect(&mut from, "250 ")?;
    }
    figures.commands.push(started.elapsed());
    figures.memory.push(peak_memory(&server)?);
    to.write_all(b"QUIT\r\n")?;
    expect(&mut from, "221 ")?;
    server.wait().map(drop)
}

fn expect(from: &mut impl BufRead, code: &str) -> io::Result<()> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    if line.starts_with(code) { Ok(()) } else { Err(io::Error::other(format!("{code}: {line}"))) }
}

/// In KiB.
fn peak_memory(server: &Child) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", server.id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
    number.ok_or_else(|| io::Error::other("no VmHWM"))
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

impl Setting {
    /// Without any files or variables.
    fn called(name: &'static str) -> Self {
        Self { name, files: Vec::new(), variables: Vec::new(), indexed: &[] }
    }

    fn file(mut self, name: &'static str, text: impl Into<String>) -> Self {
        self.files.push((name, text.into()));
        self
    }

    fn variable(mut self, name: &'static str, value: &'static str) -> Self {
        self.variables.push((name, value));
        self
    }

    fn tree(&self, programs: &Path) -> io::Result<TempDir> {
        let home = tempfile::tempdir()?;
        fs::create_dir_all(home.path().join("control"))?;
        std::os::unix::fs::symlink(fs::canonicalize(programs)?, home.path().join("bin"))?;
        let usual = [("me", "here.example\n"), ("rcpthosts", "here.example\n")];
        let own = self.files.iter().map(|(name, text)| (*name, text.as_str()));
        for (name, text) in usual.into_iter().chain(own) {
            File::create(home.path().join("control").join(name))?.write_all(text.as_bytes())?;
        }
        fs::create_dir(home.path().join("users"))?;
        File::create(home.path().join("users/assign"))?.write_all(USERS.as_bytes())?;
        let indices = self.indexed.iter().map(|list| ("qmail-newlist", Some(*list)));
        for (program, list) in indices.chain([("qmail-newu", None)]) {
            let made = Command::new(programs.join(program))
                .args(list)
                .env("QMAILHOME", home.path())
                .status()?;
            if !made.success() {
                return Err(io::Error::other(format!("{program}: {made}")));
            }
        }
        Ok(home)
    }
}

fn settings() -> Vec<Setting> {
    let million = lines(LINES, |number| format!("user{number}@spam.example"));
    let compiled = |count| lines(count, |number| format!("^(dial|pool)-?{number}[0-9]+\\."));
    let plain = lines(2000, |number| format!("@spam{number}.example$"));
    vec![
        Setting::called("none"),
        every_check(Setting::called("every list and limit"), compiled(50)),
        every_program(every_check(Setting::called("the same, and every program"), compiled(50))),
        Setting {
            indexed: &["badmailfrom"],
            ..Setting::called("badmailfrom: a million lines, index")
                .file("badmailfrom", million.as_str())
        },
        Setting::called("badmailfrom: a million lines, no index").file("badmailfrom", million),
        Setting::called("badrcptto: 2000 plain expressions").file("badrcptto", plain),
        Setting::called("badrcptto: 1000 expressions to compile").file("badrcptto", compiled(1000)),
        Setting::called("two plug-ins, each :true").file("smtpplugins", "[rcpt]\n:true\n:true\n"),
    ]
}

fn every_check(setting: Setting, expressions: String) -> Setting {
    setting
        .file("badhelo", expressions.as_str())
        .file("badhelonorelay", "!\\.\n")
        .file("badmailfrom", "@spam.example\n")
        .file("badmailfromnorelay", "@here.example\n")
        .file("badrcptto", expressions)
        .file("badmailto", "[!%#:*^(){}]\n")
        .file("badrcpttonorelay", "^list@\n")
        .file("blackholedsender", "@hole.example\n")
        .file("bounceonercpt", "1\n")
        .file("brtlimit", "10\n")
        .file("databytes", "10000000\n")
        .file("maxrcpt", "100\n")
        .file("goodrcptto", "@here.example\n")
        .file("recipients", "!here.example\n")
        .file("rejectrelaytest", "1\n")
        .file("relaymailfrom", "boss@here.example\n")
        .file("signatures", "TVqQAAMAA\n")
        .file("smtpdlog", "wheeler qlog spamcontrol\n")
        .file("tarpitcount", "50\n")
        .file("unrecognised500", "1\n")
        .file("validrcptto", "joe@here.example\n")
        .variable("BADMIMETYPE", "")
        .variable("HELOCHECK", "!")
        .variable("LOCALMFCHECK", "")
        .variable("LOGREGEX", "")
        .variable("RELAYMAILFROM", "")
}

/// One of each kind: what it costs is to start it.
fn every_program(setting: Setting) -> Setting {
    let plugins = "[helo]\n:true\n[mail]\n:true\n[rcpt]\n:true\n[pass]\n:true\n";
    // Not known to a list, so that it is looked for.
    let setting = Setting {
        files: setting.files.into_iter().filter(|(name, _)| !KNOWING.contains(name)).collect(),
        ..setting
    };
    let setting = setting.file("smtpplugins", plugins).variable("RCPTCHECK", "/bin/true");
    setting.variable("CHKUSER_START", "ALWAYS")
}

fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).fold(String::new(), |mut text, number| {
        // A string takes everything.
        let _ = writeln!(text, "{}", line(number));
        text
    })
}
