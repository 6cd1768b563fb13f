//! The texts that stand around the value of each setting, in the order of the report.

use qmail_core::control::*;

/// How a setting is reported.
pub(super) struct Row {
    pub(super) control: &'static Control,
    pub(super) text: Text,
}

/// What is said if the file is missing, and what stands before and after each entry.
type ListText = (&'static str, &'static str, &'static str);

/// The words around a value.
#[derive(Clone, Copy)]
pub(super) enum Text {
    /// What stands before and after it; then a full stop.
    Number(&'static str, &'static str),
    /// What stands before it; then a full stop.
    Line(&'static str),
    /// See [`ListText`].
    List(&'static str, &'static str, &'static str),
    /// A list that says something else where there is no `rcpthosts`.
    MoreHosts { with: ListText, without: ListText },
    /// Whether a database is up to date.
    Database,
}

const fn number(control: &'static Control, before: &'static str, after: &'static str) -> Row {
    Row { control, text: Text::Number(before, after) }
}

const fn line(control: &'static Control, before: &'static str) -> Row {
    Row { control, text: Text::Line(before) }
}

const fn list(control: &'static Control, text: ListText) -> Row {
    let (missing, before, after) = text;
    Row { control, text: Text::List(missing, before, after) }
}

/// netqmail's report. Settings that it does not have follow where they are set.
pub(super) const ROWS: &[Row] = &[
    list(&BADMAILFROM, ("Any MAIL FROM is allowed.", "", " not accepted in MAIL FROM.")),
    line(&BOUNCEFROM, "Bounce user name is "),
    line(&BOUNCEHOST, "Bounce host name is "),
    number(&CONCURRENCYLOCAL, "Local concurrency is ", ""),
    number(&CONCURRENCYREMOTE, "Remote concurrency is ", ""),
    number(&DATABYTES, "SMTP DATA limit is ", " bytes"),
    line(&DEFAULTDOMAIN, "Default domain name is "),
    line(&DEFAULTHOST, "Default host name is "),
    line(&DOUBLEBOUNCEHOST, "2B recipient host: "),
    line(&DOUBLEBOUNCETO, "2B recipient user: "),
    line(&ENVNOATHOST, "Presumed domain name is "),
    line(&HELOHOST, "SMTP client HELO host name is "),
    line(&IDHOST, "Message-ID host name is "),
    line(&LOCALIPHOST, "Local IP address becomes "),
    list(
        &LOCALS,
        ("Messages for me are delivered locally.", "Messages for ", " are delivered locally."),
    ),
    line(&ME, "My name is "),
    list(
        &PERCENTHACK,
        ("The percent hack is not allowed.", "The percent hack is allowed for user%host@", "."),
    ),
    line(&PLUSDOMAIN, "Plus domain name is "),
    list(&QMQPSERVERS, ("No QMQP servers.", "QMQP server: ", ".")),
    number(&QUEUELIFETIME, "Message lifetime in the queue is ", " seconds"),
    list(
        &RCPTHOSTS,
        (
            "SMTP clients may send messages to any recipient.",
            "SMTP clients may send messages to recipients at ",
            ".",
        ),
    ),
    Row {
        control: &MORERCPTHOSTS,
        text: Text::MoreHosts {
            with: ("No effect.", "SMTP clients may send messages to recipients at ", "."),
            without: (
                "No rcpthosts; morercpthosts is irrelevant.",
                "No rcpthosts; doesn't matter that morercpthosts has ",
                ".",
            ),
        },
    },
    Row { control: &MORERCPTHOSTS_CDB, text: Text::Database },
    line(&SMTPGREETING, "SMTP greeting: 220 "),
    list(&SMTPROUTES, ("No artificial SMTP routes.", "SMTP route: ", "")),
    number(&TIMEOUTCONNECT, "SMTP client connection timeout is ", " seconds"),
    number(&TIMEOUTREMOTE, "SMTP client data timeout is ", " seconds"),
    number(&TIMEOUTSMTPD, "SMTP server data timeout is ", " seconds"),
    list(&VIRTUALDOMAINS, ("No virtual domains.", "Virtual domain: ", "")),
];
