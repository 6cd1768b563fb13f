//! crypt(3), and the file where passwords stand as it left them.

use std::ffi::{CStr, CString};
use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::{Mutex, PoisonError};

/// More than any line of a shadow file.
const LARGEST_ENTRY: usize = 1 << 20;

#[link(name = "crypt")]
unsafe extern "C" {
    #[link_name = "crypt"]
    fn c_crypt(key: *const libc::c_char, setting: *const libc::c_char) -> *mut libc::c_char;
}

/// crypt(3) keeps its result in memory of its own.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Hashes `password` in the way and with the salt that `setting`, an earlier hash, names.
///
/// `None` if the C library does not know that way, or if either has a NUL.
pub fn crypt(password: &[u8], setting: &[u8]) -> Option<Vec<u8>> {
    let password = CString::new(password).ok()?;
    let setting = CString::new(setting).ok()?;
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: both strings end in NUL and live through the call, which nobody else makes now.
    let hash = unsafe { c_crypt(password.as_ptr(), setting.as_ptr()) };
    if hash.is_null() {
        return None;
    }
    // SAFETY: not null, so it is a string that ends in NUL and stays until the next call.
    let hash = unsafe { CStr::from_ptr(hash) }.to_bytes().to_vec();
    // The other way in which it says that it failed: `*0` or `*1`.
    if hash.starts_with(b"*") { None } else { Some(hash) }
}

/// A line of shadow(5), as far as it says who may log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shadow {
    /// The password as crypt(3) left it; something else if the account is locked.
    pub password: Vec<u8>,
    /// The day, counted from 1970, from which the account may not be used any more.
    pub expires: Option<u64>,
}

impl Shadow {
    /// The entry of the user of this name; `None` if there is none.
    ///
    /// # Errors
    /// `EACCES` if we may not read it, or if a name service cannot tell.
    pub fn find(name: &[u8]) -> io::Result<Option<Self>> {
        let Ok(name) = CString::new(name) else { return Ok(None) };
        let mut size = 1024;
        loop {
            match Self::find_within(&name, size) {
                Err(error)
                    if error.raw_os_error() == Some(libc::ERANGE) && size < LARGEST_ENTRY =>
                {
                    size *= 2;
                }
                result => return result,
            }
        }
    }

    /// As [`Self::find`], with so many bytes for the strings of the entry, or `ERANGE`.
    fn find_within(name: &CStr, size: usize) -> io::Result<Option<Self>> {
        let mut strings: Vec<libc::c_char> = vec![0; size];
        let mut entry = MaybeUninit::<libc::spwd>::uninit();
        let mut found: *mut libc::spwd = ptr::null_mut();
        // SAFETY: all memory is ours, of the size that is said, and lives through the call.
        let errno = unsafe {
            libc::getspnam_r(
                name.as_ptr(),
                entry.as_mut_ptr(),
                strings.as_mut_ptr(),
                strings.len(),
                &raw mut found,
            )
        };
        if found.is_null() {
            return match errno {
                0 => Ok(None),
                errno => Err(io::Error::from_raw_os_error(errno)),
            };
        }
        // SAFETY: `found` is set only when the C library has filled the entry.
        let entry = unsafe { entry.assume_init() };
        if entry.sp_pwdp.is_null() {
            return Ok(None);
        }
        // SAFETY: it points at a string that ends in NUL inside `strings`, which is still there.
        let password = unsafe { CStr::from_ptr(entry.sp_pwdp) }.to_bytes().to_vec();
        // An empty field is -1.
        let expires = u64::try_from(entry.sp_expire).ok();
        Ok(Some(Self { password, expires }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_the_setting_for_itself() {
        // The first test vector of the SHA-crypt specification; OpenSSL agrees.
        let hash = b"$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1";
        assert_eq!(crypt(b"Hello world!", hash).unwrap(), hash);
        assert_ne!(crypt(b"Hello world", hash).unwrap(), hash);
    }

    #[test]
    fn what_is_no_setting_gives_no_hash() {
        for setting in [b"".as_slice(), b"x", b"!", b"*", b"*0", b"$unknown$salt$", b"$6$\0"] {
            assert_eq!(crypt(b"", setting), None, "{setting:?}");
        }
    }

    #[test]
    fn an_unknown_user_has_no_entry() {
        // Who may not read the file is told so instead.
        match Shadow::find(b"no such user") {
            Ok(entry) => assert_eq!(entry, None),
            Err(error) => assert_eq!(error.raw_os_error(), Some(libc::EACCES)),
        }
        assert_eq!(Shadow::find(b"a\0b").unwrap(), None);
    }

    #[test]
    fn a_long_entry_gets_more_memory() {
        match Shadow::find_within(c"root", 4) {
            Ok(entry) => assert_eq!(entry, None),
            Err(error) => {
                assert!(matches!(error.raw_os_error(), Some(libc::ERANGE | libc::EACCES)));
            }
        }
    }
}
