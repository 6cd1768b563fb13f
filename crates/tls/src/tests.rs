//! Whole handshakes, over a pair of sockets.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, SupportedProtocolVersion};

use super::*;

/// A file with certificates that all tests share.
pub(crate) fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/certificates").join(name)
}

/// A server, and what it asks of its clients.
struct Server {
    certificate: &'static str,
    versions: &'static [&'static SupportedProtocolVersion],
    wants_certificate: bool,
}

const OLD: &[&SupportedProtocolVersion] = &[&rustls::version::TLS12];

const SERVER: Server =
    Server { certificate: "relay.pem", versions: rustls::ALL_VERSIONS, wants_certificate: false };

impl Server {
    fn config(&self) -> ServerConfig {
        let path = file(self.certificate);
        let chain = CertificateDer::pem_file_iter(&path).unwrap().collect::<Result<_, _>>();
        let key = PrivateKeyDer::from_pem_file(&path).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_protocol_versions(self.versions).unwrap();
        let builder = if self.wants_certificate {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(certificates(&file("authority.pem")).unwrap());
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        } else {
            builder.with_no_client_auth()
        };
        builder.with_single_cert(chain.unwrap(), key).unwrap()
    }

    /// Says what the client said, and returns the name it asked for and the certificate it showed.
    fn serve(&self, mut socket: UnixStream) -> (Option<String>, Option<Vec<u8>>) {
        let mut connection = ServerConnection::new(Arc::new(self.config())).unwrap();
        let mut stream = rustls::Stream::new(&mut connection, &mut socket);
        let mut text = [0; 5];
        if stream.read_exact(&mut text).is_ok() {
            stream.write_all(&text).unwrap();
            stream.conn.send_close_notify();
            stream.flush().unwrap();
        }
        let shown = connection.peer_certificates().and_then(|chain| chain.first());
        let shown = shown.map(|certificate| certificate.to_vec());
        (connection.server_name().map(str::to_owned), shown)
    }
}

/// What came of a handshake, on both sides.
type Outcome = (Result<Session, HandshakeError>, Option<String>, Option<Vec<u8>>);

fn shake(server: &Server, client: &Client, host: Option<&str>) -> Outcome {
    let (ours, theirs) = UnixStream::pair().unwrap();
    for socket in [&ours, &theirs] {
        socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    }
    std::thread::scope(|scope| {
        let serving = scope.spawn(|| server.serve(theirs));
        let result = client.connect(host.map(str::as_bytes), ours).map(|mut stream| {
            stream.write_all(b"hello").unwrap();
            let mut echo = Vec::new();
            stream.read_to_end(&mut echo).unwrap();
            assert_eq!(echo, b"hello");
            stream.session()
        });
        let (name, shown) = serving.join().unwrap();
        (result, name, shown)
    })
}

fn client(trust: Trust) -> Client {
    Client::new(trust, None, &Selection::default()).unwrap()
}

fn known(host: &str, authority: &str) -> Client {
    let authorities = certificates(&file(authority)).unwrap();
    client(Trust::Known { host: host.into(), authorities })
}

fn distrust(certificate: &'static str, host: &str, authority: &str) -> Option<String> {
    let server = Server { certificate, ..SERVER };
    match shake(&server, &known(host, authority), Some(host)).0 {
        Ok(_) => None,
        Err(HandshakeError::Distrusted(distrust)) => Some(distrust.to_string()),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_host_is_known_by_its_authority_or_by_its_own_certificate() {
    for (certificate, authority) in [
        ("relay.pem", "authority.pem"),
        ("common.pem", "authority.pem"),
        ("relay.pem", "relay.pem"),
        ("self.pem", "self.pem"),
    ] {
        assert_eq!(distrust(certificate, "relay.example", authority), None, "{certificate}");
    }
    assert_eq!(distrust("relay.pem", "Relay.Example", "authority.pem"), None);
}

#[test]
fn a_host_with_another_certificate_is_refused() {
    let other = distrust("other.pem", "relay.example", "authority.pem");
    assert_eq!(other.unwrap(), "received certificate for other.example");
    // Alternative names count alone where there are any.
    let common = distrust("relay.pem", "ignored.example", "authority.pem");
    assert_eq!(common.unwrap(), "certificate contains no matching dNSNnames");
    let stranger = distrust("self.pem", "relay.example", "authority.pem").unwrap();
    assert!(stranger.contains("certificate"), "{stranger}");
    assert!(distrust("relay.pem", "relay.example", "self.pem").is_some());
    for authority in ["expired.pem", "authority.pem"] {
        assert!(distrust("expired.pem", "relay.example", authority).is_some(), "{authority}");
    }
}

#[test]
fn whoever_trusts_anybody_speaks_with_anybody() {
    for certificate in ["relay.pem", "self.pem", "expired.pem", "other.pem"] {
        for version in rustls::ALL_VERSIONS {
            let versions = std::slice::from_ref(version);
            let server = Server { certificate, versions, ..SERVER };
            let (result, ..) = shake(&server, &client(Trust::Anybody), None);
            let expected = format!("{:?}", version.version).replace('_', ".");
            assert_eq!(result.unwrap().version, expected);
        }
    }
}

#[test]
fn the_server_hears_which_host_is_meant_unless_it_is_an_address() {
    let name = |host| shake(&SERVER, &client(Trust::Anybody), host).1;
    assert_eq!(name(Some("Mx.Example")).as_deref(), Some("mx.example"));
    assert_eq!(name(None), None);
    assert_eq!(name(Some("192.0.2.1")), None);
    // No host has such a name, and yet there it is.
    assert_eq!(name(Some("a b\\032")), None);
}

#[test]
fn a_certificate_is_shown_to_those_who_ask() {
    let identity = || Identity::read(&file("common.pem")).unwrap();
    let client = |identity| Client::new(Trust::Anybody, identity, &Selection::default()).unwrap();
    let asking = Server { wants_certificate: true, ..SERVER };
    let shown = certificates(&file("common.pem")).unwrap().remove(0).to_vec();
    assert_eq!(shake(&asking, &client(Some(identity())), None).2, Some(shown));
    assert_eq!(shake(&SERVER, &client(Some(identity())), None).2, None);
}

#[test]
fn ciphers_are_those_selected() {
    for name in ["ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-ECDSA-AES128-GCM-SHA256"] {
        let server = Server { versions: OLD, ..SERVER };
        let ciphers = Selection::parse(name).unwrap();
        let client = Client::new(Trust::Anybody, None, &ciphers).unwrap();
        let session = shake(&server, &client, None).0.unwrap();
        assert_eq!((session.version, session.cipher), ("TLSv1.2", name));
    }
}

#[test]
fn what_is_no_tls_is_an_error() {
    for words in [b"".as_slice(), b"500 what?\r\n", &[22, 3, 1, 255, 255], &[0; 100_000]] {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        ours.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let result = std::thread::scope(|scope| {
            scope.spawn(move || {
                let _ = theirs.write_all(words);
                let _ = theirs.shutdown(std::net::Shutdown::Write);
                let _ = std::io::copy(&mut theirs, &mut std::io::sink());
            });
            client(Trust::Anybody).connect(None, ours).map(|_| ())
        });
        assert!(!matches!(result, Ok(()) | Err(HandshakeError::Distrusted(_))));
    }
}

#[test]
fn files_without_what_they_should_have_are_errors() {
    assert!(matches!(certificates(&file("none.pem")), Err(SetupError::Read(_))));
    let empty = tempfile::NamedTempFile::new().unwrap();
    assert!(matches!(certificates(empty.path()), Err(SetupError::NoCertificate)));
    assert!(matches!(Identity::read(&file("authority.pem")), Err(SetupError::NoCertificate)));
}
