//! What a request does.

use std::io;
use std::path::Path;

use qmail_core::queue::{Queue, QueueId, Todo};
use qmail_wire::clean::{Reply, Request};

/// Removes what `request` names, the file that makes a state visible last.
pub(crate) fn perform(queue: &Queue, request: Request) -> Reply {
    let (id, last) = match request {
        Request::Message(id) => (QueueId::new(id), queue.mess(QueueId::new(id))),
        Request::Todo { id, part } => {
            let id = QueueId::new(id);
            if !is_laid_out(queue, id, part) {
                return Reply::Unknown;
            }
            (id, queue.todo(id))
        }
    };
    match remove(&queue.intd(id)).and_then(|()| remove(&last)) {
        Ok(()) => Reply::Done,
        Err(_) => Reply::Failed,
    }
}

/// Whether `part` is where this queue keeps the envelope of `id`.
fn is_laid_out(queue: &Queue, id: QueueId, part: Option<u64>) -> bool {
    match queue.todo_layout() {
        Todo::Flat => part.is_none(),
        Todo::Hashed => part == Some(id.as_u64() % queue.split()),
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}
