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

use qmail_core::control::{ControlError, Controls, LOCALS, TLSCLIENTS};
use qmail_tls::TreeServer;
use qmail_wire::smtp_server::Reply;

use crate::replies::UNREADABLE_CONTROLS;
use crate::settings::Settings;
use arguments::Arguments;
use auth::Auth;
use policy::{Clash, Policy};
use requirements::Requirements;

pub use tls::{Tls, TlsFirst};

/// Why there is no session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable(Reply);

impl Unusable {
    /// What the client is told.
    pub fn reply(&self) -> Reply {
        self.0.clone()
    }
}

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

/// Adds to a session what the control files, the environment and the command line want of TLS and
/// AUTH. Without any of them that is nothing.
///
/// # Errors
/// If a control file cannot be read, or what is wanted contradicts itself.
pub fn equip(
    settings: &mut Settings,
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Option<TlsFirst>, Unusable> {
    let controls = settings.controls.clone();
    let arguments = Arguments::parse(arguments, &arguments::is_program);
    let variables = &settings.visit.variables;
    let policy = Policy::from_environment(&|name| variables.value(name), &arguments)?;
    let tls = find_tls(settings, &controls)?;
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

fn find_tls(settings: &Settings, controls: &Controls) -> Result<Option<Tls>, ControlError> {
    let variables = &settings.visit.variables;
    let Some(server) = TreeServer::find(controls, &|name| variables.value(name))? else {
        return Ok(None);
    };
    let listed = controls.set(&TLSCLIENTS)?;
    let server = if listed.is_some() { server.asking_clients(controls) } else { server };
    Ok(Some(Tls::new(server, listed.unwrap_or_default())))
}

fn add_auth(settings: &mut Settings, policy: Policy, arguments: Arguments) {
    if let Some(checker) = arguments.checker {
        let host = arguments.host.unwrap_or_else(|| settings.visit.client.local.clone());
        settings.extensions.push(Box::new(Auth::new(policy, checker, host)));
    }
}
