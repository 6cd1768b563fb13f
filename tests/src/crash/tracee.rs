//! A process that is stopped at a system call: its arguments, memory, paths and descriptors.

use std::fs::{self, File, Metadata};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use libc::c_long;
use nix::sys::ptrace;
use nix::unistd::Pid;

use super::call::PathAt;

/// Paths are not longer.
const LONGEST_PATH: usize = 4096;

/// A system call as it begins.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) pid: Pid,
    pub(crate) number: c_long,
    arguments: [u64; 6],
    instruction: u64,
}

impl Entry {
    /// Of a process that is stopped there; none if it has died meanwhile.
    pub(crate) fn of(pid: Pid) -> Option<Self> {
        let registers = ptrace::getregs(pid).ok()?;
        let number = c_long::try_from(registers.orig_rax).unwrap_or(-1);
        let arguments = [
            registers.rdi,
            registers.rsi,
            registers.rdx,
            registers.r10,
            registers.r8,
            registers.r9,
        ];
        Some(Self { pid, number, arguments, instruction: registers.rip })
    }

    pub(crate) fn argument(&self, number: usize) -> u64 {
        self.arguments[number]
    }

    /// A descriptor, or a number that is none.
    pub(crate) fn descriptor(&self, number: usize) -> i32 {
        // The upper half of the register is not looked at by the kernel either.
        self.arguments[number] as u32 as i32
    }

    /// Lets the call do nothing; what it returns is set when it ends.
    pub(crate) fn suppress(&self) {
        if let Ok(mut registers) = ptrace::getregs(self.pid) {
            registers.orig_rax = u64::MAX;
            let _ = ptrace::setregs(self.pid, registers);
        }
    }

    /// A path that it names, as we see it.
    pub(crate) fn path(&self, at: PathAt) -> Option<PathBuf> {
        let path = self.text(self.argument(at.path))?;
        let process = PathBuf::from(format!("/proc/{}", self.pid));
        if path.is_absolute() {
            return Some(process.join("root").join(path.strip_prefix("/").ok()?));
        }
        let descriptor = at.directory.map(|number| self.descriptor(number));
        let base = match descriptor {
            None | Some(libc::AT_FDCWD) => process.join("cwd"),
            Some(number) => process.join(format!("fd/{number}")),
        };
        Some(base.join(path))
    }

    /// The file behind a descriptor.
    pub(crate) fn file(&self, descriptor: i32) -> Option<Metadata> {
        fs::metadata(format!("/proc/{}/fd/{descriptor}", self.pid)).ok()
    }

    /// Where the next write to a descriptor goes.
    pub(crate) fn position(&self, descriptor: i32) -> u64 {
        let path = format!("/proc/{}/fdinfo/{descriptor}", self.pid);
        let text = fs::read_to_string(path).unwrap_or_default();
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            Some(line.trim().to_owned())
        };
        let flags = field("flags:").and_then(|octal| i32::from_str_radix(&octal, 8).ok());
        if flags.is_some_and(|flags| flags & libc::O_APPEND != 0) {
            return self.file(descriptor).map_or(0, |file| file.len());
        }
        field("pos:").and_then(|number| number.parse().ok()).unwrap_or(0)
    }

    /// Bytes of its memory.
    pub(crate) fn bytes(&self, address: u64, length: u64) -> Vec<u8> {
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        let memory = File::open(format!("/proc/{}/mem", self.pid));
        let read = memory.and_then(|memory| memory.read_exact_at(&mut bytes, address));
        assert!(read.is_ok(), "the memory of process {} cannot be read", self.pid);
        bytes
    }

    /// Other bytes in its memory.
    pub(crate) fn overwrite(&self, address: u64, bytes: &[u8]) {
        let memory = File::options().write(true).open(format!("/proc/{}/mem", self.pid));
        let written = memory.and_then(|memory| memory.write_all_at(bytes, address));
        assert!(written.is_ok(), "the memory of process {} cannot be written", self.pid);
    }

    /// The bytes of several buffers.
    pub(crate) fn vector(&self, address: u64, count: u64) -> Vec<u8> {
        let table = self.bytes(address, count.saturating_mul(16));
        let word = |bytes: &[u8]| bytes.try_into().map(u64::from_ne_bytes).unwrap_or(0);
        table.chunks(16).flat_map(|row| self.bytes(word(&row[..8]), word(&row[8..]))).collect()
    }

    /// Whether it is the dynamic loader that calls, before the program has begun.
    pub(crate) fn is_of_loader(&self) -> bool {
        mapping(self.pid, self.instruction).is_some_and(|line| line.contains("/ld-"))
    }

    fn text(&self, address: u64) -> Option<PathBuf> {
        let memory = File::open(format!("/proc/{}/mem", self.pid)).ok()?;
        let mut bytes = Vec::new();
        // A page at most at a time: the next one may not be there.
        while bytes.len() < LONGEST_PATH {
            let from = address + bytes.len() as u64;
            let mut block = vec![0; usize::try_from(4096 - from % 4096).unwrap_or(1)];
            let length = memory.read_at(&mut block, from).ok().filter(|length| *length > 0)?;
            block.truncate(length);
            if let Some(end) = block.iter().position(|byte| *byte == 0) {
                bytes.extend_from_slice(&block[..end]);
                return Some(PathBuf::from(std::ffi::OsString::from_vec(bytes)));
            }
            bytes.extend(block);
        }
        None
    }
}

/// What a call returned.
pub(crate) fn result(pid: Pid) -> Option<i64> {
    // Negative numbers are errors.
    ptrace::getregs(pid).ok().map(|registers| registers.rax as i64)
}

/// Has a call return an error.
pub(crate) fn fail(pid: Pid, errno: i32) {
    if let Ok(mut registers) = ptrace::getregs(pid) {
        registers.rax = i64::from(-errno) as u64;
        let _ = ptrace::setregs(pid, registers);
    }
}

/// The line of its `maps` with an address.
pub(crate) fn mapping(pid: Pid, address: u64) -> Option<String> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).ok()?;
    let has_it = |line: &&str| {
        let range = line.split_once(' ').and_then(|(range, _)| range.split_once('-'));
        let parse = |text: &str| u64::from_str_radix(text, 16).unwrap_or(0);
        range.is_some_and(|(from, to)| (parse(from)..parse(to)).contains(&address))
    };
    maps.lines().find(has_it).map(str::to_owned)
}

/// What a process is called, at most 15 bytes of it.
pub(crate) fn name(pid: Pid) -> String {
    let name = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("comm"));
    name.unwrap_or_default().trim_end().to_owned()
}
