//! What a request does.

use std::io;
use std::path::Path;

use qmail_core::queue::{Queue, QueueId, Todo};
use qmail_wire::clean::{Reply, Request};

/// Removes what `request` names, the file that makes a state visible last.
pub(crate) fn perform(queue: &Queue, request: Request) -> Reply {
    let result = match request {
        Request::Message(id) => remove_message(queue, QueueId::new(id)),
        Request::Todo { id, part } => {
            let id = QueueId::new(id);
            if !is_laid_out(queue, id, part) {
                return Reply::Unknown;
            }
            remove(&queue.intd(id)).and_then(|()| remove(&queue.todo(id)))
        }
    };
    match result {
        Ok(()) => Reply::Done,
        Err(_) => Reply::Failed,
    }
}

/// A message in `todo/` was accepted and is not finished, whoever says so: its number may have been
/// that of another message when the request was made. We look only when there is nothing in `intd/`
/// any more that could still be linked to `todo/`.
fn remove_message(queue: &Queue, id: QueueId) -> io::Result<()> {
    remove(&queue.intd(id))?;
    match queue.todo(id).symlink_metadata() {
        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => remove(&queue.mess(id)),
        Err(error) => Err(error),
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
