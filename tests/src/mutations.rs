//! Programs that are broken on purpose, to see whether the crash suite notices.
//!
//! They are built from a copy of the sources: nothing of them is in any other build.

/// One thing that is wrong.
#[derive(Clone, Copy, Debug)]
pub struct Mutation {
    /// What it is called.
    pub name: &'static str,
    /// The source file.
    pub file: &'static str,
    /// Lines, without their indentation, and what stands in their place.
    pub lines: &'static [(&'static str, &'static str)],
    /// The programs that are to be built again.
    pub programs: &'static [&'static str],
    /// The test that is to notice.
    pub test: &'static str,
}

/// The power fails.
const POWER: &str = "where_names_have_no_order";

/// The same where names keep their order, and the programs know.
const POWER_IN_ORDER: &str = "a_power_failure_loses_nothing_where_names_keep_their_order";

/// Something fails before that.
const MISFORTUNE: &str = "after_another_misfortune";

impl Mutation {
    /// The broken source.
    ///
    /// # Errors
    /// A line that is not there, or not only once.
    pub fn apply(&self, source: &str) -> Result<String, &'static str> {
        let mut broken: Vec<&str> = source.lines().collect();
        for (line, replacement) in self.lines {
            let is_it = |(_, known): &(usize, &str)| known.trim() == *line;
            let found: Vec<_> = source.lines().enumerate().filter(is_it).collect();
            match found.as_slice() {
                [(number, _)] => broken[*number] = replacement,
                _ => return Err(line),
            }
        }
        Ok(broken.join("\n") + "\n")
    }
}

const TODO_SYNC: &str = "qmail-todo/src/batch/sync.rs";
const TODO_ALL: &str =
    "let (paths, descriptors): (Vec<&Path>, Vec<BorrowedFd<'_>>) = files.chain(opened).unzip();";
const SYNC_GROUP: &str = "crates/sys/src/sync_group.rs";

const CREATE: &str = "crates/core/src/queue/create.rs";
const MAKE_SAFE: &str = "self.make_safe().map_err(CreateError::Sync)?;";
const SYNC_MESSAGE: &str = "self.message.sync_all()?;";
const SYNC_ENVELOPE: &str = "self.envelope.sync_all()?;";
const SYNC_MESS: &str = "sync_parent(&self.files.queue.mess(self.files.id))";
const LINK: &str = "fs::hard_link(queue.intd(id), &todo).map_err(CreateError::LinkTodo)?;";
const LINK_EARLY: &str =
    "fs::hard_link(queue.intd(id), queue.todo(id)).map_err(CreateError::LinkTodo)?;";

const JOURNAL: &str = "crates/sys/src/journal.rs";
const MAILDIR: &str = "crates/core/src/maildir.rs";

/// All of them.
pub const ALL: &[Mutation] = &[
    Mutation {
        name: "qmail-queue does not sync the message",
        file: CREATE,
        lines: &[(SYNC_MESSAGE, "")],
        programs: &["qmail-queue"],
        test: POWER,
    },
    Mutation {
        name: "qmail-queue does not sync the envelope",
        file: CREATE,
        lines: &[(SYNC_ENVELOPE, "")],
        programs: &["qmail-queue"],
        test: POWER,
    },
    Mutation {
        name: "qmail-queue does not sync the message's name",
        file: CREATE,
        lines: &[(SYNC_MESS, "Ok(())")],
        programs: &["qmail-queue"],
        test: POWER,
    },
    Mutation {
        name: "qmail-queue does not sync the name in todo",
        file: CREATE,
        lines: &[("sync_parent(&todo).map_err(CreateError::Sync)?;", "")],
        programs: &["qmail-queue"],
        test: POWER,
    },
    Mutation {
        name: "qmail-queue links the envelope before anything is synced",
        file: CREATE,
        lines: &[(LINK, MAKE_SAFE), (MAKE_SAFE, LINK_EARLY)],
        programs: &["qmail-queue"],
        test: POWER,
    },
    Mutation {
        name: "qmail-queue links the envelope before the message's name is synced",
        file: CREATE,
        lines: &[
            (LINK, ""),
            (
                SYNC_ENVELOPE,
                "self.envelope.sync_all()?; \
                 let (queue, id) = (self.files.queue, self.files.id); \
                 fs::hard_link(queue.intd(id), queue.todo(id))?;",
            ),
        ],
        programs: &["qmail-queue"],
        test: POWER,
    },
    Mutation {
        name: "qmail-queue links the envelope before anything is written out",
        file: CREATE,
        lines: &[(LINK, MAKE_SAFE), (MAKE_SAFE, LINK_EARLY)],
        programs: &["qmail-queue"],
        test: POWER_IN_ORDER,
    },
    Mutation {
        name: "qmail-queue does not write the message out",
        file: CREATE,
        lines: &[("write_out(&self.message)?;", "")],
        programs: &["qmail-queue"],
        test: POWER_IN_ORDER,
    },
    Mutation {
        name: "qmail-queue does not write the envelope out",
        file: CREATE,
        lines: &[("return write_out(&self.envelope);", "return Ok(());")],
        programs: &["qmail-queue"],
        test: POWER_IN_ORDER,
    },
    Mutation {
        name: "qmail-queue does not wait for what it writes out",
        file: JOURNAL,
        lines: &[(
            "match sync_range(file, ALL) {",
            "let _ = ALL; match sync_range(file, libc::SYNC_FILE_RANGE_WRITE) {",
        )],
        programs: &["qmail-queue"],
        test: POWER_IN_ORDER,
    },
    Mutation {
        name: "qmail-queue takes every disk for one that keeps names in order",
        file: JOURNAL,
        lines: &[(
            "is_ordered.then_some(Self { device })",
            "(is_ordered || device != 0).then_some(Self { device })",
        )],
        programs: &["qmail-queue"],
        test: POWER,
    },
    Mutation {
        name: "qmail-todo writes nothing out",
        file: TODO_SYNC,
        lines: &[(
            "let has_failed = |file: &&WrittenFile| write_out(&file.file).is_err();",
            "let _ = write_out; let has_failed = |_: &&WrittenFile| false;",
        )],
        programs: &["qmail-todo"],
        test: POWER_IN_ORDER,
    },
    Mutation {
        name: "qmail-local does not write out what is for a Maildir",
        file: MAILDIR,
        lines: &[("Some(_) => write_out(&self.file),", "Some(_) => Ok(()),")],
        programs: &["qmail-local"],
        test: POWER_IN_ORDER,
    },
    Mutation {
        name: "qmail-todo syncs nothing of a group",
        file: TODO_SYNC,
        lines: &[(
            "let results = group.sync(&descriptors);",
            "let results = descriptors.iter().map(|_| { let _ = &group; std::io::Result::Ok(()) });",
        )],
        programs: &["qmail-todo"],
        test: POWER,
    },
    Mutation {
        name: "qmail-todo leaves one file of a group unsynced",
        file: TODO_SYNC,
        lines: &[(
            TODO_ALL,
            "let (paths, descriptors): (Vec<&Path>, Vec<BorrowedFd<'_>>) = \
             files.chain(opened).skip(1).unzip();",
        )],
        programs: &["qmail-todo"],
        test: POWER,
    },
    Mutation {
        name: "qmail-todo does not sync the names of a group",
        file: TODO_SYNC,
        lines: &[(
            TODO_ALL,
            "let _ = opened; \
             let (paths, descriptors): (Vec<&Path>, Vec<BorrowedFd<'_>>) = files.unzip();",
        )],
        programs: &["qmail-todo"],
        test: POWER,
    },
    Mutation {
        name: "qmail-todo has envelopes removed before their group is synced",
        file: "qmail-todo/src/batch.rs",
        lines: &[
            (
                "let (safe, troubles) = disk.sync(queue, written);",
                "let ids: Vec<QueueId> = written.iter().map(|message| message.id).collect(); \
                 let gone = cleaner.clean(queue, &ids)?; \
                 let (safe, troubles) = disk.sync(queue, written);",
            ),
            ("let gone = cleaner.clean(queue, &ids)?;", ""),
        ],
        programs: &["qmail-todo"],
        test: POWER,
    },
    Mutation {
        name: "qmail-todo asks for the syncs of a group and does not wait for them",
        file: SYNC_GROUP,
        lines: &[(
            "self.settle(taken, results)",
            "results.iter_mut().take(taken).for_each(|result| *result = Some(0)); Ok(())",
        )],
        programs: &["qmail-todo"],
        test: POWER,
    },
    Mutation {
        name: "qmail-todo overlooks the first failure of a group",
        file: TODO_SYNC,
        lines: &[(
            "let unsynced = paths.into_iter().zip(results).filter(|(_, result)| result.is_err());",
            "let unsynced = \
             paths.into_iter().zip(results).filter(|(_, result)| result.is_err()).skip(1);",
        )],
        programs: &["qmail-todo"],
        test: MISFORTUNE,
    },
    Mutation {
        name: "qmail-todo syncs again what it has heard nothing of",
        file: SYNC_GROUP,
        lines: &[(
            "unknown.for_each(|result| *result = Some(UNKNOWN));",
            "let _ = (unknown, UNKNOWN);",
        )],
        programs: &["qmail-todo"],
        test: MISFORTUNE,
    },
    Mutation {
        name: "qmail-local does not sync what it writes to a Maildir",
        file: MAILDIR,
        lines: &[("None => self.file.sync_all(),", "None => Ok(()),")],
        programs: &["qmail-local"],
        test: POWER,
    },
    Mutation {
        name: "qmail-local does not sync the name in a Maildir",
        file: MAILDIR,
        lines: &[("sync(new)", "let _ = (sync, new); Ok(())")],
        programs: &["qmail-local"],
        test: POWER,
    },
    Mutation {
        name: "qmail-local does not sync an mbox",
        file: "crates/core/src/mbox.rs",
        lines: &[("target.file.sync_all().map_err(MboxError::Write)", "Ok(())")],
        programs: &["qmail-local"],
        test: POWER,
    },
    Mutation {
        name: "qmail-send does not sync a failure",
        file: "qmail-send/src/files/append.rs",
        lines: &[(
            "let written = named.and_then(|()| file.write_all(record)).and_then(|()| file.sync_all());",
            "let written = named.and_then(|()| file.write_all(record));",
        )],
        programs: &["qmail-send"],
        test: POWER,
    },
    Mutation {
        name: "qmail-send marks a recipient before it writes his failure down",
        file: "qmail-send/src/daemon/results.rs",
        lines: &[(
            "if append(&self.queue, delivery.message, &failure.record).is_ok() {",
            "let message = delivery.message; self.finish_recipient(channel, slot, now); \
             if append(&self.queue, message, &failure.record).is_ok() { return; } if false {",
        )],
        programs: &["qmail-send"],
        test: POWER,
    },
];
