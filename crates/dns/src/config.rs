//! Which servers to ask, and how patiently: resolv.conf(5) and `$DNSCACHEIP`.

use std::fs::File;
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV6};
use std::time::Duration;

const FILE: &str = "/etc/resolv.conf";
const LARGEST_FILE: u64 = 65536;
const PORT: u16 = 53;
const MOST_SERVERS: usize = 3;
const LONGEST_TIMEOUT: u64 = 30;
const MOST_ATTEMPTS: u32 = 5;

/// Which servers a resolver asks, and how patiently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The servers, in the order in which they are asked.
    pub servers: Vec<SocketAddr>,
    /// How long each is waited for in the first round; twice as long in each later one.
    pub timeout: Duration,
    /// How often all servers are asked.
    pub attempts: u32,
    /// Whether each question begins with another server.
    pub rotate: bool,
}

impl Config {
    /// Asks these servers as resolv.conf(5) says where it says nothing else.
    pub fn new(servers: Vec<SocketAddr>) -> Self {
        Self { servers, timeout: Duration::from_secs(5), attempts: 2, rotate: false }
    }

    /// What `/etc/resolv.conf` says; the server in `$DNSCACHEIP`, an address or `address:port`,
    /// takes the place of its servers. A set-id program does not believe the variable.
    pub fn from_system() -> Self {
        let mut config = Self::parse(&read(FILE));
        let named = std::env::var("DNSCACHEIP").ok().filter(|_| !qmail_sys::secure_execution());
        if let Some(server) = named.as_deref().and_then(parse_server) {
            config.servers = vec![server];
        }
        config
    }

    /// Reads the text of a resolv.conf(5). What it does not understand it passes over, and without
    /// a server it names the one on this host.
    pub fn parse(text: &str) -> Self {
        let mut config = Self::new(Vec::new());
        for line in text.lines() {
            let mut words = line.split_ascii_whitespace();
            match words.next() {
                Some("nameserver") => config.servers.extend(words.next().and_then(parse_server)),
                Some("options") => words.for_each(|option| config.set(option)),
                _ => {}
            }
        }
        config.servers.truncate(MOST_SERVERS);
        if config.servers.is_empty() {
            config.servers.push(SocketAddr::from((Ipv4Addr::LOCALHOST, PORT)));
        }
        config
    }

    fn set(&mut self, option: &str) {
        match option.split_once(':') {
            None if option == "rotate" => self.rotate = true,
            Some(("timeout", seconds)) => {
                if let Ok(seconds) = seconds.parse::<u64>() {
                    self.timeout = Duration::from_secs(seconds.clamp(1, LONGEST_TIMEOUT));
                }
            }
            Some(("attempts", times)) => {
                if let Ok(times) = times.parse::<u32>() {
                    self.attempts = times.clamp(1, MOST_ATTEMPTS);
                }
            }
            _ => {}
        }
    }
}

/// An address, or an address and a port (for IPv6 in brackets).
fn parse_server(text: &str) -> Option<SocketAddr> {
    let plain = || text.parse::<IpAddr>().ok().map(|address| SocketAddr::new(address, PORT));
    let server = plain().or_else(|| text.parse().ok()).or_else(|| parse_neighbour(text));
    server.filter(|server| server.port() != 0)
}

/// An address that means something on one network only, and the interface that leads there: routers
/// call themselves so, `fe80::1%eth0`.
fn parse_neighbour(text: &str) -> Option<SocketAddr> {
    let (address, interface) = text.split_once('%')?;
    let number = interface.parse().ok().or_else(|| qmail_sys::interface_index(interface).ok())?;
    Some(SocketAddrV6::new(address.parse().ok()?, PORT, 0, number).into())
}

/// The beginning of a file; nothing if it cannot be read.
fn read(path: &str) -> String {
    let mut text = Vec::new();
    match File::open(path).and_then(|file| file.take(LARGEST_FILE).read_to_end(&mut text)) {
        Ok(_) => String::from_utf8_lossy(&text).into_owned(),
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(text: &str) -> Vec<String> {
        Config::parse(text).servers.iter().map(SocketAddr::to_string).collect()
    }

    #[test]
    fn servers_and_options_are_read() {
        let text = "# x\nsearch a b\nnameserver 192.0.2.1\nnameserver\t2001:db8::1 \n\
                    options ndots:2 timeout:3 attempts:4 rotate\n";
        let config = Config::parse(text);
        assert_eq!(servers(text), ["192.0.2.1:53", "[2001:db8::1]:53"]);
        assert_eq!((config.timeout, config.attempts), (Duration::from_secs(3), 4));
        assert!(config.rotate);
    }

    #[test]
    fn without_a_server_this_host_is_asked() {
        assert_eq!(servers(""), ["127.0.0.1:53"]);
        assert_eq!(servers("nameserver\nnameserver nonsense\n"), ["127.0.0.1:53"]);
    }

    #[test]
    fn a_file_cannot_make_us_wait_for_ever() {
        let config = Config::parse("options timeout:99999 attempts:99999\noptions timeout:x\n");
        assert_eq!((config.timeout, config.attempts), (Duration::from_secs(30), 5));
        assert_eq!(servers(&"nameserver 192.0.2.1\n".repeat(9)).len(), 3);
    }

    #[test]
    fn a_server_may_have_a_port() {
        let parsed = |text| parse_server(text).map(|server| server.to_string());
        assert_eq!(parsed("127.0.0.1:5353").unwrap(), "127.0.0.1:5353");
        assert_eq!(parsed("[::1]:5353").unwrap(), "[::1]:5353");
        assert_eq!(parsed("127.0.0.1:0"), None);
        assert_eq!(parsed("fe80::1%lo").unwrap(), "[fe80::1%1]:53");
        assert_eq!(parsed("fe80::1%7").unwrap(), "[fe80::1%7]:53");
        assert_eq!(parsed("fe80::1%no-such"), None);
        assert_eq!(parsed("192.0.2.1%lo"), None);
        assert_eq!(parsed("ns.example"), None);
    }
}
