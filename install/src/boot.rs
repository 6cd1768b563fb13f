//! Scripts that start qmail.

use std::path::Path;

/// A script that starts the tree at `home`, with its log going to syslog.
///
/// Nothing of the caller's environment reaches qmail but `PATH`: users' delivery commands would
/// inherit it.
pub(crate) fn script(home: &Path, delivery: &str) -> String {
    let home_text = double_quoted(&home.to_string_lossy());
    let elsewhere = if home == qmail_core::home::built_in() {
        String::new()
    } else {
        format!("QMAILHOME=\"{home_text}\" ")
    };
    let delivery = single_quoted(delivery);
    format!(
        "#!/bin/sh\n\
         # Starts qmail. Mail for users who give no instructions is delivered as the argument of\n\
         # qmail-start says; the log goes to syslog.\n\
         \n\
         exec env - {elsewhere}PATH=\"{home_text}/bin:$PATH\" \\\n\
         qmail-start {delivery} splogger qmail\n"
    )
}

/// The same, where what users' `.forward` files say comes first.
pub(crate) fn forwarding_script(home: &Path, delivery: &str) -> String {
    script(home, &format!("|dot-forward .forward\n{delivery}"))
}

fn single_quoted(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"./-_".contains(&byte);
    if text.bytes().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn double_quoted(text: &str) -> String {
    let special = |letter| matches!(letter, '"' | '$' | '`' | '\\');
    text.chars()
        .flat_map(|letter| special(letter).then_some('\\').into_iter().chain([letter]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(home: &str, delivery: &str) -> String {
        let script = script(Path::new(home), delivery);
        script.split_once("\n\n").unwrap().1.replace("\\\n", "")
    }

    #[test]
    fn path_is_the_only_variable_of_the_usual_tree() {
        let built_in = qmail_core::home::built_in().display();
        assert_eq!(
            command(&built_in.to_string(), "./Mailbox"),
            format!(
                "exec env - PATH=\"{built_in}/bin:$PATH\" qmail-start ./Mailbox splogger qmail\n"
            )
        );
    }

    #[test]
    fn a_tree_elsewhere_is_named() {
        let command = command("/tmp/a $5", "./Mailbox");
        let start = r#"exec env - QMAILHOME="/tmp/a \$5" PATH="/tmp/a \$5/bin:$PATH" "#;
        assert!(command.starts_with(start), "{command}");
    }

    #[test]
    fn the_shell_hands_the_delivery_over_as_it_is() {
        let delivery = r#"|preline -f /bin/mail -r "${SENDER:-MAILER-DAEMON}" -d 'x'"#;
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("bin")).unwrap();
        std::os::unix::fs::symlink("/bin/echo", home.path().join("bin/qmail-start")).unwrap();
        let script = forwarding_script(home.path(), delivery);
        let shell = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        let expected = format!("|dot-forward .forward\n{delivery} splogger qmail\n");
        assert_eq!(String::from_utf8(shell.stdout).unwrap(), expected);
    }
}
