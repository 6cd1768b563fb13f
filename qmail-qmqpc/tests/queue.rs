//! The client as a program in place of qmail-queue.

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{Seek, Write};
    use std::path::Path;
    use std::process::Command;

    const CLIENT: &str = env!("CARGO_BIN_EXE_qmail-qmqpc");

    /// Exit code with this in `qmqpservers`, and this envelope on descriptor 1.
    fn code(servers: Option<&str>, envelope: &[u8]) -> i32 {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("control")).unwrap();
        if let Some(servers) = servers {
            let mut file = fs::File::create(home.path().join("control/qmqpservers")).unwrap();
            file.write_all(servers.as_bytes()).unwrap();
        }
        run(home.path(), envelope)
    }

    fn run(home: &Path, envelope: &[u8]) -> i32 {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(envelope).unwrap();
        file.rewind().unwrap();
        let status = Command::new(CLIENT)
            .env_clear()
            .env("QMAILHOME", home)
            .stdin(fs::File::open("/dev/null").unwrap())
            .stdout(file)
            .status();
        status.unwrap().code().unwrap()
    }

    #[test]
    fn without_a_server_it_is_the_configuration() {
        assert_eq!(code(None, b"Fs@x\0Ta@b\0\0"), 55);
        assert_eq!(code(Some("# none\nmail.example\n"), b"Fs@x\0Ta@b\0\0"), 55);
    }

    #[test]
    fn what_is_no_envelope_is_not_sent() {
        assert_eq!(code(Some("127.0.0.1\n"), b"Fs@x\0Ta@b\0"), 91);
        assert_eq!(code(Some("127.0.0.1\n"), &[b'F'; 2000]), 11);
    }

    #[test]
    fn without_a_home_nothing_works() {
        assert_eq!(run(Path::new("/nonexistent"), b"F\0\0"), 61);
    }

    #[test]
    fn a_server_that_is_not_there_is_tried_and_told_of() {
        // Nobody serves QMQP on an address that is for this purpose.
        assert_eq!(code(Some("text\n127.99.98.97\n"), b"Fs@x\0Ta@b\0\0"), 73);
    }
}
