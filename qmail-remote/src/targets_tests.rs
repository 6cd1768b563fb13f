//! The MX algorithm in a world made of tables.

use std::collections::HashSet;
use std::net::Ipv4Addr;

use qmail_dns::{Cause, Failure as NoAnswer};

use super::*;
use crate::tests::World;

const UNKNOWN: NoAnswer = NoAnswer::Temporary(Cause::TimedOut);

fn last_octets(targets: &[Target]) -> Vec<u8> {
    let octet = |target: &Target| match target.address {
        IpAddr::V4(address) => address.octets()[3],
        IpAddr::V6(_) => panic!("no IPv6 here"),
    };
    targets.iter().map(octet).collect()
}

fn domain(world: &World) -> Result<Vec<u8>, NoTarget> {
    of_domain(b"d.example", Families::Only4, world).map(|found| last_octets(&found.targets))
}

#[test]
fn exchangers_are_tried_by_preference_with_all_their_addresses() {
    let world = World::default()
        .exchangers("d.example", Ok(&[(20, "b"), (10, "a")]))
        .addresses("a", Ok(&[1, 2]))
        .addresses("b", Ok(&[3]));
    assert_eq!(domain(&world), Ok(vec![1, 2, 3]));
    let targets = of_domain(b"d.example", Families::Only4, &world).unwrap().targets;
    assert_eq!(targets.iter().map(|target| target.preference).collect::<Vec<_>>(), [10, 10, 20]);
}

#[test]
fn equals_come_first_equally_often() {
    let world = World::default()
        .exchangers("d.example", Ok(&[(10, "a"), (10, "b"), (10, "c"), (5, "first")]))
        .addresses("first", Ok(&[9]))
        .addresses("a", Ok(&[1]))
        .addresses("b", Ok(&[2]))
        .addresses("c", Ok(&[3]));
    let orders: HashSet<Vec<u8>> = (0..1000).map(|_| domain(&world).unwrap()).collect();
    assert_eq!(orders.len(), 6);
    assert!(orders.iter().all(|order| order[0] == 9));
}

#[test]
fn a_domain_without_exchangers_is_its_own() {
    for none in [NoAnswer::NoSuchRecord, NoAnswer::NoSuchName] {
        let world =
            World::default().exchangers("d.example", Err(none)).addresses("d.example", Ok(&[7]));
        assert_eq!(domain(&world), Ok(vec![7]));
    }
    assert_eq!(domain(&World::default()), Err(NoTarget::NoSuchHost));
}

#[test]
fn what_nobody_could_tell_is_later() {
    let world =
        World::default().exchangers("d.example", Err(UNKNOWN)).addresses("d.example", Ok(&[7]));
    assert_eq!(domain(&world), Err(NoTarget::Later));
    let world = World::default().addresses("d.example", Err(UNKNOWN));
    assert_eq!(domain(&world), Err(NoTarget::Later));
}

#[test]
fn exchangers_without_an_address_are_passed_over() {
    let list = [(10, "a"), (20, "b"), (30, "c")];
    let world = World::default()
        .exchangers("d.example", Ok(&list))
        .addresses("b", Err(UNKNOWN))
        .addresses("c", Ok(&[3]));
    assert_eq!(domain(&world), Ok(vec![3]));
    let world = World::default().exchangers("d.example", Ok(&list)).addresses("b", Err(UNKNOWN));
    assert_eq!(domain(&world), Err(NoTarget::Later));
    let world = World::default().exchangers("d.example", Ok(&list));
    assert_eq!(domain(&world), Err(NoTarget::NoExchanger));
}

#[test]
fn a_null_exchanger_takes_no_mail() {
    let world =
        World::default().exchangers("d.example", Ok(&[(0, "")])).addresses("d.example", Ok(&[7]));
    assert_eq!(domain(&world), Err(NoTarget::NoExchanger));
}

#[test]
fn addresses_need_no_questions() {
    let world = World::default().exchangers("d.example", Ok(&[(10, "192.0.2.8")]));
    assert_eq!(domain(&world), Ok(vec![8]));
    for host in ["192.0.2.5", "[192.0.2.5]"] {
        let found = of_domain(host.as_bytes(), Families::Only4, &world).unwrap();
        assert_eq!(last_octets(&found.targets), [5]);
    }
}

#[test]
fn impossible_names_do_not_exist() {
    let long = "a".repeat(64);
    for host in ["", ".", "a..b", &long] {
        let found = of_domain(host.as_bytes(), Families::Only4, &World::default());
        assert_eq!(found, Err(NoTarget::NoSuchHost), "{host:?}");
    }
}

#[test]
fn a_flood_of_exchangers_and_addresses_is_cut_short() {
    let list: Vec<(u16, &str)> = (0..4000).map(|preference| (preference, "a")).collect();
    let world = World::default().exchangers("d.example", Ok(&list)).addresses("a", Ok(&[1; 3]));
    let count = domain(&world).unwrap().len();
    assert!((MOST..MOST + 3).contains(&count), "{count}");
}

#[test]
fn only_targets_closer_than_ourselves_are_used() {
    let home = crate::tests::tree(&[]);
    let controls = qmail_core::control::Controls::open(home.path()).unwrap();
    let target = |octet, preference| Target {
        address: Ipv4Addr::new(192, 0, 2, octet).into(),
        preference,
        host: None,
    };
    let targets = vec![target(1, 10), target(2, 20), target(3, 20), target(4, 30)];
    let closer = |own: u8, doubt| {
        let own = OwnAddresses::read(&controls, [IpAddr::from([192, 0, 2, own])]).unwrap();
        let found = Found { targets: targets.clone(), doubt };
        closer_than_us(found, &own).map(|targets| last_octets(&targets))
    };
    assert_eq!(closer(9, None), Ok(vec![1, 2, 3, 4]));
    assert_eq!(closer(3, Some(5)), Ok(vec![1]));
    assert_eq!(closer(1, None), Err(report::Failure::BestPreference));
    assert_eq!(closer(1, Some(10)), Err(report::Failure::BestPreference));
    assert_eq!(closer(1, Some(9)), Err(report::Failure::NameLater));
}

#[test]
fn the_best_exchanger_without_an_answer_is_kept_in_mind() {
    let world = World::default()
        .exchangers("d.example", Ok(&[(10, "a"), (20, "b"), (30, "c")]))
        .addresses("a", Err(UNKNOWN))
        .addresses("b", Err(UNKNOWN))
        .addresses("c", Ok(&[3]));
    let found = of_domain(b"d.example", Families::Only4, &world).unwrap();
    assert_eq!((last_octets(&found.targets), found.doubt), (vec![3], Some(10)));
}

fn all(families: Families, world: &World) -> Vec<String> {
    let found = of_domain(b"d.example", families, world);
    let targets = found.map(|found| found.targets).unwrap_or_default();
    targets.iter().map(|target| target.address.to_string()).collect()
}

#[test]
fn both_kinds_of_addresses_alternate() {
    let world = World::default()
        .exchangers("d.example", Ok(&[(10, "a")]))
        .addresses("a", Ok(&[1, 2]))
        .addresses6("a", Ok(&[1]));
    let (one, two, six) = ("192.0.2.1", "192.0.2.2", "2001:db8::1");
    assert_eq!(all(Families::Prefer6, &world), [six, one, two]);
    assert_eq!(all(Families::Prefer4, &world), [one, six, two]);
    assert_eq!(all(Families::Only6, &world), [six]);
    assert_eq!(all(Families::Only4, &world), [one, two]);
    assert_eq!(all(Families::Spare6, &world), [one, two]);
}

#[test]
fn ipv6_is_spared_for_those_who_have_nothing_else() {
    let six = World::default().exchangers("d.example", Ok(&[(10, "a")])).addresses6("a", Ok(&[1]));
    assert_eq!(all(Families::Spare6, &six), ["2001:db8::1"]);
    assert_eq!(all(Families::Prefer4, &six), ["2001:db8::1"]);
    assert!(all(Families::Only4, &six).is_empty());
    let doubtful = six.addresses("a", Err(UNKNOWN));
    assert!(all(Families::Spare6, &doubtful).is_empty());
    assert_eq!(all(Families::Prefer4, &doubtful), ["2001:db8::1"]);
}

#[test]
fn without_a_way_out_by_ipv6_there_is_none() {
    let families = |own: &[&str]| {
        let own: Vec<IpAddr> = own.iter().map(|text| text.parse().unwrap()).collect();
        Families::on_host_with(&own)
    };
    assert_eq!(families(&["127.0.0.1", "::1", "fe80::1"]), Families::Only4);
    assert_eq!(families(&["192.0.2.1", "fe80::1"]), Families::Only4);
    assert_eq!(families(&["192.0.2.1", "2001:db8::1"]), Families::Spare6);
    assert_eq!(families(&["127.0.0.1", "2001:db8::1"]), Families::Prefer6);
}

#[test]
fn a_target_knows_the_name_that_led_to_it() {
    let world = World::default()
        .exchangers("d.example", Ok(&[(10, "MX.example"), (20, "192.0.2.9")]))
        .addresses("MX.example", Ok(&[1]));
    let targets = of_domain(b"d.example", Families::Only4, &world).unwrap().targets;
    assert_eq!(targets[0].host.as_deref(), Some(b"MX.example".as_slice()));
    assert_eq!(targets[1].host, None);
}
