//! Names that appear in directories, as the kernel tells them: inotify(7).

use std::ffi::OsString;
use std::io;
use std::path::Path;

use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, InotifyEvent};

/// A name appears: by creat(2), link(2), mkdir(2) and the like, or by rename(2).
const APPEARS: AddWatchFlags = AddWatchFlags::IN_CREATE.union(AddWatchFlags::IN_MOVED_TO);
/// The directory may not be the one any more that has its name.
const MOVES: AddWatchFlags = AddWatchFlags::IN_MOVE_SELF.union(AddWatchFlags::IN_DELETE_SELF);

/// Directories that are watched for new names.
///
/// A name is noted before the call returns that makes it.
#[derive(Debug)]
pub struct NewNames {
    inotify: Inotify,
}

impl NewNames {
    /// Notes the names that appear in `directories` from now on.
    ///
    /// # Errors
    /// If one of them cannot be read, or the kernel watches nothing more for this user.
    pub fn in_all<'p>(directories: impl IntoIterator<Item = &'p Path>) -> io::Result<Self> {
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
        for directory in directories {
            inotify.add_watch(directory, APPEARS | MOVES | AddWatchFlags::IN_ONLYDIR)?;
        }
        Ok(Self { inotify })
    }

    /// The names that have appeared since the last time, in their order, wherever. One that has gone
    /// since is among them.
    ///
    /// # Errors
    /// If some may be missing, now and from now on: one of the directories has been moved, removed or
    /// unmounted, there is a new directory in one of them, or the kernel had no room for all names.
    pub fn take(&self) -> io::Result<Vec<OsString>> {
        let mut names = Vec::new();
        loop {
            match self.inotify.read_events() {
                Ok(events) => {
                    for event in events {
                        names.push(name(event).ok_or(io::ErrorKind::InvalidData)?);
                    }
                }
                Err(Errno::EAGAIN) => return Ok(names),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

/// The name of a new file; none if something else has happened.
fn name(event: InotifyEvent) -> Option<OsString> {
    let is_file = event.mask.intersects(APPEARS) && !event.mask.contains(AddWatchFlags::IN_ISDIR);
    event.name.filter(|_| is_file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File};

    /// What is told of `happens` in one of two watched directories.
    fn told(happens: impl FnOnce(&Path)) -> io::Result<Vec<OsString>> {
        let root = tempfile::tempdir().unwrap();
        let paths = ["0", "1"].map(|name| root.path().join(name));
        paths.iter().for_each(|path| fs::create_dir(path).unwrap());
        File::create(root.path().join("0/old")).unwrap();
        let names = NewNames::in_all(paths.iter().map(|path| path.as_path())).unwrap();
        happens(root.path());
        names.take()
    }

    #[test]
    fn names_that_appear_are_told_once_and_in_their_order() {
        let root = tempfile::tempdir().unwrap();
        File::create(root.path().join("old")).unwrap();
        let names = NewNames::in_all([root.path()]).unwrap();
        assert!(names.take().unwrap().is_empty());
        let path = |name: &str| root.path().join(name);
        fs::hard_link(path("old"), path("linked")).unwrap();
        fs::rename(path("linked"), path("renamed")).unwrap();
        fs::remove_file(path("renamed")).unwrap();
        File::create(path("created")).unwrap();
        assert_eq!(names.take().unwrap(), ["linked", "renamed", "created"]);
        assert!(names.take().unwrap().is_empty());
        // More than the kernel gives at once.
        (0..1000).for_each(|number: u32| drop(File::create(path(&number.to_string())).unwrap()));
        assert_eq!(names.take().unwrap().len(), 1000);
    }

    #[test]
    fn what_happens_to_old_names_is_not_told() {
        let told = told(|root| {
            fs::remove_file(root.join("0/old")).unwrap();
            File::create(root.join("elsewhere")).unwrap();
        });
        assert!(told.unwrap().is_empty());
    }

    #[test]
    fn a_directory_that_is_not_where_it_was_is_an_error() {
        assert!(told(|root| fs::rename(root.join("0"), root.join("2")).unwrap()).is_err());
        assert!(told(|root| fs::remove_dir(root.join("1")).unwrap()).is_err());
        assert!(told(|root| fs::create_dir(root.join("1/new")).unwrap()).is_err());
    }

    #[test]
    fn names_that_the_kernel_had_no_room_for_are_an_error() {
        let room = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
        let room: u32 = room.trim().parse().unwrap();
        let too_many = |root: &Path| {
            for number in 0..=room {
                let path = root.join("0").join(number.to_string());
                fs::hard_link(root.join("0/old"), &path).unwrap();
                fs::remove_file(path).unwrap();
            }
        };
        assert!(told(too_many).is_err());
    }

    #[test]
    fn what_is_no_directory_cannot_be_watched() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(NewNames::in_all([file.path()]).is_err());
        assert!(NewNames::in_all([Path::new("/nowhere")]).is_err());
    }
}
