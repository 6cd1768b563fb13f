//! Control files and aliases. Those that are there are kept.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;

use qmail_core::accounts::{Group, Role};

use super::made::{Site, Was};
use super::{Failure, Wish};
use crate::domains::{default_domain, plus_domain};

/// Addresses that every host has to have.
const ADDRESSES: [&str; 4] = ["postmaster", "mailer-daemon", "root", "abuse"];

/// Whether this host may be called so.
pub(super) fn same_name(home: &Path, name: &[u8]) -> Result<(), Failure> {
    let path = home.join("control/me");
    let text = match fs::read(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        text => text.map_err(Failure::unable("read", &path))?,
    };
    let known = text.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii_end();
    if known.eq_ignore_ascii_case(name) {
        return Ok(());
    }
    Err(Failure::OtherName(String::from_utf8_lossy(known).into_owned()))
}

/// `rcpthosts` first: with a name and without it, an SMTP server would relay for everybody.
pub(super) fn write(site: &mut Site<impl Write>, wish: &Wish) -> Result<(), Failure> {
    let line = |text: &[u8]| [text, b"\n"].concat();
    let name = wish.name.as_slice();
    let hosts: Vec<u8> =
        std::iter::once(&wish.name).chain(&wish.domains).flat_map(|h| line(h)).collect();
    let files = [
        ("rcpthosts", hosts.clone()),
        ("locals", hosts),
        ("defaultdomain", line(default_domain(name))),
        ("plusdomain", line(plus_domain(name))),
        ("defaultdelivery", line(b"./Maildir/")),
        ("me", line(name)),
    ];
    for (file, contents) in files {
        let path = site.home.join("control").join(file);
        site.file(&path, &contents, 0o644)?;
    }
    Ok(())
}

/// Mail for postmaster and the like: to somebody, or kept until somebody looks.
pub(super) fn aliases(
    site: &mut Site<impl Write>,
    postmaster: Option<&[u8]>,
) -> Result<(), Failure> {
    let alias = site.home.join("alias");
    let instruction = match postmaster {
        Some(user) => [b"&", user, b"\n"].concat(),
        None => b"./Maildir/\n".to_vec(),
    };
    for address in ADDRESSES {
        site.file(&alias.join(format!(".qmail-{address}")), &instruction, 0o644)?;
    }
    if postmaster.is_none() {
        for part in ["", "cur", "new", "tmp"] {
            let path = if part.is_empty() {
                alias.join("Maildir")
            } else {
                alias.join("Maildir").join(part)
            };
            if site.directory(&path, 0o700)? == Was::Missing {
                site.give(&path, Role::Alias, Group::Qmail)?;
            }
        }
    }
    Ok(())
}
