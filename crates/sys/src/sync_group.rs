//! Bringing several files to disk at once.
//!
//! One fsync(2) after the other makes a file system with a journal write its journal as often as
//! there are files. Asked for together, they share a write: with 64 files ten times as fast. Threads
//! would do for that; Linux does it for one, by its asynchronous I/O (io_submit(2), from 4.18 on).

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Files that are under way at once.
const AT_ONCE: usize = 512;
/// Where the kernel says what became of them, so many at a time.
const EVENTS: usize = 64;

/// For a result that the kernel keeps to itself.
const UNKNOWN: i64 = -(libc::EIO as i64);

/// `IOCB_CMD_FSYNC` of linux/aio_abi.h.
const FSYNC: u16 = 2;

/// `struct iocb` of linux/aio_abi.h. What fsync does not use is zero, on every architecture.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
struct Request {
    data: u64,
    key_and_flags: [u32; 2],
    operation: u16,
    priority: i16,
    descriptor: u32,
    unused: [u64; 4],
    flags: [u32; 2],
}

/// `struct io_event`: the `data` of a request, and its result as a system call returns it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
struct Event {
    data: u64,
    request: u64,
    result: i64,
    second: i64,
}

/// What brings files to disk together.
#[derive(Debug)]
pub struct SyncGroup {
    /// None where the kernel has none for us: it goes one by one, then.
    context: Option<Context>,
}

/// An `aio_context_t`.
#[derive(Debug)]
struct Context(libc::c_ulong);

impl SyncGroup {
    /// For any number of files, any number of times.
    pub fn new() -> Self {
        Self { context: Context::new().ok() }
    }

    /// Waits until all `files`, or the names in those of them that are directories, are on disk. For
    /// each, in their order, whether it is.
    pub fn sync(&mut self, files: &[BorrowedFd<'_>]) -> Vec<io::Result<()>> {
        files.chunks(AT_ONCE).flat_map(|files| self.sync_some(files)).collect()
    }

    fn sync_some(&mut self, files: &[BorrowedFd<'_>]) -> Vec<io::Result<()>> {
        let mut results: Vec<Option<i64>> = vec![None; files.len()];
        if let Some(context) = &self.context
            && context.sync(files, &mut results).is_err()
        {
            // Nobody knows which of its answers are still to come.
            self.context = None;
        }
        let outcomes = files.iter().zip(results);
        outcomes.map(|(file, result)| result.map_or_else(|| sync_one(*file), outcome)).collect()
    }
}

impl Default for SyncGroup {
    fn default() -> Self {
        Self::new()
    }
}

impl Context {
    fn new() -> io::Result<Self> {
        let mut context: libc::c_ulong = 0;
        // SAFETY: the kernel writes one context to our variable.
        let result = unsafe { libc::syscall(libc::SYS_io_setup, AT_ONCE, &raw mut context) };
        if result == 0 { Ok(Self(context)) } else { Err(io::Error::last_os_error()) }
    }

    /// Notes the results of those files that the kernel has taken, and waits for all of them.
    ///
    /// # Errors
    /// If it has not said everything. What it has taken has a result all the same.
    fn sync(&self, files: &[BorrowedFd<'_>], results: &mut [Option<i64>]) -> io::Result<()> {
        let requests: Vec<Request> =
            files.iter().zip(0..).map(|(file, at)| fsync(*file, at)).collect();
        let mut taken = 0;
        while let Some(rest) = requests.get(taken..).filter(|rest| !rest.is_empty()) {
            match self.submit(rest) {
                Ok(more) if more > 0 => taken += more,
                // One by one, the reason shows.
                Ok(_) | Err(_) => break,
            }
        }
        self.settle(taken, results)
    }

    /// Gives each request that the kernel has taken a result.
    fn settle(&self, taken: usize, results: &mut [Option<i64>]) -> io::Result<()> {
        let heard = self.hear(taken, results);
        if heard.is_err() {
            // Not to be asked for once more: a second fsync of a file succeeds, whatever the first
            // one could not write.
            let unknown = results.iter_mut().take(taken).filter(|result| result.is_none());
            unknown.for_each(|result| *result = Some(UNKNOWN));
        }
        heard
    }

    /// Waits for so many results.
    fn hear(&self, mut open: usize, results: &mut [Option<i64>]) -> io::Result<()> {
        while open > 0 {
            let mut events = [Event::default(); EVENTS];
            let count = self.events(&mut events)?;
            for event in events.iter().take(count) {
                let place = usize::try_from(event.data).ok().and_then(|at| results.get_mut(at));
                *place.ok_or(io::ErrorKind::InvalidData)? = Some(event.result);
            }
            open = open.saturating_sub(count);
        }
        Ok(())
    }

    /// How many of `requests`, from the first on, the kernel has taken.
    fn submit(&self, requests: &[Request]) -> io::Result<usize> {
        let pointers: Vec<*const Request> = requests.iter().map(std::ptr::from_ref).collect();
        // SAFETY: the pointers are to requests that outlive the call, which copies them; what is
        // asked for needs no memory of ours afterwards.
        let result = unsafe {
            libc::syscall(libc::SYS_io_submit, self.0, pointers.len(), pointers.as_ptr())
        };
        usize::try_from(result).map_err(|_| io::Error::last_os_error())
    }

    /// Waits for one event at least.
    fn events(&self, events: &mut [Event]) -> io::Result<usize> {
        let no_limit = std::ptr::null_mut::<libc::timespec>();
        loop {
            let (first, most) = (events.as_mut_ptr(), events.len());
            // SAFETY: the kernel writes at most `most` events to where there is room for them.
            let result = unsafe {
                libc::syscall(libc::SYS_io_getevents, self.0, 1_usize, most, first, no_limit)
            };
            match usize::try_from(result) {
                Ok(count) => return Ok(count),
                Err(_) => match io::Error::last_os_error() {
                    error if error.kind() == io::ErrorKind::Interrupted => {}
                    error => return Err(error),
                },
            }
        }
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: the context is ours, and nobody uses it any more.
        unsafe { libc::syscall(libc::SYS_io_destroy, self.0) };
    }
}

fn fsync(file: BorrowedFd<'_>, at: u64) -> Request {
    let descriptor = file.as_raw_fd().unsigned_abs();
    Request { data: at, operation: FSYNC, descriptor, ..Request::default() }
}

fn outcome(result: i64) -> io::Result<()> {
    match i32::try_from(result) {
        Ok(0..) => Ok(()),
        Ok(errno) => Err(io::Error::from_raw_os_error(errno.saturating_neg())),
        Err(_) => Err(io::ErrorKind::Other.into()),
    }
}

fn sync_one(file: BorrowedFd<'_>) -> io::Result<()> {
    Ok(nix::unistd::fsync(file)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::Write;
    use std::os::fd::AsFd;

    #[test]
    fn what_the_kernel_reads_has_the_size_that_it_expects() {
        assert_eq!((size_of::<Request>(), size_of::<Event>()), (64, 32));
        assert_eq!(std::mem::offset_of!(Request, operation), 16);
        assert_eq!(std::mem::offset_of!(Request, descriptor), 20);
    }

    #[test]
    fn each_file_has_its_own_result_at_once_and_one_by_one() {
        let directory = tempfile::tempdir().unwrap();
        let pipe = crate::pipe().unwrap();
        let mut files: Vec<File> = (0..600)
            .map(|number| File::create(directory.path().join(number.to_string())).unwrap())
            .collect();
        files[7].write_all(b"x").unwrap();
        files[300] = File::from(pipe.read);
        files.push(File::open(directory.path()).unwrap());
        let files: Vec<BorrowedFd<'_>> = files.iter().map(AsFd::as_fd).collect();
        for mut group in [SyncGroup::new(), SyncGroup { context: None }] {
            let results = group.sync(&files);
            assert_eq!(results.len(), 601);
            for (number, result) in results.into_iter().enumerate() {
                let errno = result.map_err(|error| error.raw_os_error());
                // A pipe cannot be on disk.
                let expected = if number == 300 { Err(Some(libc::EINVAL)) } else { Ok(()) };
                assert_eq!(errno, expected, "file {number}");
            }
            assert!(group.sync(&[]).is_empty());
        }
    }

    #[test]
    fn what_the_kernel_has_taken_and_says_nothing_of_is_not_on_disk() {
        // No context has this number: nothing is heard.
        let (nobody, mut results) = (Context(0), vec![None; 3]);
        assert!(nobody.settle(2, &mut results).is_err());
        assert_eq!(results, [Some(UNKNOWN), Some(UNKNOWN), None]);
        assert!(outcome(UNKNOWN).is_err());
    }

    #[test]
    fn an_error_of_the_kernel_is_an_error() {
        assert!(outcome(0).is_ok());
        let error = outcome(i64::from(-libc::EIO)).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EIO));
        assert!(outcome(i64::MIN).is_err());
    }
}
