//! Many processes at one Maildir: nothing is lost, nothing comes twice, and quotas hold.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use qmail_conformance::user::User;
use qmail_conformance::{Need, Tree, files};

const WORKERS: usize = 8;
/// Of each worker in a round.
const OPERATIONS: usize = 25;
/// 2,000 operations in all; 10,000 if [`FULL`] is set.
const ROUNDS: usize = 10;
const FULL_ROUNDS: usize = 50;
const FULL: &str = "QMAIL_TESTS_FULL";
const LIMIT: i64 = 30_000;
/// Messages of each of fifty in a round.
const EACH: usize = 4;
/// Messages that a session of POP3 reads and deletes.
const PER_SESSION: usize = 2;
/// No message of these tests is larger, with the lines that go before it.
const LARGEST: i64 = 4_200;

/// What one of eight does: delivers by qmail-local or by Courier's deliverquota, reads and deletes by
/// POP3, moves a message as a mail reader does, or has everything counted.
const WORKER: &str = r#"
worker=$1 count=$2 RANDOM=$3 quota=$4
say() { echo "$3 $id" >> "$1.$2"; }
# Nothing is started but what is tested.
for ((i = 0; i < 20; i++)); do bodies[i]=$(< "body.$i"); done
for ((i = 0; i < count; i++)); do
    id=$3-$i
    case $((RANDOM % 10)) in
    [0-3]) command=(qmail-local -- joe "$HOME" joe '' '' test.example s@far.example ./Maildir/) ;;
    [4-5]) command=(deliverquota.maildrop ./Maildir) ;;
    [6-7])
        qmail-pop3d Maildir < commands > "session.$id"
        continue ;;
    8)
        for path in Maildir/new/*; do
            mv "$path" "Maildir/cur/${path##*/}:2,S" 2> /dev/null
            break
        done
        continue ;;
    9)
        maildirmake -q "$quota" Maildir 2> "said.$worker" || say failed "$worker" "$(cat "said.$worker")"
        continue ;;
    esac
    printf 'X-Id: %s\n%s\n' "$id" "${bodies[RANDOM % 20]}" > "input.$worker"
    "${command[@]}" < "input.$worker" > "said.$worker" 2>&1
    code=$?
    case $code in
    0) say delivered "$worker" '' ;;
    77 | 100) say refused "$worker" '' ;;
    *) say failed "$worker" "$code $(cat "said.$worker")" ;;
    esac
done
"#;

/// One of fifty.
const SENDER: &str = r#"
worker=$1 first=$2 count=$3 body=$(< body.3)
for ((i = first; i < first + count; i++)); do
    printf 'X-Id: %s\n%s\n' "$worker-$i" "$body" > "input.$worker"
    qmail-local -- joe "$HOME" joe '' '' test.example s@far.example ./Maildir/ \
        < "input.$worker" > "said.$worker" 2>&1 || cat "said.$worker" >> failed.all
    echo "$worker-$i" >> "delivered.$worker"
done
"#;

/// Reads and deletes until nobody sends any more.
const POP3_READER: &str = r#"
for ((i = 0; ; i++)); do
    [ -e finished ] && last=yes
    qmail-pop3d Maildir < commands > "session.$1-$2-$i"
    [ -z "$last" ] || break
done
"#;

const DOVECOT_READER: &str = r#"
for ((i = 0; ; i++)); do
    [ -e finished ] && last=yes
    doveadm -f pager fetch 'uid guid hdr.x-id' mailbox INBOX all > "fetched.$1-$i" 2>> dovecot.log
    # Where somebody else has removed a message meanwhile, fields are missing, and what follows has
    # the names of others.
    uids=$(awk '/^uid: / { uid = /^uid: [0-9]+$/ ? $2 : 0 } /^guid: / { known = /^guid: [0-9]+\./ }
        /^hdr.x-id: [0-9]+-[0-9]+$/ && uid && known { print uid }' "fetched.$1-$i" | paste -sd,)
    [ -z "$uids" ] || doveadm expunge mailbox INBOX uid "$uids" 2>> dovecot.log
    [ -z "$last" ] || break
done
"#;

/// Joe, in whose home all of this happens.
struct Post {
    tree: Tree,
    joe: User,
}

impl Post {
    /// `quota` in bytes is Dovecot's.
    fn new(quota: i64) -> Option<Self> {
        let tree = Tree::among_others("usr/sbin/deliverquota.maildrop")?;
        let joe = tree.user("joe");
        joe.write(".qmail", "./Maildir/\n");
        let _ = joe.make_maildir("Maildir");
        for number in 0..20 {
            let text =
                format!("Subject: {number}\n\n{}", "text of a line\n".repeat(20 + number * 12));
            joe.write(&format!("body.{number}"), text);
        }
        let each = |number| format!("RETR {number}\r\nDELE {number}\r\n");
        let commands: String = (1..=PER_SESSION).map(each).collect();
        joe.write("commands", format!("UIDL\r\n{commands}QUIT\r\n"));
        let configuration = format!(
            "mail_location = maildir:~/Maildir\nlog_path = /dev/stderr\nmail_plugins = quota\n\
             listen = 127.0.0.1\nssl = no\nplugin {{\n  quota = maildir:User quota\n  \
             quota_rule = *:bytes={quota}\n}}\n"
        );
        tree.write_in_its_world("/etc/dovecot/dovecot.conf", configuration);
        Some(Self { tree, joe })
    }

    /// A script of bash's, which must succeed.
    fn run(&self, script: &str, words: &[String]) -> String {
        let program = self.tree.command("/bin/bash").args(["-c", script, "bash"]);
        let program = program.args(words.iter().cloned()).run_as(self.joe.identity());
        let program = program.env("HOME", self.joe.home()).env("USER", "joe");
        let finished = program.in_directory(self.joe.home()).run();
        assert_eq!(finished.code, Some(0), "{}", finished.said());
        finished.text()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.joe.home().join(name)
    }

    /// The last words of the lines of all files that begin so.
    fn noted(&self, start: &str) -> Vec<String> {
        let names =
            files::names(self.joe.home()).into_iter().filter(|name| name.starts_with(start));
        let lines = names
            .flat_map(|name| self.joe.read(&name).lines().map(str::to_owned).collect::<Vec<_>>());
        lines.map(|line| line.split_whitespace().last().unwrap_or_default().to_owned()).collect()
    }

    /// What all sessions of POP3 have read: id and file.
    fn read_by_pop3(&self) -> Vec<(String, String)> {
        let names = files::names(self.joe.home());
        let sessions = names.into_iter().filter(|name| name.starts_with("session."));
        sessions.flat_map(|name| read_in_session(&self.joe.read(&name))).collect()
    }

    /// What is still there: id and file.
    fn kept(&self) -> Vec<(String, String)> {
        let of_part = |part: &str| {
            let directory = self.path("Maildir").join(part);
            files::names(&directory).into_iter().map(move |name| directory.join(name))
        };
        let paths = of_part("new").chain(of_part("cur"));
        paths.map(|path| (id(&fs::read(&path).unwrap()), stem(&path))).collect()
    }

    fn sums(&self) -> (i64, i64) {
        let text = self.joe.read("Maildir/maildirsize");
        let numbers: Vec<i64> =
            text.split_whitespace().skip(1).map(|word| word.parse().unwrap()).collect();
        let sum = |from: usize| numbers.iter().skip(from).step_by(2).sum();
        (sum(0), sum(1))
    }

    /// The messages that are there at this moment.
    fn truth(&self) -> (i64, i64) {
        let mut sizes = BTreeMap::new();
        for part in ["new", "cur"] {
            let directory = self.path("Maildir").join(part);
            for entry in fs::read_dir(directory).unwrap().flatten() {
                // Moved while we look, it is one message all the same.
                if let Ok(metadata) = entry.metadata() {
                    sizes.insert(stem(&entry.path()), i64::try_from(metadata.len()).unwrap());
                }
            }
        }
        (sizes.values().sum(), i64::try_from(sizes.len()).unwrap())
    }
}

fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap().to_string_lossy();
    name.split(':').next().unwrap().to_owned()
}

fn id(message: &[u8]) -> String {
    let text = String::from_utf8_lossy(message);
    let line = text.lines().find_map(|line| line.strip_prefix("X-Id: "));
    line.unwrap_or_else(|| panic!("half a message: {text}")).to_owned()
}

/// The messages that one session has got, by its list and the replies to RETR. Those that somebody
/// else has removed meanwhile are not among them.
fn read_in_session(session: &str) -> Vec<(String, String)> {
    let mut lines = session.lines().map(|line| line.trim_end_matches('\r')).skip(2);
    let list = lines.by_ref().take_while(|line| *line != ".");
    let stems: Vec<String> = list.map(|line| line.split_once(' ').unwrap().1.to_owned()).collect();
    let mut read = Vec::new();
    for stem in stems.into_iter().take(PER_SESSION) {
        if lines.next().is_some_and(|reply| reply.starts_with("+OK")) {
            let message: Vec<&str> = lines.by_ref().take_while(|line| *line != ".").collect();
            read.push((id(message.join("\n").as_bytes()), stem));
        }
        assert_eq!(lines.next(), Some("+OK "), "DELE");
    }
    read
}

#[test]
fn thousands_of_operations_of_eight_processes_lose_nothing_and_keep_the_quota() {
    let Some(post) = Post::new(LIMIT) else { return };
    if post.tree.lacks(Need::Program("deliverquota")) {
        return;
    }
    let rounds = if std::env::var_os(FULL).is_some() { FULL_ROUNDS } else { ROUNDS };
    let quota = format!("{LIMIT}S");
    post.run("maildirmake -q \"$1\" Maildir", std::slice::from_ref(&quota));
    post.joe.write("worker", WORKER);
    let start = "for worker in $(seq $1); do \
                 bash worker $worker $2 $3$worker $4 & done; wait";
    let most = thread::scope(|scope| {
        let work = scope.spawn(|| {
            for round in 1..=rounds {
                let words = [WORKERS.to_string(), OPERATIONS.to_string(), round.to_string()];
                post.run(start, &[&words[..], std::slice::from_ref(&quota)].concat());
            }
        });
        let mut most = 0;
        while !work.is_finished() {
            most = most.max(post.truth().0);
            thread::sleep(Duration::from_millis(5));
        }
        work.join().unwrap();
        most
    });
    assert_eq!(post.noted("failed"), [""; 0]);
    // All others may have asked before one of them was counted.
    let race = LARGEST * i64::try_from(WORKERS - 1).unwrap();
    assert!(most <= LIMIT + race, "{most} bytes");
    let delivered: BTreeSet<String> = post.noted("delivered.").into_iter().collect();
    let refused = post.noted("refused.").len();
    let read: BTreeSet<String> = post.read_by_pop3().into_iter().map(|(id, _)| id).collect();
    let kept = post.kept();
    println!(
        "{} operations: {} delivered, {refused} refused, {} read, {} kept, {most} bytes at most, {:?} in the file",
        rounds * WORKERS * OPERATIONS,
        delivered.len(),
        read.len(),
        kept.len(),
        post.sums()
    );
    let found: BTreeSet<String> = kept.iter().map(|(id, _)| id.clone()).chain(read).collect();
    assert_eq!(delivered.symmetric_difference(&found).collect::<Vec<_>>(), [""; 0]);
    assert!(delivered.len() > rounds * WORKERS && refused > 0, "{} {refused}", delivered.len());
    let truth = post.truth();
    for count in
        ["maildirmake -q \"$1\"", "maildirmake.maildrop -q \"$1\"", "doveadm quota recalc; :"]
    {
        post.run(&format!("{count} Maildir"), std::slice::from_ref(&quota));
        assert_eq!(post.sums(), truth, "{count}");
    }
}

#[test]
fn fifty_processes_deliver_while_pop3_and_dovecot_read_and_delete() {
    let Some(post) = Post::new(100_000_000) else { return };
    for (name, script) in [("sender", SENDER), ("pop3", POP3_READER), ("dovecot", DOVECOT_READER)] {
        post.joe.write(name, script);
    }
    let senders =
        "for worker in $(seq 50); do bash sender $worker $1 $2 & done; wait; : > finished";
    let readers = ["bash pop3 $1 a", "bash pop3 $1 b", "bash dovecot $1"];
    for round in 0..5 {
        let words = [(round * EACH).to_string(), EACH.to_string()];
        let (post, words) = (&post, &words);
        post.run("rm -f finished", &[]);
        thread::scope(|scope| {
            for reader in readers {
                scope.spawn(move || post.run(reader, words));
            }
            post.run(senders, words);
        });
    }
    assert_eq!(post.noted("failed"), [""; 0]);
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let by_pop3 = post.read_by_pop3();
    let by_dovecot = read_by_dovecot(&post);
    println!("{} by POP3, {} by Dovecot", by_pop3.len(), by_dovecot.len());
    assert!(!by_pop3.is_empty() && !by_dovecot.is_empty());
    for (id, file) in by_pop3.into_iter().chain(by_dovecot).chain(post.kept()) {
        found.entry(id).or_default().insert(file);
    }
    let delivered = post.noted("delivered.");
    assert_eq!(delivered.len(), 1000);
    let missing: Vec<_> = delivered.iter().filter(|id| !found.contains_key(*id)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let twice: Vec<_> = found.iter().filter(|(_, files)| files.len() != 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    let strangers: Vec<_> = found.keys().filter(|id| !delivered.contains(id)).collect();
    assert!(strangers.is_empty(), "{strangers:?}");
}

/// Dovecot makes up other ids for what is gone.
fn is_name(guid: &&str) -> bool {
    let seconds = guid.split('.').next().unwrap_or_default();
    seconds.len() < guid.len() && seconds.bytes().all(|byte| byte.is_ascii_digit())
}

fn read_by_dovecot(post: &Post) -> Vec<(String, String)> {
    let names = files::names(post.joe.home()).into_iter();
    let pages = names.filter(|name| name.starts_with("fetched.")).map(|name| post.joe.read(&name));
    let mut read = Vec::new();
    for page in pages {
        for message in page.split('\x0c') {
            let field = |name: &str| message.lines().find_map(|line| line.strip_prefix(name));
            let number = |text: &&str| text.bytes().all(|byte| byte.is_ascii_digit());
            let uid = field("uid: ").filter(number);
            let guid = field("guid: ").filter(is_name);
            let id = field("hdr.x-id: ").filter(|id| id.contains('-'));
            if let (Some(_), Some(guid), Some(id)) = (uid, guid, id) {
                read.push((id.to_owned(), guid.to_owned()));
            }
        }
    }
    read
}
