//! What a test may need that not every machine has.

use std::env;
use std::path::Path;

use crate::{Tree, third_party};

/// Something that a test cannot do without.
#[derive(Clone, Copy, Debug)]
pub enum Need {
    /// Root, and with it a tree with all its accounts, several users and a network of its own.
    Root,
    /// A program of the machine.
    Tool(&'static str),
    /// A program of the tree that not every version has.
    Program(&'static str),
    /// A program of others that `.ci/third-party` unpacks, by its path below the root.
    ThirdParty(&'static str),
}

impl Need {
    /// Whether the test must end here; the reason is printed.
    ///
    /// With `QMAIL_TESTS_NO_SKIP=1` nothing is skipped: what is missing is a failure.
    pub fn is_missing(self, tree: &Tree) -> bool {
        let reason = match self {
            Self::Root if tree.is_single_user() => "needs root".to_owned(),
            Self::Tool(name) if !is_in_path(name) => format!("needs the program {name}"),
            Self::Program(name) if !tree.path("bin").join(name).exists() => {
                format!("the tree has no {name}")
            }
            Self::ThirdParty(path) if !Path::new(third_party::UNPACKED).join(path).exists() => {
                format!("needs /{path}, which .ci/third-party unpacks")
            }
            Self::Root | Self::Tool(_) | Self::Program(_) | Self::ThirdParty(_) => return false,
        };
        skip(&reason);
        true
    }
}

fn skip(reason: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let forbidden = env::var_os("QMAIL_TESTS_NO_SKIP").is_some_and(|value| value == "1");
    assert!(!forbidden, "{test}: {reason}");
    println!("skipped: {test}: {reason}");
}

fn is_in_path(name: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin"].map(|directory| Path::new(directory).to_owned()))
        .any(|directory| directory.join(name).is_file())
}
