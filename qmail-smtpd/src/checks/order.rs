//! Which checks there are, and in which order they are asked: docs/smtpd.md.

use qmail_core::cdb::Cdb;
use qmail_core::control::{self, Control, ControlError};
use qmail_core::long_list::{Index, LongList};
use qmail_core::rcpthosts::Rcpthosts;

use super::blackholed::BlackHoledSenders;
use super::chkuser::ChkUser;
use super::dnsbl::{BlockLists, Entry};
use super::helocheck::HeloCheck;
use super::limits::{RecipientLimit, RefusalLimit};
use super::localmfcheck::SendersOfRelayClients;
use super::mfcheck::SenderDomain;
use super::null_sender::{NoNullSenders, OneRecipientOfBounces};
use super::plugins::{Plugins, Sections};
use super::rcptcheck::RecipientProgram;
use super::rcpthosts::{KnownDomains, OwnDomainsOnly};
use super::recipients::RecipientSources;
use super::relay_probe::RelayProbes;
use super::relaymailfrom::RelayingSenders;
use super::tarpit::Tarpit;
use super::validrcptto::KnownRecipients;
use super::{Check, Source, lists};
use crate::dns::SystemDns;

type Checks = Vec<Box<dyn Check>>;

/// All checks that the settings ask for.
///
/// # Errors
/// If a control file is there but cannot be read.
pub fn in_order(source: &Source<'_>) -> Result<Checks, ControlError> {
    let mut checks = Checks::new();
    first(source, &mut checks)?;
    checks.extend(lists::of_senders(source)?);
    let path = source.controls.path(&control::BLACKHOLEDSENDER);
    checks.push(Box::new(BlackHoledSenders::new(path)));
    helo(source, &mut checks)?;
    add(&mut checks, sender_domain(source)?);
    add(&mut checks, SendersOfRelayClients::load(source)?);
    checks.push(Box::new(KnownDomains(Rcpthosts::load(source.controls)?)));
    add(&mut checks, plugins(source)?);
    checks.push(Box::new(OwnDomainsOnly));
    checks.extend(lists::of_recipients(source)?);
    recipients(source, &mut checks)?;
    add(&mut checks, block_lists(source)?);
    limits(source, &mut checks)?;
    Ok(checks)
}

fn first(source: &Source<'_>, checks: &mut Checks) -> Result<(), ControlError> {
    if source.number(&control::REJECTNULLSENDERS, &["REJECTNULLSENDERS"])? > 0 {
        checks.push(Box::new(NoNullSenders));
    }
    if source.has("RELAYMAILFROM") {
        let list = source.list(&control::RELAYMAILFROM, Index::Used)?;
        add(checks, list.map(RelayingSenders));
    }
    if source.number(&control::BOUNCEONERCPT, &["BOUNCEONERCPT", "NULLSENDERMULTRCPTS"])? > 0 {
        checks.push(Box::new(OneRecipientOfBounces));
    }
    let limit = source.number(&control::MAXRCPT, &["MAXRCPT", "MAXRECIPIENTS"])?;
    if limit > 0 && !source.has("DISABLE_MAXRCPT") {
        checks.push(Box::new(RecipientLimit(limit)));
    }
    if source.number(&control::REJECTRELAYTEST, &["RELAYREJ"])? > 0 {
        checks.push(Box::new(RelayProbes));
    }
    Ok(())
}

fn helo(source: &Source<'_>, checks: &mut Checks) -> Result<(), ControlError> {
    if let Some(value) = source.variables.value("HELOCHECK") {
        let badhelo = source.controls.list(&control::BADHELO)?.unwrap_or_default();
        add(checks, HeloCheck::new(&value, &badhelo, Box::new(SystemDns)));
    }
    Ok(())
}

fn sender_domain(source: &Source<'_>) -> Result<Option<SenderDomain>, ControlError> {
    let level = source.number(&control::MFCHECK, &["MFCHECK"])?;
    let level = if level == 0 && source.has("MFDNSCHECK") { 1 } else { level };
    Ok(SenderDomain::new(level, Box::new(SystemDns)))
}

/// A file that a variable names must be there.
fn plugins(source: &Source<'_>) -> Result<Option<Plugins>, ControlError> {
    if source.has("NOSPP") {
        return Ok(None);
    }
    let lines = match source.variables.value("SPPCONFFILE").filter(|path| !path.is_empty()) {
        None => source.controls.list(&control::SMTPPLUGINS)?,
        Some(path) => Some(source.named_list(&path)?),
    };
    let Some(lines) = lines else { return Ok(None) };
    let sections = Sections::parse(&lines);
    Ok(Some(Plugins::new(sections, source.home.to_owned(), source.patience()?)))
}

fn recipients(source: &Source<'_>, checks: &mut Checks) -> Result<(), ControlError> {
    if !source.has("ACCEPTCLIENT") {
        let lists = [
            source.list(&control::GOODRCPTTO, Index::Used)?,
            source.list(&control::MOREGOODRCPTTO, Index::Used)?,
        ];
        add(checks, some(lists).map(KnownRecipients::Good));
    }
    let lists = [
        valid(source, &control::VALIDRCPTTO, "VALIDRCPTTO")?,
        source.list(&control::MOREVALIDRCPTTO, Index::Used)?,
    ];
    add(checks, some(lists).map(KnownRecipients::Valid));
    if let Some(path) = source.variables.value("VALIDRCPTTO_CDB").filter(|path| !path.is_empty()) {
        let log = source.variable_number(&["VALIDRCPTTO_LOG"]).unwrap_or(0);
        let path = source.path(&path);
        let cdb = Cdb::open(&path).map_err(|error| ControlError { path, error })?;
        checks.push(Box::new(KnownRecipients::Database { cdb, log }));
    }
    let time = source.patience()?;
    if let Some(lines) = source.controls.list(&control::RECIPIENTS)? {
        let is_lenient = source.has("RECIPIENTS450");
        let home = source.home.to_owned();
        checks.push(Box::new(RecipientSources::new(&lines, home, time, is_lenient)));
    }
    add(checks, ChkUser::load(source, time));
    let named = ["RCPTCHECK", "CHECKENV"].iter().find_map(|name| source.variables.value(name));
    if let Some(program) = named.filter(|program| !program.is_empty()) {
        checks.push(Box::new(RecipientProgram {
            program,
            home: source.home.to_owned(),
            time,
            judges_relay_clients: source.is_on("RCPTCHECKRELAYCLIENT"),
        }));
    }
    Ok(())
}

/// A list that a variable may name.
fn valid(
    source: &Source<'_>,
    control: &Control,
    name: &str,
) -> Result<Option<LongList>, ControlError> {
    match source.variables.value(name).filter(|path| !path.is_empty()) {
        None => source.list(control, Index::Used),
        Some(path) => {
            let path = source.path(&path);
            LongList::open(&path, Index::Used).map_err(|error| ControlError { path, error })
        }
    }
}

fn some(lists: [Option<LongList>; 2]) -> Option<Vec<LongList>> {
    let lists: Vec<LongList> = lists.into_iter().flatten().collect();
    (!lists.is_empty()).then_some(lists)
}

fn block_lists(source: &Source<'_>) -> Result<Option<BlockLists>, ControlError> {
    let named = source.variables.value("DNSBLLIST").filter(|path| !path.is_empty());
    let lines = match named {
        None => source.controls.list(&control::DNSBLLIST)?,
        Some(path) => Some(source.named_list(&path)?),
    };
    let fails_closed = source.number(&control::DNSBLFAILCLOSED, &[])? > 0;
    let Some(lines) = lines.filter(|_| !source.has("DNSBLSKIP")) else { return Ok(None) };
    Ok(Some(BlockLists {
        entries: lines.iter().filter_map(|line| Entry::parse(line)).collect(),
        dns: Box::new(SystemDns),
        fails_closed: fails_closed || source.has("DNSBLFAILCLOSED"),
        decided: source.variables.value("RBLSMTPD"),
        verdict: None,
    }))
}

fn limits(source: &Source<'_>, checks: &mut Checks) -> Result<(), ControlError> {
    let limit = source.number(&control::BRTLIMIT, &["BRTLIMIT"])?;
    if limit > 0 {
        checks.push(Box::new(RefusalLimit(limit)));
    }
    let count = source.number(&control::TARPITCOUNT, &["TARPITCOUNT"])?;
    let delay = source.number(&control::TARPITDELAY, &["TARPITDELAY"])?;
    add(checks, Tarpit::new(count, delay));
    Ok(())
}

fn add(checks: &mut Checks, check: Option<impl Check + 'static>) {
    if let Some(check) = check {
        checks.push(Box::new(check));
    }
}
