//! Whether we are able to speak TLS.

use qmail_core::control::{ControlError, Controls};
use qmail_tls::{Ready, Server, TreeServer};
use qmail_wire::tlsrelay::Preparation;

use crate::Order;

/// Everything for a handshake, if it is all there, and what the session is told of it.
pub(crate) fn prepare(order: &Order<'_>) -> (Option<Server>, Preparation) {
    let unready = |note: String, reason: String| {
        (None, Preparation { notes: vec![note], outcome: Err(reason) })
    };
    let found = match find(order) {
        Ok(found) => found,
        Err(error) => return unready(error.to_string(), "unable to read controls".into()),
    };
    let Some(found) = found else {
        let note = "there is no control/servercert.pem".into();
        return unready(note, "no certificate found".into());
    };
    match found.ready(order.now) {
        Ok(Ready { server, unknown_ciphers }) => {
            let notes = unknown_ciphers.iter().map(|word| {
                format!("tlsserverciphers: no cipher is called {}", word.escape_default())
            });
            (Some(server), Preparation { notes: notes.collect(), outcome: Ok(()) })
        }
        Err(unusable) => unready(unusable.to_string(), unusable.reason()),
    }
}

fn find(order: &Order<'_>) -> Result<Option<TreeServer>, ControlError> {
    let controls = Controls::open(order.home)?;
    let found = TreeServer::find(&controls, order.variable)?;
    let asking = |server: TreeServer| server.asking_clients(&controls);
    Ok(if order.asks_clients { found.map(asking) } else { found })
}
