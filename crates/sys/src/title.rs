//! The arguments that ps(1) shows.

use std::ptr::{self, NonNull};

/// Where the kernel looks for them: see proc(5), `arg_start` and `arg_end`.
#[derive(Debug)]
pub struct Title {
    start: NonNull<u8>,
    length: usize,
}

impl Title {
    /// `None` if that cannot be known.
    pub fn find() -> Option<Self> {
        let status = std::fs::read_to_string("/proc/self/stat").ok()?;
        // What the name of the program is, nobody knows: the numbers begin after it.
        let (_, numbers) = status.rsplit_once(") ")?;
        // The first one is the third.
        let mut numbers = numbers.split(' ').skip(48 - 3).map(str::parse::<usize>);
        let (start, end) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
        let length = end.checked_sub(start)?;
        // The kernel is asked about the same bytes in another way.
        let known = std::fs::read("/proc/self/cmdline").ok()?;
        let start = NonNull::new(ptr::with_exposed_provenance_mut(start))?;
        (length == known.len()).then_some(Self { start, length })
    }

    /// Shows other arguments from now on, as far as there is room.
    pub fn show<'a>(&mut self, arguments: impl IntoIterator<Item = &'a [u8]>) {
        let mut bytes: Vec<u8> = Vec::with_capacity(self.length);
        for argument in arguments {
            bytes.extend_from_slice(argument);
            bytes.push(0);
        }
        // Not the last one: another byte there means that the environment continues them.
        bytes.resize(self.length.saturating_sub(1), 0);
        // SAFETY: these are the bytes of our arguments, which nobody refers to: std copies them
        // whenever it is asked, by pointers that stay as they are, and the last NUL stays, too.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.start.as_ptr(), bytes.len()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown() -> Vec<u8> {
        std::fs::read("/proc/self/cmdline").unwrap()
    }

    /// In a process of its own, whose arguments no other test asks for.
    #[test]
    fn others_see_what_is_shown() {
        let child = crate::fork(|| {
            let before = shown();
            let Some(mut title) = Title::find() else { return 1 };
            title.show([b"a".as_slice(), b"bc"]);
            let after = shown();
            if after.len() != before.len() || !after.starts_with(b"a\0bc\0") {
                return 2;
            }
            title.show([vec![b'x'; 10_000].as_slice()]);
            u8::from(shown() != [vec![b'x'; before.len() - 1], vec![0]].concat())
        });
        assert_eq!(child.unwrap().wait().unwrap(), crate::Exit::Code(0));
    }
}
