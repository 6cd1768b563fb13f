//! qmail-showctl: shows how qmail is set up.
//!
//! Runs as:     anybody who may read the control files
//! Descriptors: 1 what it says; 2 a missing account
//! Exit codes:  0 shown; 111 the tree is out of reach
#![forbid(unsafe_code)]

use std::path::Path;
use std::process::ExitCode;

use admin_tools::control_report::report;
use admin_tools::fatal::{TEMPORARY, give_up, print, printed};
use qmail_core::accounts::{Accounts, Group, Role};
use qmail_core::built_in::{break_character, paternalism_mask, spawn_limit};
use qmail_core::home::home;
use qmail_core::queue::Queue;

/// For those who may not look into the queue: what new ones are made with.
const SPLIT: &str = include_str!("../../../install/conf-split");

fn main() -> ExitCode {
    let home = home();
    let accounts = match Accounts::load(&home) {
        Ok(accounts) => accounts,
        Err(error) => return give_up(&format!("fatal: {error}"), TEMPORARY),
    };
    let head = head(&home, &accounts);
    match report(&home) {
        Ok(report) => printed(print(&[head.as_bytes(), &report].concat())),
        Err(failure) => {
            // Who does not listen still gets the exit code.
            let _ = print(&[head.as_bytes(), failure.text().as_bytes()].concat());
            ExitCode::from(TEMPORARY)
        }
    }
}

fn head(home: &Path, accounts: &Accounts) -> String {
    let users = Role::ALL.map(|role| accounts.user(role).uid.to_string()).join(", ");
    let groups = [Group::NoFiles, Group::Qmail];
    let groups = groups.map(|group| accounts.group(group).0.to_string()).join(", ");
    format!(
        "qmail home directory: {}.\n\
         user-ext delimiter: {}.\n\
         paternalism (in decimal): {}.\n\
         silent concurrency limit: {}.\n\
         subdirectory split: {}.\n\
         user ids: {users}.\n\
         group ids: {groups}.\n",
        home.display(),
        char::from(break_character()),
        paternalism_mask(),
        spawn_limit(),
        split(home),
    )
}

fn split(home: &Path) -> String {
    match Queue::open(&home.join("queue")) {
        Ok(queue) => queue.split().to_string(),
        Err(_) => SPLIT.lines().next().unwrap_or_default().into(),
    }
}
