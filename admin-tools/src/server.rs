//! A working server from a host name, and the way back: what qmail-setup does.

mod controls;
mod failure;
mod journal;
mod made;
mod mailbox;
mod request;
mod supervisor;
mod tools;
mod undo;

pub use failure::Failure;
pub use request::{Request, Wish};

use std::io::Write;
use std::path::Path;

use qmail_core::accounts::Accounts;

use made::Site;
use supervisor::Supervisor;
use tools::Tools;

/// Does what `request` says with the tree at `home`; what is done is told on `output`.
///
/// # Errors
/// At the first thing that cannot be done. What was done before is in the journal, and can be
/// undone, or finished by the same command.
pub fn run(request: &Request, home: &Path, output: impl Write) -> Result<(), Failure> {
    match request {
        Request::Undo => undo::undo(home, output),
        Request::SetUp(wish) => set_up(wish, home, output),
    }
}

fn set_up(wish: &Wish, home: &Path, output: impl Write) -> Result<(), Failure> {
    let supervisor = match &wish.supervisor {
        Some((kind, directory)) => Supervisor::named(*kind, directory.clone())?,
        None => Supervisor::of_this_host(),
    };
    // Nothing is changed before all that is needed is found.
    let tools = Tools::find(home, &supervisor)?;
    controls::same_name(home, &wish.name)?;
    let accounts = Accounts::load(home).map_err(Failure::Accounts)?;
    let mut site = Site::open(home, accounts, output)?;
    controls::write(&mut site, wish)?;
    controls::aliases(&mut site, wish.postmaster.as_deref())?;
    if let Some(user) = &wish.postmaster {
        mailbox::make(&mut site, user)?;
    }
    tools.certificate(&mut site, &wish.name)?;
    tools.protect(&mut site)?;
    tools.rules(&mut site)?;
    tools.links(&mut site)?;
    supervisor.start(&mut site)?;
    let shown = String::from_utf8_lossy(&wish.name).into_owned();
    site.say(&format!("{shown} takes mail for the hosts in control/rcpthosts, and no others."));
    site.say("Users send by ports 465 and 587 and read by port 995, with TLS and their passwords.");
    let maildirmake = home.join("bin/maildirmake");
    let maildirmake = maildirmake.display();
    site.say(&format!("A user runs `{maildirmake} ~/Maildir` once, and then has a mailbox."));
    site.say("The certificate is of our own making: put a better one into control/servercert.pem.");
    site.say("`qmail-setup -u` undoes all this.");
    Ok(())
}
