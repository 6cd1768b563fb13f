use super::*;

const DIRECTORIES: [File; 2] = [File(0), File(1)];
const FILE: File = File(9);

fn name(directory: usize, name: &str) -> Name {
    Name { directory: DIRECTORIES[directory], name: name.into() }
}

/// How the names and the file may look after these changes, each way once.
fn outcomes(journal: Journal, changes: &[Change]) -> BTreeSet<(String, Vec<u8>)> {
    let mut disk = Disk::default();
    for directory in DIRECTORIES {
        disk.add_directory(directory);
    }
    let mut pending = Pending::nothing(journal, disk);
    for change in changes {
        pending.push(change);
    }
    let disks = pending.disks(usize::MAX, &mut Random::new(1));
    let look = |disk: &Disk| {
        let names = DIRECTORIES.iter().flat_map(|directory| {
            disk.names(*directory).map(|(name, _)| name.to_string_lossy().into_owned())
        });
        (names.collect::<Vec<_>>().join(" "), disk.content(FILE).to_vec())
    };
    disks.iter().map(look).collect()
}

fn all_names(journal: Journal, changes: &[Change]) -> BTreeSet<String> {
    outcomes(journal, changes).into_iter().map(|(names, _)| names).collect()
}

fn texts(all: &[&str]) -> BTreeSet<String> {
    all.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn names_come_in_order_or_not() {
    let changes = [Change::Make(name(0, "a"), FILE), Change::Link(name(1, "b"), FILE)];
    assert_eq!(all_names(Journal::Synchronous, &changes), texts(&["a b"]));
    assert_eq!(all_names(Journal::Ordered, &changes), texts(&["", "a", "a b"]));
    assert_eq!(all_names(Journal::Loose, &changes), texts(&["", "a", "a b", "b"]));
}

#[test]
fn a_sync_of_the_file_is_none_of_its_name_unless_there_is_one_journal() {
    let changes = [Change::Make(name(0, "a"), FILE), Change::Sync(FILE)];
    assert_eq!(all_names(Journal::Ordered, &changes), texts(&["a"]));
    assert_eq!(all_names(Journal::Loose, &changes), texts(&["", "a"]));
}

#[test]
fn a_sync_of_a_directory_is_for_its_names_only() {
    let changes = [
        Change::Make(name(0, "a"), FILE),
        Change::Link(name(1, "b"), FILE),
        Change::Sync(DIRECTORIES[1]),
    ];
    assert_eq!(all_names(Journal::Loose, &changes), texts(&["b", "a b"]));
}

#[test]
fn a_number_is_given_away_only_when_its_file_is_gone_for_good() {
    let mut changes = vec![
        Change::Make(name(0, "a"), FILE),
        Change::Sync(DIRECTORIES[0]),
        Change::Remove(name(0, "a")),
    ];
    assert_eq!(all_names(Journal::Loose, &changes), texts(&["", "a"]));
    changes.push(Change::NumberFree);
    assert_eq!(all_names(Journal::Loose, &changes), texts(&[""]));
}

#[test]
fn one_name_keeps_its_order_and_a_renaming_is_whole() {
    let again = [
        Change::Make(name(0, "a"), FILE),
        Change::Remove(name(0, "a")),
        Change::Link(name(0, "a"), File(10)),
    ];
    assert_eq!(all_names(Journal::Loose, &again), texts(&["", "a"]));
    let moved = [
        Change::Make(name(0, "a"), FILE),
        Change::Sync(DIRECTORIES[0]),
        Change::Move(name(0, "a"), name(1, "b")),
    ];
    assert_eq!(all_names(Journal::Loose, &moved), texts(&["a", "b"]));
}

#[test]
fn unsynced_bytes_are_there_or_lost_or_torn_or_zero() {
    let mut changes = vec![
        Change::Make(name(0, "a"), FILE),
        Change::Sync(DIRECTORIES[0]),
        Change::Write(FILE, 0, b"ab".to_vec()),
        Change::Write(FILE, 2, b"cd".to_vec()),
    ];
    let contents = |changes: &[Change]| -> BTreeSet<Vec<u8>> {
        outcomes(Journal::Loose, changes).into_iter().map(|(_, bytes)| bytes).collect()
    };
    let expected: [&[u8]; 5] = [b"", b"ab", b"abc", b"abcd", b"\0\0\0\0"];
    assert_eq!(contents(&changes), expected.map(<[u8]>::to_vec).into());
    changes.push(Change::Sync(FILE));
    assert_eq!(contents(&changes), [b"abcd".to_vec()].into());
}

fn ticket(number: u64, file: File) -> Ticket {
    Ticket { number, file }
}

#[test]
fn a_sync_that_nobody_has_heard_the_end_of_is_none() {
    let directory = ticket(1, DIRECTORIES[0]);
    let mut changes = vec![
        Change::Make(name(0, "a"), FILE),
        Change::SyncsBegun(vec![directory, ticket(2, DIRECTORIES[1])]),
    ];
    assert_eq!(all_names(Journal::Loose, &changes), texts(&["", "a"]));
    changes.push(Change::SyncsEnded(vec![ticket(2, DIRECTORIES[1])]));
    assert_eq!(all_names(Journal::Loose, &changes), texts(&["", "a"]));
    changes.push(Change::SyncsEnded(vec![directory]));
    assert_eq!(all_names(Journal::Loose, &changes), texts(&["a"]));
}

#[test]
fn a_sync_is_for_what_was_there_when_it_began() {
    let tickets = vec![ticket(1, DIRECTORIES[0]), ticket(2, FILE)];
    let changes = [
        Change::Make(name(0, "a"), FILE),
        Change::Write(FILE, 0, b"ab".to_vec()),
        Change::SyncsBegun(tickets.clone()),
        Change::Link(name(0, "b"), FILE),
        Change::Write(FILE, 2, b"cd".to_vec()),
        Change::SyncsEnded(tickets),
    ];
    for journal in [Journal::Ordered, Journal::Loose] {
        assert_eq!(all_names(journal, &changes), texts(&["a", "a b"]), "{journal:?}");
        let found: BTreeSet<Vec<u8>> =
            outcomes(journal, &changes).into_iter().map(|(_, bytes)| bytes).collect();
        let expected: [&[u8]; 4] = [b"ab", b"abc", b"abcd", b"ab\0\0"];
        assert_eq!(found, expected.map(<[u8]>::to_vec).into(), "{journal:?}");
    }
}

#[test]
fn what_could_not_be_synced_no_other_sync_brings_to_disk() {
    let mut changes = vec![
        Change::Make(name(0, "a"), FILE),
        Change::Sync(DIRECTORIES[0]),
        Change::Write(FILE, 0, b"ab".to_vec()),
        Change::SyncFailed(FILE),
        Change::Sync(FILE),
    ];
    let contents = |changes: &[Change]| -> BTreeSet<Vec<u8>> {
        outcomes(Journal::Ordered, changes).into_iter().map(|(_, bytes)| bytes).collect()
    };
    let lost_or_not = contents(&changes);
    assert!(lost_or_not.contains(b"".as_slice()) && lost_or_not.contains(b"ab".as_slice()));
    // Only writing it again helps.
    changes.extend([
        Change::Resize(FILE, 0),
        Change::Write(FILE, 0, b"ab".to_vec()),
        Change::Sync(FILE),
    ]);
    assert_eq!(contents(&changes), [b"ab".to_vec()].into());
}

#[test]
fn what_was_written_out_comes_with_every_later_name_where_names_keep_their_order() {
    let changes = [
        Change::Make(name(0, "a"), FILE),
        Change::Write(FILE, 0, b"ab".to_vec()),
        Change::WriteOut(FILE),
        Change::Link(name(1, "b"), FILE),
    ];
    let has_all = |journal| {
        let found = outcomes(journal, &changes);
        assert!(found.contains(&("a".to_owned(), Vec::new())), "{journal:?}");
        let mut later = found.into_iter().filter(|(names, _)| names.contains('b'));
        later.all(|(_, bytes)| bytes == b"ab")
    };
    assert!(has_all(Journal::Ordered));
    // Elsewhere it is a hint.
    assert!(!has_all(Journal::Loose));
}

#[test]
fn what_was_written_out_comes_with_every_later_sync_where_names_keep_their_order() {
    let mut changes = vec![
        Change::Make(name(0, "a"), FILE),
        Change::Write(FILE, 0, b"ab".to_vec()),
        Change::WriteOut(FILE),
        Change::Write(FILE, 2, b"cd".to_vec()),
    ];
    let contents = |changes: &[Change]| -> BTreeSet<Vec<u8>> {
        outcomes(Journal::Ordered, changes).into_iter().map(|(_, bytes)| bytes).collect()
    };
    assert!(contents(&changes).contains(b"".as_slice()), "not by itself");
    changes.push(Change::Sync(DIRECTORIES[1]));
    let expected: [&[u8]; 4] = [b"ab", b"abc", b"abcd", b"ab\0\0"];
    assert_eq!(contents(&changes), expected.map(<[u8]>::to_vec).into());
}

#[test]
fn what_could_not_be_written_out_no_later_name_brings_to_disk() {
    let changes = [
        Change::Make(name(0, "a"), FILE),
        Change::Write(FILE, 0, b"ab".to_vec()),
        Change::SyncFailed(FILE),
        Change::WriteOut(FILE),
        Change::Sync(DIRECTORIES[0]),
    ];
    assert!(outcomes(Journal::Ordered, &changes).contains(&("a".to_owned(), Vec::new())));
}
