//! Groups as the C library knows them; as with users, for dynamically linked programs only.

use std::io;

/// The id of the group of this name; `None` if there is none.
///
/// # Errors
/// If a name service cannot tell.
pub fn group_id(name: &str) -> io::Result<Option<u32>> {
    Ok(nix::unistd::Group::from_name(name)?.map(|group| group.gid.as_raw()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_of_root_is_found_and_nobody_of_a_strange_name() {
        let zero = nix::unistd::Group::from_gid(0.into()).unwrap().unwrap();
        assert_eq!(group_id(&zero.name).unwrap(), Some(0));
        assert_eq!(group_id("no such group").unwrap(), None);
    }
}
