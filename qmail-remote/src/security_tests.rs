//! What the files in `control/` make of a host.

use super::*;
use crate::tests::{ME, tree};

fn security(home: &Path, host: &str, port: u16) -> Security {
    let settings = Settings::read(home).unwrap();
    TlsPlan::find(home, &settings, Some(host.as_bytes()), port).unwrap().security
}

fn touch(home: &Path, name: &str) {
    let path = home.join("control").join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::File::create(path).unwrap();
}

#[test]
fn files_decide_in_their_order() {
    let home = tree(&[ME]);
    let home = home.path();
    assert_eq!(security(home, "mx.example", 25), Security::IfItWorks);
    assert_eq!(security(home, "mx.example", 465), Security::Implicit);
    touch(home, "notlshosts/mx.example");
    assert_eq!(security(home, "MX.example", 25), Security::Never);
    assert_eq!(security(home, "mx.example", 465), Security::Implicit);
    touch(home, "tlshosts/mx.example.pem");
    assert_eq!(security(home, "Mx.example", 25), Security::Required);
    touch(home, "tlshosts/exhaustivelist");
    assert_eq!(security(home, "other.example", 25), Security::Never);
    assert_eq!(security(home, "mx.example", 25), Security::Required);
}

#[test]
fn a_failure_is_remembered_only_if_that_is_wanted() {
    for (number, fallback, file) in
        [("0", Security::IfOffered, false), ("1", Security::IfItWorks, true)]
    {
        let home = tree(&[ME, ("notlshosts_auto", number)]);
        std::fs::create_dir(home.path().join("control/notlshosts")).unwrap();
        let settings = Settings::read(home.path()).unwrap();
        let plan = TlsPlan::find(home.path(), &settings, Some(b"Mx.example"), 25).unwrap();
        assert_eq!(plan.security, fallback);
        plan.remember_failure();
        assert_eq!(home.path().join("control/notlshosts/mx.example").exists(), file);
    }
}

#[test]
fn a_host_may_have_a_name_that_no_file_can_have() {
    let home = tree(&[ME]);
    for length in [200, 251, 252, 253] {
        let name = "a".repeat(length);
        assert_eq!(security(home.path(), &name, 25), Security::IfItWorks, "{length}");
    }
}

#[test]
fn a_name_from_outside_leads_to_no_other_file() {
    for host in ["../me", "a/b", ".", "..", ".hidden", "a'b", "a\\032b", "a b", ""] {
        assert!(file_names(host.as_bytes()).is_empty(), "{host}");
    }
    assert_eq!(file_names(b"A.example"), ["a.example", "A.example"]);
    assert_eq!(file_names(b"a_b-1.example"), ["a_b-1.example"]);
}
