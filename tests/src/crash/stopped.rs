//! Starting programs under a recorder.
//!
//! The program is the child of a shell that nobody traces: who traces a child of his own takes its
//! end away from everybody else in his process.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use nix::unistd::Pid;

use super::recorder::Recorder;
use crate::log::Running;
use crate::process::{Finished, Program, background};
use crate::{Tree, wait};

/// Starts the program, stopped before its first step, and ends as it does.
const OUTER: &str = r#"exec 9<&0
sh -c "$0" sh "$@" <&9 9<&- &
exec 9<&- <&-
wait $!"#;

/// Says its number, stops, and becomes the program.
const INNER: &str = r#"echo $$ > "$1.new"; mv "$1.new" "$1"; shift; kill -STOP $$; exec "$@""#;

impl Tree {
    /// Starts qmail as [`Tree::start`] does, under a recorder.
    #[must_use]
    pub fn start_recorded(&self, recorder: &Recorder) -> Running {
        let note = self.note();
        let program = self.program("qmail-start").arg("./Maildir/");
        let (child, output) = stopped(program, &note).start();
        let pid = follow(&note, recorder);
        Running::with(child, pid, output)
    }

    /// Runs a program to its end, under a recorder.
    #[must_use]
    pub fn run_recorded(&self, program: Program<'_>, recorder: &Recorder) -> Finished {
        let note = self.note();
        let (path, recorder) = (note.clone(), recorder.clone());
        let follower = background(move || follow(&path, &recorder));
        let finished = stopped(program, &note).run();
        let _ = follower.join();
        finished
    }

    /// Lets a program wait for [`follow`].
    #[must_use]
    pub fn stopped<'t>(&self, program: Program<'t>) -> (Program<'t>, PathBuf) {
        let note = self.note();
        (stopped(program, &note), note)
    }

    fn note(&self) -> PathBuf {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        self.scratch().join(format!("stopped-{number}"))
    }
}

fn stopped<'t>(program: Program<'t>, note: &Path) -> Program<'t> {
    let words = ["/bin/sh", "-c", OUTER, INNER].map(Into::into);
    program.behind(words.into_iter().chain([note.as_os_str().to_owned()]))
}

/// Waits until a program is about to start, and has it followed.
#[must_use]
pub fn follow(note: &Path, recorder: &Recorder) -> Pid {
    let pid = wait::until("the start of a program", || {
        let pid = fs::read_to_string(note).ok()?.trim().parse().ok()?;
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (_, fields) = stat.rsplit_once(") ")?;
        fields.starts_with('T').then_some(pid)
    });
    let _ = fs::remove_file(note);
    let pid = Pid::from_raw(pid);
    recorder.follow(pid);
    pid
}
