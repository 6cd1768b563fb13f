//! Postfix.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use qmail_conformance::{Tree, files};

use crate::site::{SINK, Site, directory, words};
use crate::systems::{CONCURRENCY, Delivery, Sendmail, System, UNPACKED, add_account, path};

const USER: u32 = 7880;
const GROUP: u32 = 7881;

/// With its logs in a file, and without what slows input down.
#[derive(Debug)]
pub(crate) struct Postfix;

impl System for Postfix {
    fn name(&self) -> &'static str {
        "Postfix"
    }

    fn is_there(&self) -> bool {
        package().join("usr/lib/postfix/sbin/master").exists()
    }

    fn site(&self, counts: bool) -> io::Result<Site> {
        let tree = Tree::under_test();
        add_account(&tree, "postfix", USER)?;
        add_account(&tree, "postdrop", GROUP)?;
        let place = tree.scratch();
        directory(&place, "data", (USER, USER), 0o700)?;
        make_queue(&place)?;
        let main = settings(&place);
        for (name, services) in
            [("take", TAKING.to_owned()), ("work", format!("{TAKING}{WORKING}"))]
        {
            let config = directory(&place, name, (0, 0), 0o755)?;
            files::write(
                &config.join("main.cf"),
                format!("{main}meta_directory = {}\n", config.display()),
            );
            files::write(&config.join("master.cf"), services);
        }
        Ok(Site::new(tree, counts))
    }

    fn take(&self, site: &Site) -> io::Result<()> {
        start(site, "take")
    }

    fn work(&self, site: &Site) -> io::Result<()> {
        start(site, "work")
    }

    fn sendmail(&self, site: &Site, _: Delivery) -> Sendmail {
        let config = site.tree().scratch().join("work");
        let program = package().join("usr/sbin/sendmail").into_os_string();
        let sender = [path("-f"), path("sender@elsewhere.example")];
        let mut words = words([program, path("-C"), config.into_os_string()]);
        words.extend(sender);
        Sendmail { words, variables: variables(), asks_a_daemon: false }
    }
}

fn package() -> PathBuf {
    Path::new(UNPACKED).join("postfix")
}

fn variables() -> Vec<(&'static str, OsString)> {
    vec![("LD_LIBRARY_PATH", package().join("usr/lib/postfix").into_os_string())]
}

fn start(site: &Site, config: &str) -> io::Result<()> {
    let config = site.tree().scratch().join(config);
    let master = package().join("usr/lib/postfix/sbin/master");
    let words = words([master.into_os_string(), path("-d"), path("-c"), config.into_os_string()]);
    site.serve(&words, &variables())
}

fn make_queue(place: &Path) -> io::Result<()> {
    let queue = directory(place, "queue", (0, 0), 0o755)?;
    for name in [
        "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private",
        "saved", "trace",
    ] {
        directory(&queue, name, (USER, USER), 0o700)?;
    }
    directory(&queue, "public", (USER, GROUP), 0o710)?;
    directory(&queue, "maildrop", (USER, GROUP), 0o730)?;
    directory(&queue, "pid", (0, 0), 0o755).map(drop)
}

fn settings(place: &Path) -> String {
    let (package, place) = (package(), place.display());
    let (host, port) = SINK.split_once(':').unwrap_or_default();
    format!(
        "compatibility_level = 3.6\n\
         queue_directory = {place}/queue\n\
         data_directory = {place}/data\n\
         daemon_directory = {package}/usr/lib/postfix/sbin\n\
         command_directory = {package}/usr/sbin\n\
         shlib_directory = {package}/usr/lib/postfix\n\
         import_environment = LD_LIBRARY_PATH MAIL_CONFIG TZ\n\
         export_environment = LD_LIBRARY_PATH MAIL_CONFIG TZ\n\
         maillog_file = {place}/maillog\n\
         maillog_file_prefixes = {place}\n\
         myhostname = test.example\n\
         mydestination = test.example\n\
         mynetworks = 127.0.0.0/8\n\
         alias_maps =\n\
         home_mailbox = Maildir/\n\
         relayhost = [{host}]:{port}\n\
         smtp_dns_support_level = disabled\n\
         smtpd_peername_lookup = no\n\
         inet_interfaces = 127.0.0.1\n\
         inet_protocols = ipv4\n\
         message_size_limit = 1073741824\n\
         mailbox_size_limit = 0\n\
         smtpd_client_connection_count_limit = 0\n\
         smtpd_recipient_limit = 10000\n\
         in_flow_delay = 0\n\
         initial_destination_concurrency = {CONCURRENCY}\n\
         default_destination_concurrency_limit = {CONCURRENCY}\n\
         local_destination_concurrency_limit = {CONCURRENCY}\n",
        package = package.display(),
    )
}

/// What is needed to take mail, and no more.
const TAKING: &str = "\
127.0.0.1:2525 inet n - n -  - smtpd
cleanup   unix  n - n -    0 cleanup
rewrite   unix  - - n -    - trivial-rewrite
proxymap  unix  - - n -    - proxymap
anvil     unix  - - n -    1 anvil
tlsmgr    unix  - - n 1000? 1 tlsmgr
postlog   unix-dgram n - n - 1 postlogd
";

/// What is needed to deliver it.
const WORKING: &str = "\
pickup    unix  n - n 60   1 pickup
qmgr      unix  n - n 300  1 qmgr
bounce    unix  - - n -    0 bounce
defer     unix  - - n -    0 bounce
trace     unix  - - n -    0 bounce
flush     unix  n - n 1000? 0 flush
smtp      unix  - - n -    - smtp
relay     unix  - - n -    - smtp
error     unix  - - n -    - error
retry     unix  - - n -    - error
local     unix  - n n -    - local
scache    unix  - - n -    1 scache
";
