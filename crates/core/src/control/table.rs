//! Every setting: one row each, for the loader, qmail-showctl and the manual alike.

use super::{Control, Default, Shape};

macro_rules! controls {
    ($($constant:ident $file:literal $shape:ident $default:expr, [$($reader:literal)*], $about:literal;)*) => {
        $(
            #[doc = concat!("`control/", $file, "`: ", $about, ".")]
            pub const $constant: Control = Control {
                file: $file,
                shape: Shape::$shape,
                default: $default,
                readers: &[$($reader),*],
                about: $about,
            };
        )*
        /// All of them, by name.
        pub const ALL: &[Control] = &[$($constant),*];
    };
}

controls! {
    BADMAILFROM "badmailfrom" List Default::Nothing, ["qmail-smtpd"], "senders whose recipients are refused";
    BOUNCEFROM "bouncefrom" Line Default::Text("MAILER-DAEMON"), ["qmail-send"], "user name of bounces";
    BOUNCEHOST "bouncehost" Line Default::MeOr("bouncehost"), ["qmail-send"], "host name of bounces";
    CONCURRENCYLOCAL "concurrencylocal" Number Default::Number(10), ["qmail-send"], "local deliveries at once";
    CONCURRENCYREMOTE "concurrencyremote" Number Default::Number(20), ["qmail-send"], "remote deliveries at once";
    DATABYTES "databytes" Number Default::Number(0), ["qmail-smtpd" "qmail-qmtpd"], "bytes of the largest message; 0 is no limit";
    DEFAULTDOMAIN "defaultdomain" Line Default::MeOr("defaultdomain"), ["qmail-inject"], "added to host names without a dot";
    DEFAULTHOST "defaulthost" Line Default::MeOr("defaulthost"), ["qmail-inject"], "added to addresses without a host";
    DOUBLEBOUNCEHOST "doublebouncehost" Line Default::MeOr("doublebouncehost"), ["qmail-send"], "host that gets double bounces";
    DOUBLEBOUNCETO "doublebounceto" Line Default::Text("postmaster"), ["qmail-send"], "user who gets double bounces";
    ENVNOATHOST "envnoathost" Line Default::MeOr("envnoathost"), ["qmail-todo"], "added to recipients without a host";
    HELOHOST "helohost" Line Default::Me, ["qmail-remote"], "name of this host in the SMTP client";
    IDHOST "idhost" Line Default::MeOr("idhost"), ["qmail-inject"], "host name in message ids";
    LOCALIPHOST "localiphost" Line Default::Me, ["qmail-smtpd"], "stands for [d.d.d.d] with an address of this host";
    LOCALS "locals" List Default::Me, ["qmail-send" "qmail-todo"], "domains delivered here";
    ME "me" Line Default::Nothing, ["qmail-smtpd" "qmail-qmtpd" "qmail-inject" "qmail-send" "qmail-todo" "qmail-remote" "qmail-qmqpc"], "name of this host: default of many others";
    MORERCPTHOSTS "morercpthosts" List Default::Nothing, ["qmail-newmrh"], "further rcpthosts, source of morercpthosts.cdb";
    MORERCPTHOSTS_CDB "morercpthosts.cdb" Cdb Default::Nothing, ["qmail-smtpd" "qmail-qmtpd"], "further rcpthosts";
    PERCENTHACK "percenthack" List Default::Nothing, ["qmail-todo"], "domains for which user%host@domain means user@host";
    PLUSDOMAIN "plusdomain" Line Default::MeOr("plusdomain"), ["qmail-inject"], "added to host names that end in +";
    QMQPSERVERS "qmqpservers" List Default::Nothing, ["qmail-qmqpc"], "addresses of QMQP servers";
    QUEUELIFETIME "queuelifetime" Number Default::Number(604_800), ["qmail-send"], "seconds that a message is tried for";
    RCPTHOSTS "rcpthosts" List Default::Nothing, ["qmail-smtpd" "qmail-qmtpd"], "domains whose mail is taken from the network; without it, all";
    SMTPGREETING "smtpgreeting" Line Default::Me, ["qmail-smtpd"], "what the SMTP server calls itself";
    SMTPROUTES "smtproutes" Map Default::Nothing, ["qmail-remote"], "hosts to send to instead of what DNS says";
    TIMEOUTCONNECT "timeoutconnect" Number Default::Number(60), ["qmail-remote"], "seconds to wait for a connection";
    TIMEOUTREMOTE "timeoutremote" Number Default::Number(1200), ["qmail-remote"], "seconds to wait for each answer of a server";
    TIMEOUTSMTPD "timeoutsmtpd" Number Default::Number(1200), ["qmail-smtpd"], "seconds to wait for each read from a client";
    VIRTUALDOMAINS "virtualdomains" Map Default::Nothing, ["qmail-send" "qmail-todo"], "users and domains delivered here to somebody else";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_order_and_every_setting_has_a_reader() {
        assert!(ALL.is_sorted_by(|a, b| a.file < b.file));
        assert!(ALL.iter().all(|control| !control.readers.is_empty()));
    }
}
