//! Scheduling a message by what its files tell.

use qmail_core::log::Log;
use qmail_core::queue::{Channel, Queue, QueueId};

use super::now;
use crate::files::{Standing, standing};
use crate::half_done::HalfDone;
use crate::lines::{Trouble, warning};
use crate::schedule::Scheduler;

/// Schedules a message that has a file in `info/`.
pub(crate) fn enlist<P>(
    scheduler: &mut Scheduler<P>,
    half_done: &mut HalfDone,
    queue: &Queue,
    log: &Log,
    id: QueueId,
) {
    match standing(queue, id) {
        // qmail-todo will tell us, unless it does not find the message any more.
        Ok(Standing::Preprocessing) => {
            half_done.note(queue, id);
            scheduler.add_doubtful(id, now());
        }
        Ok(_) if half_done.is_told(queue, id) => {}
        Ok(Standing::Finished) => scheduler.add_finished(id, now()),
        Ok(Standing::Deliverable(due)) => {
            for channel in Channel::ALL {
                if let Some(due) = due.of(channel) {
                    scheduler.add(channel, id, *due);
                }
            }
        }
        Err(path) => {
            log.write(&warning(Trouble::StatRetry, &queue.name_of(&path)));
            scheduler.add_doubtful(id, now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channels::PerChannel;
    use crate::testing::queue;
    use std::fs::{self, File};
    use std::path::Path;
    use std::time::{Duration, UNIX_EPOCH};

    fn write(root: &Path, name: &str, seconds: u64) {
        let time = UNIX_EPOCH + Duration::from_secs(seconds);
        File::create(root.join(name)).unwrap().set_modified(time).unwrap();
    }

    /// Looks at message 7, which is half done, before and after it leaves `todo/` and `after`
    /// happens; whether it is to be delivered then.
    fn is_scheduled(after: impl Fn(&Path)) -> bool {
        let (root, queue) = queue(&["mess/0", "info/0", "local/0", "remote/0", "todo"]);
        for name in ["info/0/7", "local/0/7", "todo/7"] {
            write(root.path(), name, 1000);
        }
        let log = Log::new(File::create(root.path().join("log")).unwrap().into());
        let mut scheduler = Scheduler::<()>::new(0, PerChannel::new(|_| 1));
        let (mut half_done, id) = (HalfDone::default(), QueueId::new(7));
        let later = now() + 1000;
        for _ in 0..2 {
            enlist(&mut scheduler, &mut half_done, &queue, &log, id);
            assert_eq!(scheduler.take_doubtful(later), Some(id));
        }
        fs::remove_file(queue.todo(id)).unwrap();
        after(root.path());
        enlist(&mut scheduler, &mut half_done, &queue, &log, id);
        assert_eq!(scheduler.take_doubtful(later), None);
        scheduler.take_message(Channel::Local, later) == Some(id)
    }

    #[test]
    fn what_leaves_todo_behind_the_back_of_qmail_todo_is_scheduled() {
        assert!(is_scheduled(|_| {}));
    }

    #[test]
    fn what_qmail_todo_has_done_again_is_left_to_its_news() {
        assert!(!is_scheduled(|root| write(root, "info/0/7", 1001)));
    }
}
