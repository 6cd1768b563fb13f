//! This host on the network.

use std::io;
use std::net::IpAddr;

use nix::net::if_::InterfaceFlags;

/// The addresses of every interface that is up, secondary ones included.
pub fn interface_addresses() -> io::Result<Vec<IpAddr>> {
    let up = nix::ifaddrs::getifaddrs()?
        .filter(|interface| interface.flags.contains(InterfaceFlags::IFF_UP));
    Ok(up
        .filter_map(|interface| {
            let address = interface.address?;
            let v4 = address.as_sockaddr_in().map(|v4| IpAddr::V4(v4.ip()));
            v4.or_else(|| address.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip())))
        })
        .collect())
}

/// The number of an interface, by its name.
pub fn interface_index(name: &str) -> io::Result<u32> {
    Ok(nix::net::if_::if_nametoindex(name)?)
}

/// The name that the kernel knows this host by: gethostname(2).
pub fn host_name() -> io::Result<Vec<u8>> {
    use std::os::unix::ffi::OsStringExt;
    Ok(nix::unistd::gethostname()?.into_vec())
}
