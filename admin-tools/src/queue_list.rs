//! What is in the queue, as qmail-qread shows it.

use std::fs::{self, File};
use std::io::{self, BufReader, ErrorKind, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use qmail_core::errno;
use qmail_core::queue::{Channel, Queue, QueueId, Record, Records};
use qmail_message::date::rfc5322;

use crate::fatal::printable;

/// Why there is no list, or only a part of it.
#[derive(Debug)]
pub enum Failure {
    /// A directory, named as below the queue, cannot be read.
    Directory(String, io::Error),
    /// Nobody reads the list.
    Write(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

/// Lists every message that has been preprocessed, in the order of the directories.
pub fn list(queue: &Queue, output: &mut impl Write) -> Result<(), Failure> {
    for directory in queue.parts("info") {
        let failed = |error| {
            let name = directory.strip_prefix(queue.root()).unwrap_or(&directory);
            Failure::Directory(name.display().to_string(), error)
        };
        for entry in fs::read_dir(&directory).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            if let Some(id) = QueueId::parse(name.as_bytes()) {
                message(queue, id, output)?;
            }
        }
    }
    Ok(())
}

fn message(queue: &Queue, id: QueueId, output: &mut impl Write) -> io::Result<()> {
    match Head::read(queue, id) {
        Ok(head) => output.write_all(&head.line(id))?,
        Err(error) => return output.write_all(trouble(id, &error).as_bytes()),
    }
    for channel in Channel::ALL {
        match File::open(queue.recipients(channel, id)) {
            Ok(file) => recipients(id, channel, file, output)?,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => output.write_all(trouble(id, &error).as_bytes())?,
        }
    }
    Ok(())
}

fn recipients(
    id: QueueId,
    channel: Channel,
    file: File,
    output: &mut impl Write,
) -> io::Result<()> {
    for record in Records::new(BufReader::new(file)) {
        match record {
            Ok(record) => output.write_all(&recipient(channel, &record))?,
            // It is being written just now.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return output.write_all(trouble(id, &error).as_bytes()),
        }
    }
    Ok(())
}

fn recipient(channel: Channel, record: &Record) -> Vec<u8> {
    let done: &[u8] = match record.letter {
        b'T' => b"",
        b'D' => b"  done",
        _ => return Vec::new(),
    };
    let address = printable(&record.value, b'_');
    [done, b"\t", channel.name().as_bytes(), b"\t", &address, b"\n"].concat()
}

fn trouble(id: QueueId, error: &io::Error) -> String {
    format!("warning: trouble with #{id}: {}\n", errno::text(error))
}

/// What is said of a message as a whole.
struct Head {
    birth: u64,
    size: u64,
    sender: Vec<u8>,
    is_bouncing: bool,
}

impl Head {
    fn read(queue: &Queue, id: QueueId) -> io::Result<Self> {
        let size = fs::metadata(queue.mess(id))?.len();
        let info = File::open(queue.info(id))?;
        let birth = u64::try_from(info.metadata()?.mtime()).unwrap_or(0);
        let sender = Records::new(BufReader::new(info)).next().transpose()?;
        let is_bouncing = exists(&queue.bounce(id));
        let sender = sender.map(|record| record.value).unwrap_or_default();
        Ok(Self { birth, size, sender, is_bouncing })
    }

    fn line(&self, id: QueueId) -> Vec<u8> {
        let date = rfc5322(self.birth);
        let date = date.strip_suffix(" -0000").unwrap_or(&date);
        let bouncing = if self.is_bouncing { " bouncing" } else { "" };
        let head = format!("{date} GMT  #{id}  {}  <", self.size);
        let sender = printable(&self.sender, b'_');
        [head.as_bytes(), &sender, b"> ", bouncing.as_bytes(), b"\n"].concat()
    }
}

fn exists(path: &Path) -> bool {
    fs::metadata(path).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    fn queue(files: &[(&str, &[u8])]) -> (tempfile::TempDir, Queue) {
        let root = tempfile::tempdir().unwrap();
        for directory in ["mess/0", "mess/1", "info/0", "info/1", "local/0", "local/1"] {
            fs::create_dir_all(root.path().join(directory)).unwrap();
        }
        for directory in ["remote/0", "remote/1", "bounce", "todo"] {
            fs::create_dir_all(root.path().join(directory)).unwrap();
        }
        for (name, contents) in files {
            let mut file = File::create(root.path().join(name)).unwrap();
            file.write_all(contents).unwrap();
            file.set_modified(UNIX_EPOCH + Duration::from_secs(1_767_323_045)).unwrap();
        }
        let queue = Queue::open(root.path()).unwrap();
        (root, queue)
    }

    fn listed(files: &[(&str, &[u8])]) -> String {
        let (_root, queue) = queue(files);
        let mut output = Vec::new();
        list(&queue, &mut output).unwrap();
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn a_message_is_shown_with_its_recipients() {
        let list = listed(&[
            ("mess/1/5", b"12345"),
            ("info/1/5", b"Fs\x1b@x\0"),
            ("local/1/5", b"Ta-b@c\0Dd\n\0"),
            ("remote/1/5", b"Te@f\0Tcut"),
            ("info/1/name", b""),
        ]);
        assert_eq!(
            list,
            "2 Jan 2026 03:04:05 GMT  #5  5  <s_@x> \n\
             \tlocal\ta-b@c\n  done\tlocal\td_\n\tremote\te@f\n"
        );
    }

    #[test]
    fn a_bounce_that_waits_is_told_of() {
        let list = listed(&[("mess/0/4", b""), ("info/0/4", b"F\0"), ("bounce/4", b"x")]);
        assert_eq!(list, "2 Jan 2026 03:04:05 GMT  #4  0  <>  bouncing\n");
    }

    #[test]
    fn trouble_with_one_message_does_not_hide_the_others() {
        let list = listed(&[("info/0/2", b"F\0"), ("info/1/3", b"F\0"), ("mess/1/3", b"")]);
        let expected = "warning: trouble with #2: file does not exist\n\
                        2 Jan 2026 03:04:05 GMT  #3  0  <> \n";
        assert_eq!(list, expected);
    }

    #[test]
    fn a_directory_out_of_reach_is_named() {
        let (root, queue) = queue(&[]);
        fs::remove_dir(root.path().join("info/1")).unwrap();
        let failure = list(&queue, &mut Vec::new()).unwrap_err();
        assert!(matches!(failure, Failure::Directory(name, _) if name == "info/1"));
    }
}
