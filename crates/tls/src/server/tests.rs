use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::thread::Builder;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, RevokedCertParams, SanType, SerialNumber, date_time_ymd,
};

use super::*;
use crate::{Client, Identity, Trust};

const NOW: u64 = 1_700_000_000;

/// A directory as `control/` is, and an authority.
struct Place {
    directory: tempfile::TempDir,
    authority: Issuer<'static, KeyPair>,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let place = Self { directory, authority: Issuer::new(params, key) };
        place.write("clientca.pem", &certificate.pem());
        place.write("servercert.pem", &place.identity(named(&["usual.example"])));
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut file = fs::File::create(&path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file.set_permissions(Permissions::from_mode(0o600)).unwrap();
    }

    /// Key and certificate, signed by the authority.
    fn identity(&self, params: CertificateParams) -> String {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.authority).unwrap();
        key.serialize_pem() + &certificate.pem()
    }

    fn server(&self) -> Result<Server, ServerError> {
        let files = ServerFiles {
            certificate: &self.path("servercert.pem"),
            by_name: &self.path("servercerts"),
            authorities: Some(&self.path("clientca.pem")),
            revoked: &self.path("clientcrl.pem"),
        };
        Server::read(&files, &Selection::default(), NOW)
    }

    fn problem(&self) -> String {
        self.server().unwrap_err().problem.to_string()
    }

    /// What the server knows of a client who shows a certificate, if any, and asks for this host.
    fn meet(&self, shown: Option<&str>, host: &str) -> (Accepted<UnixStream>, String) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let identity = shown.map(|name| Identity::read(&self.path(name)).unwrap());
        let client = Client::new(Trust::Anybody, identity, &Selection::default()).unwrap();
        let host = host.to_owned();
        let thread = Builder::new().spawn(move || {
            let mut stream = client.connect(Some(host.as_bytes()), theirs).unwrap();
            let certificate = stream.peer_certificate().unwrap().to_vec();
            stream.write_all(b"hello").unwrap();
            stream.close().unwrap();
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).unwrap();
            assert_eq!(rest, b"goodbye");
            let names = crate::Names::of(&certificate).hosts;
            String::from_utf8(names.into_iter().next().unwrap()).unwrap()
        });
        let mut accepted = self.server().unwrap().accept(ours).unwrap();
        let mut said = Vec::new();
        accepted.stream.read_to_end(&mut said).unwrap();
        assert_eq!(said, b"hello");
        accepted.stream.write_all(b"goodbye").unwrap();
        accepted.stream.close().unwrap();
        (accepted, thread.unwrap().join().unwrap())
    }
}

fn named(hosts: &[&str]) -> CertificateParams {
    let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    CertificateParams::new(hosts).unwrap()
}

fn mailbox(address: &str, serial: u64) -> CertificateParams {
    let mut params = named(&[]);
    params.subject_alt_names.push(SanType::Rfc822Name(address.try_into().unwrap()));
    params.serial_number = Some(SerialNumber::from(serial));
    params
}

#[test]
fn a_client_is_shown_the_certificate_of_the_name_that_it_asks_for() {
    let place = Place::new();
    place.write("servercerts/other.example/servercert.pem", &place.identity(named(&["other.it"])));
    let (accepted, shown) = place.meet(None, "OTHER.example");
    assert_eq!((accepted.name.as_deref(), shown.as_str()), (Some("other.example"), "other.it"));
    let (accepted, shown) = place.meet(None, "third.example");
    assert_eq!((accepted.name, shown.as_str()), (None, "usual.example"));
    assert!(accepted.complaint.is_none() && accepted.client.is_none());
    assert_eq!(accepted.stream.session().version, "TLSv1.3");
}

#[test]
fn a_broken_certificate_for_a_name_is_told_and_the_usual_one_shown() {
    let place = Place::new();
    place.write("servercerts/other.example/servercert.pem", "");
    let (accepted, shown) = place.meet(None, "other.example");
    assert_eq!((accepted.name, shown.as_str()), (None, "usual.example"));
    let complaint = accepted.complaint.unwrap().to_string();
    assert!(complaint.ends_with("/other.example/servercert.pem: no private key found"));
}

#[test]
fn certificates_of_clients_are_judged_and_never_end_the_connection() {
    let place = Place::new();
    place.write("good.pem", &place.identity(mailbox("joe@client.example", 1)));
    let (accepted, _) = place.meet(Some("good.pem"), "x.example");
    let good =
        ClientCertificate { verified: Ok(()), mailboxes: vec![b"joe@client.example".to_vec()] };
    assert_eq!(accepted.client, Some(good));
    let stranger = Place::new();
    place.write("strange.pem", &stranger.identity(mailbox("joe@client.example", 2)));
    let (accepted, _) = place.meet(Some("strange.pem"), "x.example");
    assert!(accepted.client.unwrap().verified.is_err());
}

#[test]
fn a_revoked_certificate_does_not_count() {
    let place = Place::new();
    place.write("revoked.pem", &place.identity(mailbox("joe@client.example", 77)));
    place.write("good.pem", &place.identity(mailbox("joe@client.example", 78)));
    let list = CertificateRevocationListParams {
        this_update: date_time_ymd(2020, 1, 1),
        next_update: date_time_ymd(2090, 1, 1),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: vec![RevokedCertParams {
            serial_number: SerialNumber::from(77),
            revocation_time: date_time_ymd(2020, 1, 1),
            reason_code: None,
            invalidity_date: None,
        }],
        key_identifier_method: rcgen::KeyIdMethod::Sha256,
    };
    place.write("clientcrl.pem", &list.signed_by(&place.authority).unwrap().pem().unwrap());
    let verdict = |file| place.meet(Some(file), "x.example").0.client.unwrap().verified;
    assert_eq!(verdict("good.pem"), Ok(()));
    assert!(verdict("revoked.pem").unwrap_err().to_lowercase().contains("revoked"));
}

#[test]
fn a_file_that_cannot_be_used_is_told_with_its_reason() {
    let place = Place::new();
    let good = place.identity(named(&["usual.example"]));
    let other = place.identity(named(&["usual.example"]));
    let (key, certificate) = good.split_once("-----BEGIN CERT").unwrap();
    let (other_key, _) = other.split_once("-----BEGIN CERT").unwrap();
    let certificate = format!("-----BEGIN CERT{certificate}");
    let mut old = named(&["usual.example"]);
    old.not_after = date_time_ymd(2020, 1, 1);
    let table = [
        (String::new(), "no private key found"),
        (key.to_owned(), "no certificate found"),
        (certificate.clone(), "no private key found"),
        (format!("{other_key}{certificate}"), "private key does not belong to certificate"),
        (place.identity(old), "certificate is not valid now"),
    ];
    for (text, problem) in table {
        place.write("servercert.pem", &text);
        assert_eq!(place.problem(), problem);
    }
    place.write("servercert.pem", &good);
    assert!(place.server().is_ok());
    fs::set_permissions(place.path("servercert.pem"), Permissions::from_mode(0o644)).unwrap();
    assert_eq!(place.problem(), "private key is readable by everybody");
    fs::remove_file(place.path("servercert.pem")).unwrap();
    assert_eq!(place.problem(), "file does not exist");
}

#[test]
fn authorities_and_lists_have_to_be_what_they_should() {
    let place = Place::new();
    place.write("clientcrl.pem", "");
    assert_eq!(place.problem(), "no crl found");
    fs::remove_file(place.path("clientcrl.pem")).unwrap();
    place.write("clientca.pem", "");
    assert_eq!(place.problem(), "no certificate found");
}

#[test]
fn what_is_no_handshake_is_an_error_and_not_waited_for() {
    let place = Place::new();
    for bytes in [&b"EHLO client.example\r\n"[..], b"\x16\x03\x01\x00\x05\x01\x00\x00\x01", b""] {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        theirs.write_all(bytes).unwrap();
        theirs.shutdown(std::net::Shutdown::Write).unwrap();
        assert!(place.server().unwrap().accept(ours).is_err());
    }
}
