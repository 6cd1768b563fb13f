//! A program that stays, this one, and what starts it.
#![expect(clippy::unwrap_used, reason = "a test, though without the usual harness")]
#![expect(clippy::print_stdout, reason = "what a job has to say")]

#[path = "stays/workers.rs"]
mod workers;

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use qmail_forkserver::Starter;
use qmail_sys::{Child, Exit, FailureCodes, Gid, Identity, Spawn, Uid, effective_uid, pipe};

fn main() -> ExitCode {
    if this().ends_with("wrapper") {
        let wrapped = Spawn::new(this().with_file_name("wrapped"));
        let _ = wrapped.args(std::env::args_os().skip(1)).replace();
        return ExitCode::FAILURE;
    }
    qmail_forkserver::main(|arguments| {
        if arguments.get(1).is_some_and(|first| first == "job") {
            return job(&arguments);
        }
        copies_are_our_children_and_of_one_process();
        a_copy_finds_what_a_new_program_would();
        a_copy_shows_its_own_arguments();
        what_cannot_be_set_up_ends_with_its_code();
        a_copy_becomes_its_user_for_good();
        after_a_crash_copies_are_of_another_process();
        one_that_was_killed_is_replaced();
        a_program_in_its_place_is_run_at_once();
        a_script_is_never_asked_to_stay();
        what_a_wrapper_becomes_is_not_taken_for_it();
        what_is_too_long_for_a_message_is_done_all_the_same();
        a_copy_has_nothing_of_the_jobs_of_others();
        workers::tests();
        0
    })
}

/// What this program does where it is not the test.
fn job(arguments: &[OsString]) -> u8 {
    match arguments[2].to_str().unwrap() {
        "process" => {
            // Closed when it goes, as by programs that read a message.
            let _input = qmail_sys::inherit(0).unwrap();
            print!("{}", std::process::id());
        }
        // The same for all copies of a process, another one for the next.
        "where" => print!("{:p} {}", main as fn() -> ExitCode, std::os::unix::process::parent_id()),
        "what" => {
            let variables = ["A", "B", "HOME"].map(std::env::var_os);
            let input = std::io::read_to_string(std::io::stdin()).unwrap();
            let directory = std::env::current_dir().unwrap();
            let descriptors = fs::read_dir("/proc/self/fd").unwrap().count();
            print!("{arguments:?} {variables:?} {input} {directory:?} {descriptors}");
        }
        "who" => {
            let status = fs::read_to_string("/proc/self/status").unwrap();
            let is_identity =
                |line: &&str| ["Uid:", "Gid:", "Groups:"].iter().any(|word| line.starts_with(word));
            status.lines().filter(is_identity).for_each(|line| print!("{line}|"));
        }
        "title" => print!("{}", fs::read_to_string("/proc/self/cmdline").unwrap()),
        "search" => return u8::from(is_in_memory_reversed(arguments[3].as_bytes())),
        "crash" => std::process::abort(),
        code => return code.parse().unwrap(),
    }
    0
}

fn this() -> PathBuf {
    std::env::current_exe().unwrap()
}

fn spawn<'fd>(program: &Path, words: &[&str]) -> Spawn<'fd> {
    Spawn::new(program).arg("job").args(words)
}

/// How it ended, and what it said.
fn result_of(starter: &mut Starter, job: Spawn<'_>) -> (Exit, String) {
    let (input, output) = (pipe().unwrap(), pipe().unwrap());
    File::from(input.write).write_all(b"input").unwrap();
    let job = job.connect(0, input.read.as_fd()).connect(1, output.write.as_fd());
    let child = starter.copy(&job).unwrap_or_else(|| job.start()).unwrap();
    drop(output.write);
    let mut said = String::new();
    File::from(output.read).read_to_string(&mut said).unwrap();
    let exit = child.wait().unwrap();
    starter.ended(matches!(exit, Exit::Signal(_)));
    (exit, said)
}

fn place(starter: &mut Starter, program: &Path) -> String {
    result_of(starter, spawn(program, &["where"])).1
}

fn copies_are_our_children_and_of_one_process() {
    let mut starter = Starter::new();
    let first = place(&mut starter, &this());
    assert!(first.ends_with(&format!(" {}", std::process::id())), "{first}");
    assert_eq!(place(&mut starter, &this()), first);
    assert_ne!(place(&mut Starter::new(), &this()), first);
    assert_eq!(result_of(&mut starter, spawn(&this(), &["7"])).0, Exit::Code(7));
}

fn a_copy_finds_what_a_new_program_would() {
    let job = || {
        let job = spawn(&this(), &["what", "", "a b"]).env("A", b"x=y").env("B", b"b");
        job.env_remove("B").env_remove("HOME").directory(Path::new("/usr"))
    };
    let (input, output) = (pipe().unwrap(), pipe().unwrap());
    File::from(input.write).write_all(b"input").unwrap();
    let new = job().connect(0, input.read.as_fd()).connect(1, output.write.as_fd()).start();
    drop(output.write);
    let mut expected = String::new();
    File::from(output.read).read_to_string(&mut expected).unwrap();
    assert_eq!(new.unwrap().wait().unwrap(), Exit::Code(0));
    assert!(expected.contains("[Some(\"x=y\"), None, None] input \"/usr\""), "{expected}");
    let mut starter = Starter::new();
    for _ in 0..2 {
        assert_eq!(result_of(&mut starter, job()), (Exit::Code(0), expected.clone()));
    }
}

fn a_copy_shows_its_own_arguments() {
    let (_, said) = result_of(&mut Starter::new(), spawn(&this(), &["title", "of a delivery"]));
    let expected = format!("{}\0job\0title\0of a delivery\0", this().display());
    assert_eq!(said.trim_end_matches('\0'), expected.trim_end_matches('\0'));
}

fn what_cannot_be_set_up_ends_with_its_code() {
    let mut starter = Starter::new();
    let codes = FailureCodes { directory: 61, ..FailureCodes::all(62) };
    let lost = spawn(&this(), &["0"]).directory(Path::new("/nonexistent")).failing_with(codes);
    // The file is named from the root, so that it is found all the same.
    assert_eq!(result_of(&mut starter, lost).0, Exit::Code(61));
    if effective_uid() != 0 {
        let root = Identity { uid: Uid::new(effective_uid() + 1).unwrap(), gid: Gid(1) };
        let other = spawn(&this(), &["0"]).as_user(root).failing_with(codes);
        assert_eq!(result_of(&mut starter, other).0, Exit::Code(62));
    }
}

fn a_copy_becomes_its_user_for_good() {
    if effective_uid() == 0 {
        let nobody = Identity { uid: Uid::new(65_534).unwrap(), gid: Gid(65_533) };
        let (_, said) = result_of(&mut Starter::new(), spawn(&this(), &["who"]).as_user(nobody));
        let words: Vec<_> = said.split_whitespace().collect();
        assert_eq!(words.join(" ").matches("65534").count(), 4, "{said}");
        assert_eq!(words.join(" ").matches("65533").count(), 5, "{said}");
    }
}

fn after_a_crash_copies_are_of_another_process() {
    let mut starter = Starter::new();
    let before = place(&mut starter, &this());
    assert!(matches!(result_of(&mut starter, spawn(&this(), &["crash"])).0, Exit::Signal(_)));
    assert_ne!(place(&mut starter, &this()), before);
}

fn one_that_was_killed_is_replaced() {
    let mut starter = Starter::new();
    let before = place(&mut starter, &this());
    let ours = format!("/proc/self/task/{}/children", std::process::id());
    let children = fs::read_to_string(ours).unwrap();
    for child in children.split_whitespace() {
        let line = fs::read_to_string(format!("/proc/{child}/cmdline")).unwrap();
        if line.contains("--fork-server") {
            let child = Child::given(child.parse().unwrap()).unwrap();
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
    assert_ne!(place(&mut starter, &this()), before);
}

fn a_program_in_its_place_is_run_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("program");
    fs::copy(this(), &program).unwrap();
    let mut starter = Starter::new();
    let before = place(&mut starter, &program);
    assert_eq!(place(&mut starter, &program), before);
    fs::copy("/bin/echo", directory.path().join("new")).unwrap();
    fs::rename(directory.path().join("new"), &program).unwrap();
    assert_eq!(place(&mut starter, &program), "job where\n");
    fs::copy(this(), directory.path().join("new")).unwrap();
    fs::rename(directory.path().join("new"), &program).unwrap();
    let after = place(&mut starter, &program);
    assert_eq!(place(&mut starter, &program), after);
}

fn a_script_is_never_asked_to_stay() {
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("script");
    let told = directory.path().join("told");
    let mark = String::from_utf8(qmail_wire::fork_server::FORK_SERVER.mark.to_vec()).unwrap();
    let mark = mark.trim_end_matches('\0');
    let text = format!(
        "#!/bin/sh\n# {mark}\necho \"$@\" >> {}\nexec {} \"$@\"\n",
        told.display(),
        this().display()
    );
    let mut file = File::create(&script).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.write_all(b"exit\n\0").unwrap();
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    drop(file);
    let mut starter = Starter::new();
    assert_ne!(place(&mut starter, &script), place(&mut starter, &script));
    assert_eq!(fs::read_to_string(told).unwrap(), "job where\njob where\n");
}

fn what_a_wrapper_becomes_is_not_taken_for_it() {
    let directory = tempfile::tempdir().unwrap();
    let wrapper = directory.path().join("wrapper");
    for name in ["wrapper", "wrapped"] {
        fs::copy(this(), directory.path().join(name)).unwrap();
    }
    let mut starter = Starter::new();
    let first = place(&mut starter, &wrapper);
    assert!(first.ends_with(&format!(" {}", std::process::id())), "{first}");
    assert_ne!(place(&mut starter, &wrapper), first);
}

fn what_is_too_long_for_a_message_is_done_all_the_same() {
    let long = "x".repeat(70_000);
    let mut starter = Starter::new();
    let (exit, said) = result_of(&mut starter, spawn(&this(), &["what", &long]));
    assert_eq!(exit, Exit::Code(0));
    assert!(said.contains(&long));
}

fn a_copy_has_nothing_of_the_jobs_of_others() {
    let mut starter = Starter::new();
    let secret = "what nobody else is to know";
    assert_eq!(result_of(&mut starter, spawn(&this(), &["0", secret])).0, Exit::Code(0));
    let reversed: String = secret.chars().rev().collect();
    assert_eq!(result_of(&mut starter, spawn(&this(), &["search", &reversed])).0, Exit::Code(0));
    // Whoever has it finds it.
    let known = spawn(&this(), &["search", &reversed, secret]);
    assert_eq!(result_of(&mut starter, known).0, Exit::Code(1));
}

/// Whether the bytes that these are the wrong way round are anywhere in what we can read and write.
fn is_in_memory_reversed(reversed: &[u8]) -> bool {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let mut memory = File::open("/proc/self/mem").unwrap();
    maps.lines().filter(|line| line.contains(" rw")).any(|line| {
        let (range, _) = line.split_once(' ').unwrap();
        let (start, end) = range.split_once('-').unwrap();
        let [start, end] = [start, end].map(|address| u64::from_str_radix(address, 16).unwrap());
        let mut bytes = vec![0; usize::try_from(end - start).unwrap()];
        memory.seek(SeekFrom::Start(start)).unwrap();
        let length = memory.read(&mut bytes).unwrap_or(0);
        bytes[..length].windows(reversed.len()).any(|part| part.iter().eq(reversed.iter().rev()))
    })
}
