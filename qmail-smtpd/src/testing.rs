//! What tests of several modules need.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// By a process of its own: a file that is open for writing in a fork of ours cannot be executed.
pub(crate) fn write_script(path: &Path, body: &str) {
    let mut writer = Command::new("/bin/sh")
        .args(["-c", "cat > $0 && chmod 755 $0"])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let script = format!("#!/bin/sh\n{body}\n");
    writer.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    assert!(writer.wait().unwrap().success());
}
