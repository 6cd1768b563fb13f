//! Getting ready: the order is that of the manual, since each step may be the last.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use qmail_core::home::home;
use qmail_core::log::Log;
use qmail_core::queue::{Queue, QueueId};
use qmail_sys::signal::{self, Signal, Signals};
use qmail_wire::spawn::Limit;

use crate::channels::PerChannel;
use crate::cleaner::Cleaner;
use crate::daemon::Daemon;
use crate::limits::limits;
use crate::lines::{self, StartFailure};
use crate::room;
use crate::schedule::Scheduler;
use crate::settings::Settings;
use crate::spawner::Spawner;
use crate::todo::Todo;
use crate::{Ends, Pipes};

/// The log says why.
#[derive(Debug)]
pub(crate) struct CannotStart;

/// The tree, and that it is ours alone.
struct Tree {
    home: PathBuf,
    settings: Settings,
    queue: Queue,
    signals: Signals,
    mutex: File,
}

pub(crate) fn start(pipes: Pipes) -> Result<Daemon, CannotStart> {
    let log = Log::new(pipes.log);
    let ready = pipes.todo.ok_or(StartFailure::NoTodo).and_then(|todo| {
        let (tree, spawners, limits) = ready(&log, pipes.local, pipes.remote)?;
        Ok((tree, spawners, limits, todo))
    });
    match ready {
        Ok((tree, spawners, limits, todo)) => {
            Ok(begin(log, tree, spawners, limits, pipes.clean, todo))
        }
        Err(failure) => {
            log.write(&lines::cannot_start(&failure));
            Err(CannotStart)
        }
    }
}

type Ready = (Tree, PerChannel<Option<Spawner>>, PerChannel<Limit>);

/// Everything that can fail.
fn ready(log: &Log, mut local: Ends, mut remote: Ends) -> Result<Ready, StartFailure> {
    let tree = tree()?;
    if let Some(directory) = foreign_channel(&tree.queue) {
        return Err(StartFailure::ForeignChannel(directory));
    }
    let limits = limits(&mut local, &mut remote)?;
    let spawner = |ends, limit: Limit| {
        let spawner = Spawner::new(ends, limit.width);
        if spawner.is_err() {
            log.write(&lines::text(lines::LOST_SPAWNER));
        }
        spawner.ok()
    };
    let spawners =
        PerChannel { local: spawner(local, limits.local), remote: spawner(remote, limits.remote) };
    Ok((tree, spawners, limits))
}

fn tree() -> Result<Tree, StartFailure> {
    let home = home();
    std::env::set_current_dir(&home).map_err(|_| StartFailure::Home)?;
    let settings = Settings::read(&home).map_err(|_| StartFailure::Controls)?;
    std::env::set_current_dir(home.join("queue")).map_err(|_| StartFailure::Queue)?;
    let queue = Queue::open(Path::new("")).map_err(|_| StartFailure::Queue)?;
    let signals = signals().map_err(|_| StartFailure::Queue)?;
    qmail_sys::change_mask(0o077);
    let mutex = File::options().write(true).open("lock/sendmutex");
    let mutex = mutex.map_err(|_| StartFailure::Mutex)?;
    // An flock(2), as netqmail's: neither runs beside the other.
    mutex.try_lock().map_err(|_| StartFailure::AlreadyRunning)?;
    Ok(Tree { home, settings, queue, signals, mutex })
}

fn signals() -> io::Result<Signals> {
    signal::ignore(&[Signal::SIGPIPE])?;
    signal::restore(&[Signal::SIGCHLD])?;
    Signals::watch(&[Signal::SIGTERM, Signal::SIGALRM, Signal::SIGHUP])
}

/// A channel of a patched qmail that still has recipients. To us a message with no others would look
/// finished, and be removed.
fn foreign_channel(queue: &Queue) -> Option<String> {
    let entries = fs::read_dir(queue.root().join(".")).ok()?;
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let is_channel = |name: &String| {
        let number = name.strip_prefix("suppl").map(str::as_bytes);
        number.is_some_and(|number| QueueId::parse(number).is_some())
    };
    names.filter(is_channel).find(|name| has_files(&queue.root().join(name)))
}

fn has_files(directory: &Path) -> bool {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut paths = entries.map(|entry| entry.path());
    paths.any(|path| fs::read_dir(&path).map_or(true, |mut inside| inside.next().is_some()))
}

/// From here on nothing fails for good.
fn begin(
    log: Log,
    tree: Tree,
    spawners: PerChannel<Option<Spawner>>,
    limits: PerChannel<Limit>,
    clean: Ends,
    todo: Ends,
) -> Daemon {
    let Tree { home, settings, queue, signals, mutex } = tree;
    let concurrency = settings.concurrency(&limits);
    let mut scheduler = Scheduler::new(settings.lifetime, concurrency);
    scheduler.limit_messages(room::for_messages(&concurrency));
    scheduler.limit_hosts(settings.host_concurrency);
    log.write(&lines::status(&scheduler.load(), scheduler.is_stopping()));
    let (cleaner, todo) = (Cleaner::new(clean).ok(), Todo::new(todo).ok());
    Daemon::new(
        log, home, queue, settings, signals, mutex, scheduler, spawners, limits, cleaner, todo,
    )
}
