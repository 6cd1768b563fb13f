//! The table with the parts of the queue written out.

use qmail_core::queue::Todo;

use crate::Place;
use crate::layout::{Division, Row, parts, rows};
use crate::shape::Shape;
use crate::what::What;

/// One thing in a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    /// Path below the home of qmail.
    pub(crate) path: String,
    /// What it is.
    pub(crate) what: What,
    /// User id of its owner.
    pub(crate) uid: u32,
    /// Its group.
    pub(crate) gid: u32,
    /// Its mode.
    pub(crate) mode: u32,
}

/// Everything in the tree at `place`, in the order in which it can be made.
pub(crate) fn items(place: &Place, shape: Shape) -> Vec<Item> {
    rows().flat_map(|row| expand(row, place, shape)).collect()
}

fn expand(row: &Row, place: &Place, shape: Shape) -> Vec<Item> {
    let is_divided = match row.division {
        Division::None => false,
        Division::Always => true,
        Division::IfHashed => shape.todo == Todo::Hashed,
    };
    let count = if is_divided { shape.split } else { 0 };
    let item = |path| Item {
        path,
        what: row.what,
        uid: place.accounts.user(row.owner).uid,
        gid: place.accounts.group(qmail_core::accounts::Group::Qmail).0,
        mode: mode(row, place),
    };
    std::iter::once(row.path.to_owned()).chain(parts(row.path, count)).map(item).collect()
}

/// In a tree where everybody is one user, there is nobody else to become.
fn mode(row: &Row, place: &Place) -> u32 {
    let is_set_id_program = row.what == What::Program && place.is_single_user();
    if is_set_id_program { row.mode & 0o0777 } else { row.mode }
}

#[cfg(test)]
mod tests {
    use super::*;
    use qmail_core::accounts::Accounts;
    use std::path::Path;

    fn place(uid: u32) -> Place {
        let accounts = Accounts::single_user(uid, 5, Path::new("/q"));
        Place { home: "/q".into(), accounts, outdated_ids: false }
    }

    fn find(items: &[Item], path: &str) -> Option<Item> {
        items.iter().find(|item| item.path == path).cloned()
    }

    #[test]
    fn each_part_of_the_queue_is_an_item() {
        let hashed = items(&place(7), Shape { split: 2, todo: Todo::Hashed });
        assert!(find(&hashed, "queue/mess/1").is_some());
        assert!(find(&hashed, "queue/mess/2").is_none());
        assert_eq!(find(&hashed, "queue/todo/0").unwrap().mode, 0o750);
        let flat = items(&place(7), Shape { split: 2, todo: Todo::Flat });
        assert!(find(&flat, "queue/todo/0").is_none());
        assert!(find(&flat, "queue/info/1").is_some());
    }

    #[test]
    fn only_a_tree_of_many_accounts_has_a_set_id_program() {
        let shape = Shape { split: 1, todo: Todo::Hashed };
        let own = items(&place(7), shape);
        assert_eq!(find(&own, "bin/qmail-queue").unwrap().mode, 0o711);
        assert_eq!(find(&own, "alias").unwrap().mode, 0o2755);
        let ids = "user alias 1 2 /a\nuser qmaild 2 2 /\nuser qmaill 3 2 /\nuser root 0 0 /\n\
                   user qmailp 4 2 /\nuser qmailq 5 1 /\nuser qmailr 6 1 /\nuser qmails 7 1 /\n\
                   group qmail 1\ngroup nofiles 2\n";
        let accounts = Accounts::from_ids(ids).unwrap();
        let many = items(&Place { accounts, ..place(7) }, shape);
        let queue = find(&many, "bin/qmail-queue").unwrap();
        assert_eq!((queue.mode, queue.uid, queue.gid), (0o4711, 5, 1));
        assert_eq!(find(&many, "queue/lock/tcpto").unwrap().uid, 6);
    }
}
