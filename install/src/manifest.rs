//! A list of what a package has, in the form of mtree(5): who may not give files away writes down
//! whose they are to be.

use qmail_core::accounts::{Group, Role};

/// The list, as it grows.
#[derive(Debug)]
pub(crate) struct Manifest(String);

/// Whose something is to be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Owner {
    /// An account of qmail's, and its group.
    Qmail(Role),
    /// The system.
    Root,
}

impl Manifest {
    pub(crate) fn new() -> Self {
        Self("#mtree\n".to_owned())
    }

    /// A directory or file, by its path from the root.
    pub(crate) fn add(&mut self, path: &str, kind: &str, owner: Owner, mode: u32) {
        let (user, group) = match owner {
            Owner::Qmail(role) => (role.name(), Group::Qmail.name()),
            Owner::Root => ("root", "root"),
        };
        self.line(path, &format!("type={kind} uname={user} gname={group} mode={mode:04o}"));
    }

    /// A symbolic link.
    pub(crate) fn add_link(&mut self, path: &str, target: &str) {
        let target = escaped(target);
        self.line(path, &format!("type=link uname=root gname=root mode=0777 link={target}"));
    }

    fn line(&mut self, path: &str, words: &str) {
        let path = escaped(path.trim_start_matches('/'));
        self.0.push_str(&format!("./{path} {words}\n"));
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

/// A name with blanks would end early.
fn escaped(path: &str) -> String {
    let escape = |byte: u8| match byte {
        b' ' | b'\t' | b'\n' | b'\\' | b'#' => format!("\\{byte:03o}"),
        _ => char::from(byte).to_string(),
    };
    path.bytes().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_named_and_names_with_blanks_stay_whole() {
        let mut manifest = Manifest::new();
        manifest.add("/a b", "file", Owner::Qmail(Role::Queue), 0o4711);
        manifest.add_link("usr/sbin/sendmail", "/var/qmail/bin/sendmail");
        assert_eq!(
            manifest.text(),
            "#mtree\n./a\\040b type=file uname=qmailq gname=qmail mode=4711\n\
             ./usr/sbin/sendmail type=link uname=root gname=root mode=0777 \
             link=/var/qmail/bin/sendmail\n"
        );
    }
}
