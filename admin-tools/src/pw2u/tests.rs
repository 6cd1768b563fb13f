//! Whole lists, as qmail-pw2u prints them.

use super::*;

use std::fs::{File, create_dir};

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\n\
    alias:x:7:8::/var/qmail/alias:/bin/true\n\
    joe:x:1000:100:Joe:/home/joe:/bin/sh\n\
    Ann:x:1001:100:Ann:/home/ann:/bin/sh\n\
    gone:x:1002:100:Gone:/home/gone:/bin/sh\n\
    other:x:1003:100:Other:/home/joe:/bin/sh";

fn owner(home: &[u8]) -> io::Result<u32> {
    match home {
        b"/var/qmail/alias" => Ok(7),
        b"/home/joe" => Ok(1000),
        b"/home/ann" => Ok(1001),
        b"/home/locked" => Err(io::ErrorKind::PermissionDenied.into()),
        _ => Err(io::ErrorKind::NotFound.into()),
    }
}

fn rules(options: &[&str], files: &[(&str, &str)]) -> Rules {
    let words = std::iter::once("qmail-pw2u").chain(options.iter().copied()).map(Into::into);
    let mut rules = Rules::parse(words).unwrap();
    let home = tempfile::tempdir().unwrap();
    let users = home.path().join("users");
    create_dir(&users).unwrap();
    for (name, text) in files {
        File::create(users.join(name)).unwrap().write_all(text.as_bytes()).unwrap();
    }
    rules.lists = Lists::read(&users).unwrap();
    rules
}

fn assign(rules: &Rules, passwd: &str) -> Result<String, Failure> {
    let mut output = Vec::new();
    let mut writer = Writer::new(rules, &mut output);
    writer.accounts(passwd.as_bytes(), owner)?;
    writer.finish()?;
    Ok(String::from_utf8(output).unwrap())
}

const ALIAS: &str = "+:alias:7:8:/var/qmail/alias:-::\n\
    =alias:alias:7:8:/var/qmail/alias:::\n\
    +alias-:alias:7:8:/var/qmail/alias:-::\n";
const JOE: &str = "=joe:joe:1000:100:/home/joe:::\n+joe-:joe:1000:100:/home/joe:-::\n";

#[test]
fn accounts_that_own_their_homes_have_addresses() {
    assert_eq!(assign(&rules(&[], &[]), PASSWD).unwrap(), format!("{ALIAS}{JOE}.\n"));
}

#[test]
fn homes_and_capitals_may_be_let_pass() {
    let all = assign(&rules(&["-Hu"], &[]), PASSWD).unwrap();
    for name in ["alias", "joe", "Ann", "gone", "other"] {
        assert!(all.contains(&format!("={name}:{name}:")), "{name}");
    }
    assert!(!all.contains("root"));
    let missing = assign(&rules(&["-h"], &[]), PASSWD);
    assert_eq!(missing, Err(Failure::Home(b"/home/gone".to_vec())));
    let locked = assign(&rules(&[], &[]), "x:x:5:5::/home/locked:\n");
    assert_eq!(locked, Err(Failure::Home(b"/home/locked".to_vec())));
}

#[test]
fn extensions_look_as_the_options_say() {
    let list = assign(&rules(&["-c", "+", "-/"], &[]), PASSWD).unwrap();
    assert!(list.contains("+joe+:joe:1000:100:/home/joe:-/::\n"));
    assert!(list.starts_with("+:alias:7:8:/var/qmail/alias:-/::\n"));
    let list = assign(&rules(&["-C"], &[]), PASSWD).unwrap();
    assert!(!list.contains("+joe") && list.contains("=joe:"));
    let words = ["qmail-pw2u", "-x"].map(Into::into);
    assert_eq!(Rules::parse(words).unwrap_err().to_string(), "qmail-pw2u: illegal option -- x");
}

#[test]
fn lists_of_the_administrator_decide() {
    let list = assign(&rules(&[], &[("include", "ALIAS\n")]), PASSWD).unwrap();
    assert_eq!(list, format!("{ALIAS}.\n"));
    let list = assign(&rules(&[], &[("exclude", "# x\nJoe\n")]), PASSWD).unwrap();
    assert_eq!(list, format!("{ALIAS}.\n"));
    let names = rules(&[], &[("mailnames", "joe:joseph::j.x\n")]);
    let list = assign(&names, PASSWD).unwrap();
    assert!(!list.contains("=joe:"));
    for name in ["=joseph", "+joseph-", "=j.x", "+j.x-"] {
        assert!(list.contains(&format!("{name}:joe:1000:100:/home/joe:")), "{name}");
    }
}

#[test]
fn without_alias_there_is_no_list() {
    let failure = assign(&rules(&[], &[("exclude", "alias\n")]), PASSWD).unwrap_err();
    assert_eq!(failure.to_string(), "unable to find alias user");
}

#[test]
fn subusers_and_further_lines_follow_the_accounts() {
    let rules = rules(&[], &[]);
    let mut output = Vec::new();
    let mut writer = Writer::new(&rules, &mut output);
    writer.accounts(PASSWD.as_bytes(), owner).unwrap();
    writer.subusers(b"info:JOE:x:\n# comment\nno:joe:colon\n".as_slice()).unwrap();
    writer.append(b"=last:a:1:2:/:::".as_slice()).unwrap();
    writer.finish().unwrap();
    let expected = format!(
        "{ALIAS}{JOE}=info:joe:1000:100:/home/joe:-:x:\n\
         +info-:joe:1000:100:/home/joe:-:x-:\n=last:a:1:2:/:::\n.\n"
    );
    assert_eq!(String::from_utf8(output).unwrap(), expected);
}

#[test]
fn a_subuser_of_nobody_is_an_error() {
    let rules = rules(&[], &[]);
    let mut writer = Writer::new(&rules, Vec::new());
    writer.accounts(PASSWD.as_bytes(), owner).unwrap();
    let failure = writer.subusers(b"info:gone:x:\n".as_slice()).unwrap_err();
    assert_eq!(failure.to_string(), "unable to find gone user for subuser");
}
