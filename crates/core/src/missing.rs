//! Files that need not be there.

use std::io;

/// What was found; `None` if it is missing, which is no error where nobody has to have it.
///
/// # Errors
/// All others.
pub fn if_there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_missing_is_no_error() {
        let error = |kind: io::ErrorKind| Err::<(), _>(kind.into());
        assert_eq!(if_there(Ok(())).unwrap(), Some(()));
        assert_eq!(if_there(error(io::ErrorKind::NotFound)).unwrap(), None);
        assert!(if_there(error(io::ErrorKind::PermissionDenied)).is_err());
    }
}
