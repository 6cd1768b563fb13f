//! The environment of a program that serves a connection: tcp-environ(5).

use crate::ends::Ends;
use crate::facts::Facts;

/// Variables that are set, and those that are hidden. The last of one name counts.
pub(crate) type Changes = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// What is told about a connection, and after that what the rules set.
pub(crate) fn changes(
    ends: &Ends,
    facts: &Facts,
    interface: Option<Vec<u8>>,
    rules: Vec<(Vec<u8>, Vec<u8>)>,
) -> Changes {
    let text = |text: String| Some(text.into_bytes());
    let told = [
        ("LOCALIP", text(ends.local.ip().to_string())),
        ("LOCALPORT", text(ends.local.port().to_string())),
        ("LOCALHOST", facts.local_name.clone()),
        ("REMOTEIP", text(ends.remote.ip().to_string())),
        ("REMOTEPORT", text(ends.remote.port().to_string())),
        ("REMOTEHOST", facts.remote_name.clone()),
        ("REMOTEINFO", facts.remote_user.clone()),
    ];
    let newer = ends.remote.is_ipv6();
    let protocol = if newer { "TCP6" } else { "TCP" };
    let mut changes = vec![(b"PROTO".to_vec(), text(protocol.to_owned()))];
    let named = |prefix: &str, name: &str| format!("{prefix}{name}").into_bytes();
    if newer {
        changes.extend(told.iter().map(|(name, value)| (named("TCP6", name), value.clone())));
        changes.push((b"TCP6INTERFACE".to_vec(), interface));
    }
    changes.extend(told.into_iter().map(|(name, value)| (named("TCP", name), value)));
    changes.extend(rules.into_iter().map(|(name, value)| (name, Some(value))));
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(changes: Changes) -> Vec<String> {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let line = |(name, value): (Vec<u8>, Option<Vec<u8>>)| match value {
            Some(value) => format!("{}={}", text(name), text(value)),
            None => text(name),
        };
        changes.into_iter().map(line).collect()
    }

    #[test]
    fn what_is_not_known_is_hidden() {
        let ends = Ends {
            local: "192.0.2.1:25".parse().unwrap(),
            remote: "192.0.2.2:4567".parse().unwrap(),
        };
        let facts = Facts { local_name: Some(b"0".to_vec()), ..Facts::default() };
        let rules = vec![(b"RELAYCLIENT".to_vec(), Vec::new())];
        assert_eq!(
            shown(changes(&ends, &facts, None, rules)),
            [
                "PROTO=TCP",
                "TCPLOCALIP=192.0.2.1",
                "TCPLOCALPORT=25",
                "TCPLOCALHOST=0",
                "TCPREMOTEIP=192.0.2.2",
                "TCPREMOTEPORT=4567",
                "TCPREMOTEHOST",
                "TCPREMOTEINFO",
                "RELAYCLIENT=",
            ]
        );
    }

    #[test]
    fn the_newer_protocol_has_variables_of_its_own_as_well() {
        let address = "[fe80::1%3]:25".parse().unwrap();
        let ends = Ends { local: address, remote: address };
        let shown = shown(changes(&ends, &Facts::default(), Some(b"eth0".to_vec()), Vec::new()));
        let expected =
            ["PROTO=TCP6", "TCP6REMOTEIP=fe80::1", "TCP6INTERFACE=eth0", "TCPREMOTEIP=fe80::1"];
        for line in expected {
            assert!(shown.contains(&line.to_owned()), "{line}: {shown:?}");
        }
    }
}
