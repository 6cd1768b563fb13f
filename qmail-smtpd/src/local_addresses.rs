//! The addresses of this host.

use std::net::Ipv4Addr;

use qmail_core::control::Controls;
use qmail_core::own_addresses::OwnAddresses;
use qmail_wire::smtp_server::Reply;

use crate::replies::{UNKNOWN_ADDRESSES, UNREADABLE_CONTROLS};

/// Whether `address` is one of this host, or what to say if that cannot be found out. Looked up
/// anew each time: few clients ever write an address.
pub(crate) fn is_local(controls: &Controls, address: Ipv4Addr) -> Result<bool, Reply> {
    let interfaces = qmail_sys::interface_addresses().map_err(|_| UNKNOWN_ADDRESSES)?;
    let own = OwnAddresses::read(controls, interfaces).map_err(|_| UNREADABLE_CONTROLS)?;
    Ok(own.contains(address.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn loopback_is_local_and_documentation_is_not() {
        let home = tempfile::tempdir().unwrap();
        let controls = Controls::open(home.path()).unwrap();
        assert_eq!(is_local(&controls, Ipv4Addr::LOCALHOST), Ok(true));
        assert_eq!(is_local(&controls, Ipv4Addr::UNSPECIFIED), Ok(true));
        assert_eq!(is_local(&controls, Ipv4Addr::new(192, 0, 2, 77)), Ok(false));
    }

    #[test]
    fn an_unreadable_list_is_told() {
        let home = tempfile::tempdir().unwrap();
        let controls = Controls::open(home.path()).unwrap();
        fs::create_dir_all(home.path().join("control/notipme")).unwrap();
        assert_eq!(is_local(&controls, Ipv4Addr::LOCALHOST), Err(UNREADABLE_CONTROLS));
    }
}
