//! Who the client is, and that nobody else listens: STARTTLS, SMTPS, AUTH, and what needs them.

mod arguments;
mod auth;
mod checker;
mod log;
mod policy;
mod replies;
mod requirements;
mod tls;

use std::ffi::OsString;
use std::path::Path;

use qmail_core::control::{ControlError, Controls, LOCALS, SERVERCERT_PEM, TLSCLIENTS};
use qmail_core::tlsrelay::TlsRelay;
use qmail_wire::smtp_server::Reply;

use crate::channel::Connection;
use crate::replies::UNREADABLE_CONTROLS;
use crate::server::{self, Ended, World, refuse};
use crate::settings::Settings;
use arguments::Arguments;
use auth::Auth;
use policy::{Clash, Policy};
use requirements::Requirements;

use tls::{Tls, TlsFirst};

/// Why there is no session.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Unusable(Reply);

impl From<ControlError> for Unusable {
    fn from(_: ControlError) -> Self {
        Self(UNREADABLE_CONTROLS)
    }
}

impl From<Clash> for Unusable {
    fn from(clash: Clash) -> Self {
        Self(clash.reply())
    }
}

/// Serves a client with TLS and AUTH, where they are wanted, until the connection ends.
pub fn serve(
    mut connection: Connection,
    mut settings: Settings,
    arguments: impl IntoIterator<Item = OsString>,
    world: &World<'_>,
) -> Ended {
    let first = match equip(&mut settings, world.home, arguments) {
        Ok(first) => first,
        Err(Unusable(reply)) => {
            // What the client is told, whom it does not help.
            (world.log)(&[b"qmail-smtpd: ", reply.to_wire().trim_ascii_end()].concat());
            return refuse(&mut connection, &reply);
        }
    };
    if let Some(mut tls) = first {
        let ready = tls.prepare(&mut settings.visit, connection.descriptors());
        settings.visit.take_notes().iter().for_each(|line| (world.log)(line));
        if let Err(reply) = ready {
            return refuse(&mut connection, &reply);
        }
        let begun = tls.begin(&mut connection, &mut settings);
        settings.visit.take_notes().iter().for_each(|line| (world.log)(line));
        if begun.is_err() {
            return Ended::Otherwise;
        }
    }
    server::serve(connection, settings, world)
}

/// Adds to a session what the control files, the environment and the command line want of TLS and
/// AUTH. Without any of them that is nothing. `home` is where the program that does TLS is.
///
/// # Errors
/// If a control file cannot be read, or what is wanted contradicts itself.
fn equip(
    settings: &mut Settings,
    home: &Path,
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Option<TlsFirst>, Unusable> {
    let controls = settings.controls.clone();
    let arguments = Arguments::parse(arguments, &arguments::is_program);
    let variables = &settings.visit.variables;
    let policy = Policy::from_environment(&|name| variables.value(name), &arguments)?;
    let tls = find_tls(settings, &controls, home)?;
    let needs_checks = policy.requires_anything();
    if needs_checks {
        let locals = controls.set(&LOCALS)?.unwrap_or_default();
        settings.checks.insert(0, Box::new(Requirements::new(policy.clone(), locals)));
    }
    if policy.tls_first {
        let tls = tls.ok_or(Unusable(replies::NO_CERTIFICATE))?;
        add_auth(settings, policy, arguments);
        return Ok(Some(TlsFirst::new(tls)));
    }
    if let Some(tls) = tls.filter(|_| policy.offers_tls) {
        settings.extensions.push(Box::new(tls));
    }
    add_auth(settings, policy, arguments);
    Ok(None)
}

/// If there is a certificate. Whether it can be used is seen when a client asks for TLS.
fn find_tls(
    settings: &Settings,
    controls: &Controls,
    home: &Path,
) -> Result<Option<Tls>, ControlError> {
    if !controls.has(&SERVERCERT_PEM) {
        return Ok(None);
    }
    let relay = TlsRelay::new(home).with_patience(settings.patience);
    let listed = controls.set(&TLSCLIENTS)?;
    let relay = if listed.is_some() { relay.asking_clients() } else { relay };
    Ok(Some(Tls::new(relay, listed)))
}

fn add_auth(settings: &mut Settings, policy: Policy, arguments: Arguments) {
    if let Some(checker) = arguments.checker {
        let host = arguments.host.unwrap_or_else(|| settings.visit.client.peer.local.clone());
        settings.extensions.push(Box::new(Auth::new(policy, checker, host)));
    }
}

#[cfg(test)]
mod tests;
