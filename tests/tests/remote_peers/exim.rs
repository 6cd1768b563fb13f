//! Exim.

use qmail_conformance::{Tree, files};

use crate::peer::{Peer, SINK, add_account, directory, identity, package};

const PROGRAM: &str = "/usr/local/lib/mail-servers/exim4-daemon-light/usr/sbin/exim4";
const USER: u32 = 7882;

/// Ports 25 and 465, TLS and a password required, all mechanisms.
pub(crate) fn start(tree: &Tree) -> Option<Peer> {
    start_with(tree, &format!("{CRAM}{PLAIN}{LOGIN}"))
}

/// Only PLAIN.
pub(crate) fn start_with_plain(tree: &Tree) -> Option<Peer> {
    start_with(tree, PLAIN)
}

/// Only LOGIN.
pub(crate) fn start_with_login(tree: &Tree) -> Option<Peer> {
    start_with(tree, LOGIN)
}

/// Only CRAM-MD5.
pub(crate) fn start_with_cram(tree: &Tree) -> Option<Peer> {
    start_with(tree, CRAM)
}

fn start_with(tree: &Tree, authenticators: &str) -> Option<Peer> {
    package(tree, "exim4-daemon-light", PROGRAM)?;
    add_account(tree, "Debian-exim", USER);
    let place = tree.scratch();
    let spool = directory(&place, "spool", USER, USER, 0o755);
    let log = directory(&place, "log", USER, USER, 0o755);
    let certificate = identity(&place, "relay.pem", USER);
    let options = format!(
        "exim_path = {PROGRAM}\n\
         exim_user = Debian-exim\n\
         exim_group = Debian-exim\n\
         primary_hostname = relay.example\n\
         spool_directory = {spool}\n\
         log_file_path = {log}/%slog\n\
         tls_certificate = {certificate}\n\
         tls_privatekey = {certificate}\n",
        spool = spool.display(),
        log = log.display(),
        certificate = certificate.display(),
    );
    let sink = SINK.replace(':', "::");
    let text = format!("{options}{RULES}begin authenticators\n{authenticators}");
    let config = place.join("exim.conf");
    files::write(&config, text.replace("SINK", &sink));
    let program = tree.command(PROGRAM).args(["-bdf", "-q1h", "-C"]).arg(&config);
    Some(Peer::start(tree, program, "[::1]:465"))
}

const RULES: &str = "\
daemon_smtp_ports = 25 : 465
tls_on_connect_ports = 465
local_interfaces = <; 0.0.0.0 ; ::0
tls_advertise_hosts = *
auth_advertise_hosts = ${if eq{$tls_in_cipher}{}{}{*}}
acl_smtp_mail = mail
acl_smtp_rcpt = rcpt
never_users = root
keep_environment =
begin acl
mail:
  deny condition = ${if eq{$tls_in_cipher}{}}
       message = TLS first
  accept
rcpt:
  accept authenticated = *
  deny message = authenticate first
begin routers
all:
  driver = manualroute
  route_list = * SINK
  transport = sink
  self = send
begin transports
sink:
  driver = smtp
  hosts_avoid_tls = *
";

const CRAM: &str = "\
cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = ${if eq{$auth1}{user}{secret}fail}
  server_set_id = $auth1
";

const PLAIN: &str = "\
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${if and{{eq{$auth2}{user}}{eq{$auth3}{secret}}}}
  server_set_id = $auth2
";

const LOGIN: &str = "\
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${if and{{eq{$auth1}{user}}{eq{$auth2}{secret}}}}
  server_set_id = $auth1
";
