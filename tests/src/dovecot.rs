//! Dovecot, which reads maildirs as well.

use std::fs;

use crate::process::Program;
use crate::user::User;
use crate::{Need, Tree, files};

const PROGRAM: &str = "/usr/local/lib/mail-servers/dovecot-pop3d/usr/lib/dovecot/pop3";

/// Lays Dovecot over `/usr`, where it looks for its own parts.
const INSTALL: &str = r#"
for package in core pop3d; do
    cp -r "/usr/local/lib/mail-servers/dovecot-$package/usr" "$1/$package"
done
mount -t overlay -o "lowerdir=$1/core:$1/pop3d:/usr" overlay /usr
"#;

impl Tree {
    /// A tree whose world has the Dovecot that `.ci/peers` unpacks; none if it is not there, or we
    /// are not root.
    #[must_use]
    pub fn with_dovecot() -> Option<Self> {
        let tree = Self::under_test();
        tree.lay_dovecot().then_some(tree)
    }

    /// Adds Dovecot to the tree's world. Returns whether it is there.
    ///
    /// # Panics
    ///
    /// When the kernel cannot lay directories over others.
    #[must_use]
    pub fn lay_dovecot(&self) -> bool {
        if self.lacks(Need::Root) || self.lacks(Need::Tool(PROGRAM)) {
            return false;
        }
        let place = self.scratch().join("dovecot");
        fs::create_dir(&place).expect("a temporary directory has room");
        let laid = self.command("/bin/sh").args(["-ec", INSTALL, "sh"]).arg(&place).run();
        assert_eq!(laid.code, Some(0), "{}", laid.errors());
        files::write(&place.join("alone.conf"), "ssl = no\nlog_path = /dev/stderr\n");
        true
    }

    /// What Dovecot says to a client who has logged in as a user, and sends all this at once.
    #[must_use]
    pub fn dovecot_says(&self, user: &User, commands: &str) -> String {
        let maildir = format!("mail_location=maildir:{}/Maildir", user.home().display());
        let program = self.command("/usr/lib/dovecot/pop3").run_as(user.identity());
        let program = program.arg("-c").arg(self.scratch().join("dovecot/alone.conf"));
        let program = program.args(["-o", &maildir, "-o", "pop3_uidl_format=%f"]);
        let program = program.args(["-o", "mail_log_prefix="]).env("USER", user.name());
        program.env("HOME", user.home()).stdin(commands).run().text()
    }

    /// Dovecot as a server of POP3 at this port, not yet started: everybody is this user, with the
    /// password `secret`, and his mail is in this directory of his.
    #[must_use]
    pub fn dovecot_server(&self, port: u16, user: &User, maildir: &str) -> Program<'_> {
        let place = self.scratch().join("dovecot");
        let (uid, gid) = (user.identity().uid, user.identity().gid);
        let (home, run) = (user.home().display(), place.join("run"));
        let text = format!(
            "protocols = pop3\nbase_dir = {run}\nstate_dir = {run}\nssl = no\n\
             log_path = {place}/log\ndisable_plaintext_auth = no\nauth_mechanisms = plain\n\
             default_internal_user = qmaill\ndefault_login_user = qmaild\n\
             default_internal_group = nofiles\nfirst_valid_uid = 1\n\
             service pop3-login {{\n chroot =\n inet_listener pop3 {{\n  address = 127.0.0.1\n  \
             port = {port}\n }}\n inet_listener pop3s {{\n  port = 0\n }}\n}}\n\
             passdb {{\n driver = static\n args = password=secret\n}}\n\
             userdb {{\n driver = static\n args = uid={uid} gid={gid} home={home}\n}}\n\
             mail_location = maildir:{home}/{maildir}\n",
            run = run.display(),
            place = place.display(),
        );
        let configuration = place.join("server.conf");
        files::write(&configuration, text);
        self.command("/usr/sbin/dovecot").arg("-F").arg("-c").arg(configuration)
    }
}
