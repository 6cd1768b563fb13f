//! Postfix.

use std::path::Path;

use crate::peer::{Peer, SINK, add_account, directory, identity, package};
use crate::{Tree, files};

const MASTER: &str = "/usr/local/lib/mail-servers/postfix/usr/lib/postfix/sbin/master";
const SASLPASSWD: &str = "/usr/local/lib/mail-servers/sasl2-bin/usr/sbin/saslpasswd2";
const USER: u32 = 7880;
const GROUP: u32 = 7881;

/// Ports 25 and 465, TLS and a password required; none if it is not there.
#[must_use]
pub fn start(tree: &Tree) -> Option<Peer> {
    let package = package(tree, "postfix", MASTER)?;
    crate::peer::package(tree, "sasl2-bin", SASLPASSWD)?;
    add_account(tree, "postfix", USER);
    add_account(tree, "postdrop", GROUP);
    let place = tree.scratch();
    let config = directory(&place, "config", 0, 0, 0o755);
    let data = directory(&place, "data", USER, USER, 0o700);
    let queue = make_queue(&place);
    let certificate = identity(&place, "relay.pem", 0);
    let main = format!(
        "compatibility_level = 3.6\n\
         queue_directory = {queue}\n\
         data_directory = {data}\n\
         daemon_directory = {package}/usr/lib/postfix/sbin\n\
         command_directory = {package}/usr/sbin\n\
         shlib_directory = {package}/usr/lib/postfix\n\
         meta_directory = {config}\n\
         import_environment = LD_LIBRARY_PATH MAIL_CONFIG TZ\n\
         maillog_file = {place}/log\n\
         maillog_file_prefixes = {place}\n\
         myhostname = relay.example\n\
         mydestination =\n\
         mynetworks =\n\
         alias_maps =\n\
         relayhost = [{host}]:{port}\n\
         smtp_dns_support_level = disabled\n\
         inet_interfaces = all\n\
         inet_protocols = all\n\
         smtpd_tls_security_level = encrypt\n\
         smtpd_tls_chain_files = {certificate}\n\
         smtpd_tls_auth_only = yes\n\
         smtpd_sasl_auth_enable = yes\n\
         smtpd_sasl_local_domain = relay.example\n\
         smtpd_relay_restrictions = permit_sasl_authenticated, reject\n",
        queue = queue.display(),
        data = data.display(),
        package = package.display(),
        config = config.display(),
        place = place.display(),
        certificate = certificate.display(),
        host = SINK.split_once(':')?.0,
        port = SINK.split_once(':')?.1,
    );
    files::write(&config.join("main.cf"), main);
    files::write(&config.join("master.cf"), SERVICES);
    add_password(tree, &config);
    let libraries = package.join("usr/lib/postfix");
    let program =
        tree.command(MASTER).args(["-d", "-c"]).arg(&config).env("LD_LIBRARY_PATH", libraries);
    Some(Peer::start(tree, program, "[::1]:465"))
}

fn make_queue(place: &Path) -> std::path::PathBuf {
    let queue = directory(place, "queue", 0, 0, 0o755);
    for name in [
        "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private",
        "saved", "trace",
    ] {
        directory(&queue, name, USER, USER, 0o700);
    }
    directory(&queue, "public", USER, GROUP, 0o710);
    directory(&queue, "maildrop", USER, GROUP, 0o730);
    directory(&queue, "pid", 0, 0, 0o755);
    queue
}

/// The user's password, for Cyrus SASL.
fn add_password(tree: &Tree, config: &Path) {
    let sasl = directory(config, "sasl", 0, 0, 0o755);
    let database = sasl.join("database");
    let added = tree
        .command(SASLPASSWD)
        .args(["-p", "-c", "-u", "relay.example", "-f"])
        .arg(&database)
        .arg("user")
        .stdin("secret")
        .run();
    assert_eq!(added.code, Some(0), "{}", added.errors());
    files::set_mode(&database, 0o644);
    let text = format!(
        "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN CRAM-MD5\n\
         sasldb_path: {}\n",
        database.display()
    );
    files::write(&sasl.join("smtpd.conf"), text);
}

const SERVICES: &str = "\
smtp      inet  n - n -    - smtpd
465       inet  n - n -    - smtpd -o smtpd_tls_wrappermode=yes
cleanup   unix  n - n -    0 cleanup
qmgr      unix  n - n 300  1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n -    - trivial-rewrite
bounce    unix  - - n -    0 bounce
defer     unix  - - n -    0 bounce
trace     unix  - - n -    0 bounce
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n -    - proxymap
smtp      unix  - - n -    - smtp
relay     unix  - - n -    - smtp
error     unix  - - n -    - error
retry     unix  - - n -    - error
anvil     unix  - - n -    1 anvil
scache    unix  - - n -    1 scache
postlog   unix-dgram n - n - 1 postlogd
";
