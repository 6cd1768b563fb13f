//! Taking the keys from whoever this process becomes: qmail-remote runs as the same user, and talks
//! to strangers.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use qmail_sys::Readable;

/// Makes all files below `directory` unreadable from now on, if this kernel can do that and there
/// is such a directory. Modes protect them from everybody else in any case.
pub(crate) fn conceal(directory: &Path) -> io::Result<()> {
    let directory = match fs::canonicalize(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        found => found?,
    };
    let Some(readable) = Readable::nothing()? else { return Ok(()) };
    // All that is beside the way from the root to there stays readable.
    let mut on_the_way: Vec<&Path> = directory.ancestors().collect();
    on_the_way.reverse();
    for pair in on_the_way.windows(2) {
        let [above, next] = pair else { continue };
        for entry in fs::read_dir(above)? {
            let path = entry?.path();
            if path == *next {
                continue;
            }
            match readable.allow(&path) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                allowed => allowed?,
            }
        }
    }
    readable.enforce()
}
