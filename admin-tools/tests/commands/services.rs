//! pido, and progress on a terminal.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::{Home, failed, outcome, printed};

const PIDO: &str = env!("CARGO_BIN_EXE_pido");
const NEWU: &str = env!("CARGO_BIN_EXE_qmail-newu");
const NEWMRH: &str = env!("CARGO_BIN_EXE_qmail-newmrh");
const NEWLIST: &str = env!("CARGO_BIN_EXE_qmail-newlist");

#[test]
fn pido_becomes_the_program_whose_number_it_has_written_down() {
    let home = Home::new();
    let file = home.path("pid");
    let script = "echo $$ \"$0\" \"$1\" $QMAILHOME; cat \"$2\"; ls \"$3\"";
    let words = ["sh", "-c", script, "a b", "c"];
    let mut command = home.command(PIDO);
    command.arg(&file).args(words).arg(&file).arg(home.root());
    let (code, output, errors) = outcome(&mut command);
    let number = home.read("pid");
    let mut lines = output.lines();
    let shown = home.root().display();
    assert_eq!(lines.next().unwrap(), format!("{} a b c {shown}", number.trim_end()));
    assert_eq!(lines.next().unwrap(), number.trim_end());
    assert_eq!(lines.collect::<Vec<_>>(), ["control", "pid", "queue", "users"]);
    assert_eq!((code, errors.as_str()), (0, ""));
}

#[test]
fn pido_leaves_no_number_of_a_program_that_does_not_run() {
    let home = Home::new();
    let file = home.path("pid").display().to_string();
    let missing = "pido: fatal: unable to run nobody-has-this: file does not exist";
    assert_eq!(home.run(PIDO, &[&file, "nobody-has-this"]), failed(127, missing));
    let directory = home.root().display().to_string();
    let denied = format!("pido: fatal: unable to run {directory}: access denied");
    assert_eq!(home.run(PIDO, &[&file, &directory]), failed(126, &denied));
    assert!(!home.path("pid").exists());
    let unwritten = format!("pido: fatal: unable to write {directory}/no/pid: file does not exist");
    let no_place = home.path("no/pid").display().to_string();
    assert_eq!(home.run(PIDO, &[&no_place, "true"]), failed(111, &unwritten));
    let usage = "pido: usage: pido FILE PROGRAM [ARGUMENT ...]";
    assert_eq!(home.run(PIDO, &[&file]), failed(100, usage));
    assert_eq!(home.run(PIDO, &[&file, "true"]), printed(""));
}

/// Runs a command on a terminal, with its input coming in two pieces: what the terminal shows.
fn on_a_terminal(home: &Home, command: &str, input: &str, line: &str) -> String {
    let path = home.path(input);
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let script = home
        .command("script")
        .args(["--quiet", "--return", "--command", command, "/dev/null"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn();
    let mut script = script.unwrap();
    let mut writer = File::create(&path).unwrap();
    writer.write_all(line.as_bytes()).unwrap();
    // Only what takes longer is shown, and then as soon as there is more to say.
    for _ in 0..3 {
        std::thread::sleep(Duration::from_millis(300));
        writer.write_all(line.as_bytes()).unwrap();
    }
    writer.write_all(b".\n").unwrap();
    drop(writer);
    let mut shown = String::new();
    script.stdout.take().unwrap().read_to_string(&mut shown).unwrap();
    assert_eq!(script.wait().unwrap().code(), Some(0), "{shown}");
    fs::remove_file(&path).unwrap();
    shown
}

#[test]
fn long_work_shows_on_a_terminal_how_far_it_is() {
    if !std::path::Path::new("/usr/bin/script").exists() {
        let forbidden = std::env::var_os("QMAIL_TESTS_NO_SKIP").is_some_and(|value| value == "1");
        assert!(!forbidden, "needs the program script");
        return;
    }
    let home = Home::new();
    let newlist = format!("{NEWLIST} list");
    let works = [
        (NEWMRH, "control/morercpthosts", "a.example\n", "bytes of control/morercpthosts: "),
        (NEWU, "users/assign", "=joe:joe:1:1:/home/joe:::\n", "bytes of users/assign: "),
        (newlist.as_str(), "control/list", "a@b.example\n", "bytes of the list: "),
    ];
    for (command, input, line, label) in works {
        let shown = on_a_terminal(&home, command, input, line);
        assert!(shown.contains(&format!("\r\x1b[K{label}")), "{command}: {shown:?}");
        // Nothing of it is left at the end.
        assert!(shown.ends_with("\r\x1b[K"), "{command}: {shown:?}");
    }
    // Elsewhere nothing is said.
    home.write("control/morercpthosts", b"a.example\n");
    assert_eq!(home.run(NEWMRH, &[]), printed(""));
}
