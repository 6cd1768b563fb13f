//! Who may use what, in the whole workspace: uses point down only, and what has power has few.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use qmail_conformance::sources::{rust_files, workspace};

/// Libraries from top to bottom; those of one row do not use each other.
const LAYERS: [&[&str]; 6] = [
    &["qmail-policy"],
    &["qmail-dns", "qmail-tls"],
    &["qmail-spawn"],
    &["qmail-forkserver"],
    &["qmail-core", "qmail-digests"],
    &["qmail-login", "qmail-message", "qmail-wire"],
];

/// Below all others; beside each other.
const GROUND: [&str; 2] = ["qmail-address", "qmail-sys"];

/// Above all others, programs included: what parsers owe, whatever they are given, and measurements,
/// which share the worlds that the tests make.
const ABOVE_ALL: [&str; 2] = ["qmail-laws", "qmail-benches"];

/// Packages of programs that run as root, setuid, or on the queue.
const POWERFUL: [&str; 15] = [
    "qmail-tcpserver",
    "qmail-queue",
    "qmail-start",
    "qmail-send",
    "qmail-todo",
    "qmail-clean",
    "qmail-lspawn",
    "qmail-getpw",
    "qmail-local",
    "qmail-rspawn",
    "qmail-popup",
    "checkpassword",
    "cmd5checkpw",
    "vchkpw",
    "install",
];

/// What these may have from elsewhere.
const FOREIGN: [&str; 2] = ["libc", "nix"];

/// What two of them may have besides: digests are not to be written by oneself.
const DIGESTS: [(&str, &str); 4] =
    [("cmd5checkpw", "hmac"), ("cmd5checkpw", "md-5"), ("vchkpw", "hmac"), ("vchkpw", "md-5")];

/// One package: where it is, and what it uses outside tests.
#[derive(Debug)]
struct Package {
    directory: PathBuf,
    uses: Vec<String>,
}

/// The quoted words of a list in a Cargo.toml that begins with this line.
fn list(text: &str, start: &str) -> Vec<String> {
    let lines = text.lines().skip_while(|line| !line.starts_with(start)).skip(1);
    lines
        .take_while(|line| !line.starts_with(']'))
        .filter_map(|line| line.trim().strip_prefix('"')?.split('"').next().map(str::to_owned))
        .collect()
}

/// The keys of `[dependencies]`, `[build-dependencies]` and their tables for a platform.
fn dependencies(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            let development = section.contains("dev-dependencies");
            inside = section.ends_with("dependencies") && !development;
            if let (false, Some((_, name))) = (development, section.rsplit_once("dependencies.")) {
                found.push(name.to_owned());
            }
        } else if inside && !line.is_empty() && !line.starts_with('#') {
            let key = line.split(['=', '.', ' ']).next().unwrap();
            found.push(key.trim_matches('"').to_owned());
        }
    }
    found
}

fn packages() -> BTreeMap<String, Package> {
    let workspace = workspace();
    let text = fs::read_to_string(workspace.join("Cargo.toml")).unwrap();
    let members = list(&text, "members");
    assert!(members.len() > 20, "{members:?}");
    members
        .into_iter()
        .map(|member| {
            let directory = workspace.join(&member);
            let text = fs::read_to_string(directory.join("Cargo.toml")).unwrap();
            let name = text.lines().find_map(|line| line.strip_prefix("name = \"")).unwrap();
            let name = name.strip_suffix('"').unwrap().to_owned();
            (name, Package { directory, uses: dependencies(&text) })
        })
        .collect()
}

/// The higher, the more a package may use; programs are above all libraries.
fn height(name: &str) -> usize {
    if GROUND.contains(&name) {
        return 0;
    }
    if ABOVE_ALL.contains(&name) {
        return usize::MAX;
    }
    let layer = LAYERS.iter().position(|layer| layer.contains(&name));
    LAYERS.len() - layer.map_or(0, |layer| layer) + usize::from(layer.is_none())
}

#[test]
fn uses_point_down_only() {
    let packages = packages();
    for (name, package) in &packages {
        for used in package.uses.iter().filter(|used| packages.contains_key(*used)) {
            if name == "qmail-conformance" {
                panic!("the tests know a tree, not our code: {used}");
            }
            assert!(height(used) < height(name), "{name} uses {used}, which is not below it");
        }
    }
}

#[test]
fn programs_do_not_use_each_other() {
    let packages = packages();
    let below = packages.iter().filter(|(name, _)| !ABOVE_ALL.contains(&name.as_str()));
    for (name, package) in below {
        for used in &package.uses {
            let Some(below) = packages.get(used) else { continue };
            let library = below.directory.parent().is_some_and(|p| p.ends_with("crates"));
            assert!(library, "{name} uses {used}, a program");
        }
    }
}

/// Everything that a package uses, through others too; foreign crates are not looked into.
fn reachable(packages: &BTreeMap<String, Package>, name: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut todo = vec![name.to_owned()];
    while let Some(name) = todo.pop() {
        for used in packages.get(&name).map_or(&[][..], |package| &package.uses) {
            if !found.contains(used) {
                found.push(used.clone());
                todo.push(used.clone());
            }
        }
    }
    found
}

#[test]
fn powerful_programs_have_few_foreign_crates() {
    let packages = packages();
    for name in POWERFUL {
        assert!(packages.contains_key(name), "there is no {name}");
        for used in reachable(&packages, name) {
            let known = packages.contains_key(&used)
                || FOREIGN.contains(&used.as_str())
                || DIGESTS.contains(&(name, &used));
            assert!(known, "{name} has {used}");
        }
    }
}

#[test]
fn keys_and_signatures_stay_with_those_who_need_them() {
    let packages = packages();
    let users =
        packages.iter().filter(|(_, package)| package.uses.contains(&"qmail-policy".into()));
    let users: Vec<&str> = users.map(|(name, _)| name.as_str()).collect();
    assert_eq!(users, ["dknewkey", "qmail-dkim", "qmail-dkim-remote", "qmail-laws"]);
    for name in POWERFUL {
        let reached = reachable(&packages, name);
        for heavy in ["qmail-policy", "mail-auth", "ring", "rsa"] {
            assert!(!reached.contains(&heavy.to_owned()), "{name} has {heavy}");
        }
    }
}

#[test]
fn tls_of_clients_is_done_where_nothing_else_is() {
    let packages = packages();
    let users = packages.iter().filter(|(_, package)| package.uses.contains(&"qmail-tls".into()));
    let users: Vec<&str> = users.map(|(name, _)| name.as_str()).collect();
    // qmail-showctl knows which ciphers there are, and servers are measured by a client.
    assert_eq!(users, ["admin-tools", "qmail-benches", "qmail-remote", "qmail-tlsrelay"]);
}

/// A static program does not survive the modules that the C library loads to answer.
#[test]
fn who_asks_the_c_library_for_users_is_linked_dynamically() {
    let packages = packages();
    let asks = |package: &Package| {
        let text = fs::read_to_string(package.directory.join("Cargo.toml")).unwrap();
        text.lines().any(|line| line.starts_with("qmail-sys") && line.contains("\"nss\""))
    };
    let asking = packages.iter().filter(|(_, package)| asks(package));
    let asking: BTreeSet<&str> = asking.map(|(name, _)| name.as_str()).collect();
    let makefile = fs::read_to_string(workspace().join("Makefile")).unwrap();
    let dynamic = makefile.lines().find_map(|line| line.strip_prefix("DYNAMIC := ")).unwrap();
    assert_eq!(asking, dynamic.split_whitespace().collect());
}

#[test]
fn rsa_keys_are_only_made_where_nobody_watches() {
    let packages = packages();
    let users = packages.iter().filter(|(_, package)| package.uses.contains(&"rsa".into()));
    assert_eq!(users.map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["dknewkey"]);
}

#[test]
fn nothing_waits_for_two_things_at_once() {
    let locked = fs::read_to_string(workspace().join("Cargo.lock")).unwrap();
    assert!(locked.contains("name = \"rustls\""), "not the file it should be");
    for runtime in ["tokio", "mio", "smol", "async-std", "hickory-net"] {
        let line = format!("name = \"{runtime}\"\n");
        assert!(!locked.contains(&line), "an async runtime: {runtime}");
    }
}

#[test]
fn only_the_kernel_crate_may_be_unsafe() {
    for (name, package) in packages() {
        if name == "qmail-sys" {
            continue;
        }
        let source = package.directory.join("src");
        let mut roots = vec![source.join("lib.rs"), source.join("main.rs")];
        roots.extend(
            fs::read_dir(source.join("bin")).into_iter().flatten().flatten().map(|e| e.path()),
        );
        for root in roots.iter().filter(|root| root.is_file()) {
            let text = fs::read_to_string(root).unwrap();
            assert!(text.contains("#![forbid(unsafe_code)]"), "{}", root.display());
        }
    }
}

#[test]
fn files_are_small_enough_to_read() {
    for (_, package) in packages() {
        for file in rust_files(&package.directory, &[]) {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            let tests = file.components().any(|part| part.as_os_str() == "tests");
            assert!(lines <= 500 || tests, "{}: {lines} lines", file.display());
        }
    }
}
