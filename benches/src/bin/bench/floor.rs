//! What the machine can do at most: processes and synced files, and nothing else.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use qmail_sys::{Exit, fork};

use crate::arguments::Size;
use crate::bed;

/// The first word of the command line of a process that measures one of them.
pub(crate) const FLOOR: &str = "@floor";

/// How many at once.
const AT_ONCE: [usize; 3] = [1, 4, 20];

/// How many in all, at most and at least.
const TIMES: (usize, usize) = (2000, 20);

const KINDS: [(&str, &str); 5] = [
    ("fork", "fork and exit"),
    ("exec", "fork and exec of a static program"),
    ("sync", "create, write 4 KiB, fsync"),
    ("maildir", "the same, link, unlink, fsync of the directory"),
    ("create", "create and write 4 KiB"),
];

/// The table, medians of a few rounds.
pub(crate) fn table(size: &Size) -> io::Result<String> {
    let times = (size.messages * 2).clamp(TIMES.1, TIMES.0);
    let mut text = String::from("| floor, a second | 1 at once | 4 at once | 20 at once |\n");
    text += "| --- | ---: | ---: | ---: |\n";
    for (kind, about) in KINDS {
        let _ = write!(text, "| {about} ");
        for at_once in AT_ONCE {
            let mut rates = (0..size.rounds)
                .map(|_| rate(kind, at_once, times))
                .collect::<io::Result<Vec<_>>>()?;
            rates.sort_by(f64::total_cmp);
            let _ = write!(text, "| {:.0} ", rates.get(rates.len() / 2).copied().unwrap_or(0.0));
        }
        text += "|\n";
    }
    Ok(text)
}

/// In a process of its own: this one has threads.
fn rate(kind: &str, at_once: usize, times: usize) -> io::Result<f64> {
    let place = tempfile::tempdir()?;
    let output = Command::new(std::env::current_exe()?)
        .args([FLOOR, kind, &at_once.to_string(), &times.to_string()])
        .arg(place.path())
        .stderr(Stdio::inherit())
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.trim().parse().map_err(|_| io::Error::other(format!("floor {kind}: {}", output.status)))
}

/// From the words after [`FLOOR`]: does so many of a kind; how many there were in a second.
pub(crate) fn measure(words: &[OsString]) -> io::Result<f64> {
    let [kind, at_once, times, place] = words else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let number = |word: &OsString| word.to_string_lossy().parse().map_err(io::Error::other);
    let (at_once, times): (usize, usize) = (number(at_once)?, number(times)?);
    let (kind, place) = (&*kind.to_string_lossy(), Path::new(place));
    let program = place.join("nothing");
    if kind == "exec" {
        compile(&program)?;
    }
    let each = times / at_once.max(1);
    let begin = Instant::now();
    let workers: io::Result<Vec<_>> = (0..at_once)
        .map(|number| {
            let place = place.join(number.to_string());
            fork(|| u8::from((0..each).try_for_each(|n| once(kind, &program, &place, n)).is_err()))
        })
        .collect();
    for worker in workers? {
        if worker.wait()? != Exit::Code(0) {
            return Err(io::Error::other("a worker failed"));
        }
    }
    Ok(per_second(each * at_once, begin.elapsed()))
}

fn once(kind: &str, program: &Path, place: &Path, number: usize) -> io::Result<()> {
    let file = place.join(number.to_string());
    match kind {
        "fork" => fork(|| 0)?.wait().map(drop),
        "exec" => Command::new(program).status().and_then(succeeded),
        "sync" => create(&place.with_extension(number.to_string()))?.sync_all(),
        "maildir" => {
            let temporary = place.with_extension("tmp");
            create(&temporary)?.sync_all()?;
            fs::create_dir_all(place)?;
            fs::hard_link(&temporary, file)?;
            fs::remove_file(temporary)?;
            File::open(place)?.sync_all()
        }
        _ => create(&place.with_extension(number.to_string())).map(drop),
    }
}

fn create(path: &Path) -> io::Result<File> {
    let mut file = File::create_new(path)?;
    file.write_all(&[b'x'; 4096])?;
    Ok(file)
}

fn compile(program: &Path) -> io::Result<()> {
    let source = program.with_extension("c");
    File::create(&source)?.write_all(b"int main(void) { return 0; }\n")?;
    Command::new("cc")
        .args(["-O2", "-static", "-o"])
        .arg(program)
        .arg(source)
        .status()
        .and_then(succeeded)
}

fn succeeded(status: ExitStatus) -> io::Result<()> {
    if status.success() { Ok(()) } else { Err(io::Error::other(status.to_string())) }
}

#[expect(clippy::cast_precision_loss, reason = "there are a few thousand")]
fn per_second(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

/// What was measured on.
pub(crate) fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let device = bed::device(&bed::directory()).unwrap_or_else(|| "no device".to_owned());
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default().to_owned();
    format!("{cores} cores, Linux {}, queues on {device}, load before {load}.", kernel.trim())
}
