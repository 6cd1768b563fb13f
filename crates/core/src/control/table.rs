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
    AUTHSENDERS "authsenders" Map Default::Nothing, ["qmail-remote"], "relays, users and passwords by sender";
    AUTHSERVID "authservid" Line Default::Me, ["qmail-dkim"], "name of this host in Authentication-Results";
    AUTHWITHOUTTLS "authwithouttls" List Default::Nothing, ["qmail-remote"], "relays that are told a password without TLS, too";
    BADHELO "badhelo" List Default::Nothing, ["qmail-smtpd"], "names in HELO whose recipients are refused";
    BADHELONORELAY "badhelonorelay" List Default::Nothing, ["qmail-smtpd"], "the same, for clients that may not relay";
    BADLOADERTYPES "badloadertypes" List Default::Nothing, ["qmail-newlist"], "five characters of base64 that executables have, source of badloadertypes.cdb";
    BADLOADERTYPES_CDB "badloadertypes.cdb" Cdb Default::Nothing, ["qmail-smtpd"], "five characters of base64; messages with them are refused if BADLOADERTYPE is set";
    BADMAILFROM "badmailfrom" List Default::Nothing, ["qmail-smtpd"], "senders whose recipients are refused";
    BADMAILFROMNORELAY "badmailfromnorelay" List Default::Nothing, ["qmail-smtpd"], "the same, for clients that may not relay";
    BADMAILPATTERNS "badmailpatterns" List Default::Nothing, ["qmail-smtpd"], "further badmailfrom, if that is in wildmat";
    BADMAILTO "badmailto" List Default::Nothing, ["qmail-smtpd"], "recipients that are refused: an older name of badrcptto";
    BADMIMETYPES "badmimetypes" List Default::Nothing, ["qmail-newlist"], "how files begin in base64, source of badmimetypes.cdb";
    BADMIMETYPES_CDB "badmimetypes.cdb" Cdb Default::Nothing, ["qmail-smtpd"], "how files begin in base64; messages with them are refused if BADMIMETYPE is set";
    BADRCPTPATTERNS "badrcptpatterns" List Default::Nothing, ["qmail-smtpd"], "further badrcptto, if that is in wildmat";
    BADRCPTTO "badrcptto" List Default::Nothing, ["qmail-smtpd"], "recipients that are refused";
    BADRCPTTONORELAY "badrcpttonorelay" List Default::Nothing, ["qmail-smtpd"], "the same, for clients that may not relay";
    BLACKHOLEDSENDER "blackholedsender" List Default::Nothing, ["qmail-smtpd"], "senders whose connection ends without a word";
    BOUNCEFROM "bouncefrom" Line Default::Text("MAILER-DAEMON"), ["qmail-send"], "user name of bounces";
    BOUNCEHOST "bouncehost" Line Default::MeOr("bouncehost"), ["qmail-send" "qmail-dkim-remote"], "host name of bounces";
    BOUNCELIFETIME "bouncelifetime" Number Default::Nothing, ["qmail-send"], "seconds after which bounces are given up, where that is not queuelifetime";
    BOUNCEMAXBYTES "bouncemaxbytes" Number Default::Nothing, ["qmail-send"], "bytes of a message that its bounce has at most";
    BOUNCEMESSAGE "bouncemessage" File Default::Nothing, ["qmail-send"], "the introduction of bounces";
    BOUNCEONERCPT "bounceonercpt" Number Default::Number(0), ["qmail-smtpd"], "not 0: messages from <> have one recipient";
    BOUNCESUBJECT "bouncesubject" Line Default::Text("failure notice"), ["qmail-send"], "subject of bounces";
    BRTLIMIT "brtlimit" Number Default::Number(0), ["qmail-smtpd"], "refused recipients after which the connection ends; 0 is no limit";
    CLIENTCA_PEM "clientca.pem" File Default::Nothing, ["qmail-tlsrelay"], "authorities for certificates of SMTP clients";
    CLIENTCERT "clientcert.pem" File Default::Nothing, ["qmail-remote"], "what the SMTP client shows to servers that ask who it is";
    CLIENTCRL_PEM "clientcrl.pem" File Default::Nothing, ["qmail-tlsrelay"], "certificates of SMTP clients that do not count any more";
    CONCURRENCYINCOMING "concurrencyincoming" Number Default::Number(20), ["qmailctl"], "connections to a service at once";
    CONCURRENCYLOCAL "concurrencylocal" Number Default::Number(10), ["qmail-send"], "local deliveries at once";
    CONCURRENCYPERHOST "concurrencyperhost" Number Default::Nothing, ["qmail-send"], "remote deliveries to one host at once; 0 is no limit";
    CONCURRENCYREMOTE "concurrencyremote" Number Default::Number(20), ["qmail-send"], "remote deliveries at once";
    DATABYTES "databytes" Number Default::Number(0), ["qmail-smtpd" "qmail-qmtpd"], "bytes of the largest message; 0 is no limit";
    DEFAULTDELIVERY "defaultdelivery" File Default::Nothing, ["qmailctl"], "what is done with mail for users who give no instructions";
    DEFAULTDOMAIN "defaultdomain" Line Default::MeOr("defaultdomain"), ["qmail-inject"], "added to host names without a dot";
    DEFAULTHOST "defaulthost" Line Default::MeOr("defaulthost"), ["qmail-inject"], "added to addresses without a host";
    DH1024_PEM "dh1024.pem" File Default::Nothing, ["qmail-showctl"], "not needed any more: no cipher uses it";
    DH2048_PEM "dh2048.pem" File Default::Nothing, ["qmail-showctl"], "not needed any more: no cipher uses it";
    DH4096_PEM "dh4096.pem" File Default::Nothing, ["qmail-showctl"], "not needed any more: no cipher uses it";
    DH512_PEM "dh512.pem" File Default::Nothing, ["qmail-showctl"], "not needed any more: no cipher uses it";
    DNSBLFAILCLOSED "dnsblfailclosed" Number Default::Number(0), ["qmail-smtpd"], "not 0: refuse clients for now if a DNS list cannot be asked";
    DNSBLLIST "dnsbllist" List Default::Nothing, ["qmail-smtpd"], "DNS lists of clients that are refused, or welcome";
    DOMAINKEYS "domainkeys" File Default::Nothing, ["qmail-dkim-remote"], "keys that sign mail: a directory for each domain, a file for each selector";
    DOUBLEBOUNCEHOST "doublebouncehost" Line Default::MeOr("doublebouncehost"), ["qmail-send"], "host that gets double bounces";
    DOUBLEBOUNCEMESSAGE "doublebouncemessage" File Default::Nothing, ["qmail-send"], "the introduction of double bounces";
    DOUBLEBOUNCESUBJECT "doublebouncesubject" Line Default::Text("failure notice"), ["qmail-send"], "subject of double bounces";
    DOUBLEBOUNCETO "doublebounceto" Line Default::Text("postmaster"), ["qmail-send"], "user who gets double bounces";
    ENVNOATHOST "envnoathost" Line Default::MeOr("envnoathost"), ["qmail-todo"], "added to recipients without a host";
    FILTERS "filters" List Default::Nothing, ["hi-q"], "programs that a message goes through before it is queued";
    GOODRCPTTO "goodrcptto" List Default::Nothing, ["qmail-smtpd"], "recipients that there are; no others";
    HELOHOST "helohost" Line Default::Me, ["qmail-remote"], "name of this host in the SMTP client";
    HELOHOSTS "helohosts" List Default::Nothing, ["qmail-remote"], "names of this host in the SMTP client, by its own address: address:name";
    IDHOST "idhost" Line Default::MeOr("idhost"), ["qmail-inject"], "host name in message ids";
    IPVERSION "ipversion" Line Default::Nothing, ["qmail-remote"], "prefer6, prefer4, only6 or only4: kinds of addresses to send to";
    LISTLANGUAGES "listlanguages" Map Default::Nothing, ["qmail-smtpd"], "languages of lists: exact, regex or wildmat";
    LOCALIPHOST "localiphost" Line Default::Me, ["qmail-smtpd"], "stands for [d.d.d.d] with an address of this host";
    LOCALS "locals" List Default::Me, ["qmail-send" "qmail-todo" "qmail-chkuser" "qmail-smtpd"], "domains delivered here";
    MAILFROMRULES "mailfromrules" List Default::Nothing, ["qmail-newlist"], "senders of clients that may relay, source of mailfromrules.cdb";
    MAILFROMRULES_CDB "mailfromrules.cdb" Cdb Default::Nothing, ["qmail-smtpd"], "senders of clients that may relay, if LOCALMFCHECK is !";
    MAXRCPT "maxrcpt" Number Default::Number(0), ["qmail-smtpd"], "recipients of one message; 0 is no limit";
    ME "me" Line Default::Nothing, ["qmail-smtpd" "qmail-qmtpd" "qmail-inject" "qmail-send" "qmail-todo" "qmail-remote" "qmail-qmqpc" "qmail-dkim-remote" "qmail-dkim"], "name of this host: default of many others";
    MFCHECK "mfcheck" Number Default::Number(0), ["qmail-smtpd"], "not 0: the domain of the sender must exist; 2 and 3 log it";
    MOREGOODRCPTTO "moregoodrcptto" List Default::Nothing, ["qmail-smtpd"], "further goodrcptto";
    MOREIPME "moreipme" List Default::Nothing, ["qmail-remote" "qmail-smtpd" "qmail-qmtpd"], "further addresses and networks that are this host";
    MORERCPTHOSTS "morercpthosts" List Default::Nothing, ["qmail-newmrh"], "further rcpthosts, source of morercpthosts.cdb";
    MORERCPTHOSTS_CDB "morercpthosts.cdb" Cdb Default::Nothing, ["qmail-smtpd" "qmail-qmtpd"], "further rcpthosts";
    MOREVALIDRCPTTO "morevalidrcptto" List Default::Nothing, ["qmail-smtpd"], "further validrcptto";
    NOTIPME "notipme" List Default::Nothing, ["qmail-remote" "qmail-smtpd" "qmail-qmtpd"], "addresses and networks that are not this host";
    NOTLSHOSTS "notlshosts" File Default::Nothing, ["qmail-remote"], "hosts that mail goes to without TLS";
    NOTLSHOSTS_AUTO "notlshosts_auto" Number Default::Nothing, ["qmail-remote"], "not 0: remember hosts whose TLS fails; 0: do not send to them in plain text";
    OUTGOINGIP "outgoingip" List Default::Nothing, ["qmail-remote"], "addresses that connections come from, also @senderdomain:address";
    OVERQUOTA "overquota" Line Default::Text("bounce"), ["qmail-local" "deliverquota" "vdelivermail"], "what becomes of mail to a full maildir: bounce or defer, and a text";
    PERCENTHACK "percenthack" List Default::Nothing, ["qmail-todo"], "domains for which user%host@domain means user@host";
    PLUSDOMAIN "plusdomain" Line Default::MeOr("plusdomain"), ["qmail-inject"], "added to host names that end in +";
    QMQPSERVERS "qmqpservers" List Default::Nothing, ["qmail-qmqpc"], "addresses of QMQP servers";
    QUEUELIFETIME "queuelifetime" Number Default::Number(604_800), ["qmail-send"], "seconds that a message is tried for";
    QUEUETEXTS "queuetexts" Map Default::Nothing, ["qmail-smtpd"], "what is said to exit codes of the queue program";
    QUOTAWARNMSG "quotawarnmsg" File Default::Nothing, ["qmail-local" "deliverquota" "vdelivermail"], "the message to users whose maildir is nearly full";
    QUOTAWARNPERCENT "quotawarnpercent" Number Default::Number(90), ["qmail-local" "deliverquota" "vdelivermail"], "how full a maildir is then";
    RCPTHOSTS "rcpthosts" List Default::Nothing, ["qmail-smtpd" "qmail-qmtpd"], "domains whose mail is taken from the network; without it, all";
    RCPTTO "rcptto" List Default::Nothing, ["qmail-smtpd"], "recipients that there are, if badrcptto is in wildmat; no others";
    RECIPIENTS "recipients" List Default::Nothing, ["qmail-smtpd"], "where the recipients of each domain are known";
    REJECTNULLSENDERS "rejectnullsenders" Number Default::Number(0), ["qmail-smtpd"], "not 0: no mail from <>";
    REJECTRELAYTEST "rejectrelaytest" Number Default::Number(0), ["qmail-smtpd"], "not 0: no recipients with @, % or ! in front of their host";
    RELAYMAILFROM "relaymailfrom" List Default::Nothing, ["qmail-smtpd"], "senders who may relay, from clients for whom RELAYMAILFROM is set";
    REMOTELOG "remotelog" Line Default::Nothing, ["qmail-remote"], "addresses or full: what reports of deliveries begin with";
    RSA2048_PEM "rsa2048.pem" File Default::Nothing, ["qmail-showctl"], "not needed any more: no cipher uses it";
    RSA512_PEM "rsa512.pem" File Default::Nothing, ["qmail-showctl"], "not needed any more: no cipher uses it";
    SERVERCERT_PEM "servercert.pem" File Default::Nothing, ["qmail-smtpd" "qmail-popup" "qmail-tlsrelay"], "key and certificate of this host; without it, no TLS is offered";
    SERVERCERTS "servercerts" File Default::Nothing, ["qmail-tlsrelay"], "keys and certificates for names of this host that clients ask for";
    SIGNATURES "signatures" List Default::Nothing, ["qmail-smtpd"], "how executables begin in base64; messages with one are refused";
    SMTPDLOG "smtpdlog" Line Default::Nothing, ["qmail-smtpd"], "wheeler, qlog, spamcontrol: what the log is to have";
    SMTPGREETING "smtpgreeting" Line Default::Me, ["qmail-smtpd"], "what the SMTP server calls itself";
    SMTPPLUGINS "smtpplugins" List Default::Nothing, ["qmail-smtpd"], "programs that are asked at each step of a session";
    SMTPROUTES "smtproutes" Map Default::Nothing, ["qmail-remote"], "hosts to send to instead of what DNS says";
    SOFTLIMIT "softlimit" Number Default::Nothing, ["qmailctl"], "bytes of memory that a service may have";
    SPAWNLIMIT "spawnlimit" Number Default::Number(0), ["qmail-lspawn" "qmail-rspawn"], "deliveries at once that a spawner can do; 0 is what it was built for";
    TARPITCOUNT "tarpitcount" Number Default::Number(0), ["qmail-smtpd"], "recipient of a message from which on each has to wait; 0 is none";
    TARPITDELAY "tarpitdelay" Number Default::Number(5), ["qmail-smtpd"], "seconds that a recipient in the tarpit waits";
    TIMEOUTCONNECT "timeoutconnect" Number Default::Number(60), ["qmail-remote"], "seconds to wait for a connection";
    TIMEOUTFILTERS "timeoutfilters" Number Default::Number(300), ["hi-q" "qhpsi"], "seconds that the filters may take together";
    TIMEOUTHOST "timeouthost" Number Default::Number(7200), ["qmail-remote"], "seconds for one host, and one more for each KiB of the message";
    TIMEOUTPLUGIN "timeoutplugin" Number Default::Number(300), ["qmail-smtpd"], "seconds that a plug-in or check of recipients may take";
    TIMEOUTREMOTE "timeoutremote" Number Default::Number(1200), ["qmail-remote"], "seconds to wait for each answer of a server";
    TIMEOUTRUN "timeoutrun" Number Default::Number(14400), ["qmail-remote"], "seconds after which no further host is tried";
    TIMEOUTSMTPD "timeoutsmtpd" Number Default::Number(1200), ["qmail-smtpd"], "seconds to wait for each read from a client";
    TLSCLIENTCIPHERS "tlsclientciphers" List Default::Nothing, ["qmail-remote"], "ciphers of the SMTP client, in the words of OpenSSL";
    TLSCLIENTS "tlsclients" List Default::Nothing, ["qmail-smtpd"], "mail addresses whose certificates let SMTP clients relay";
    TLSHOSTS "tlshosts" File Default::Nothing, ["qmail-remote"], "hosts that mail goes to with TLS only, and who vouches for them";
    TLSSERVERCIPHERS "tlsserverciphers" List Default::Nothing, ["qmail-tlsrelay"], "ciphers of servers, in the words of OpenSSL";
    UNRECOGNISED500 "unrecognised500" Number Default::Number(0), ["qmail-smtpd"], "not 0: unknown commands are told 500 instead of 502";
    VALIDRCPTTO "validrcptto" List Default::Nothing, ["qmail-smtpd"], "recipients that there are, and with - those that are not";
    VIRTUALDOMAINS "virtualdomains" Map Default::Nothing, ["qmail-send" "qmail-todo" "qmail-chkuser"], "users and domains delivered here to somebody else";
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
