//! Numbers and letters that are set when the programs are built: `install/conf-*`.

use crate::home::first_line;

const SPAWN: &str = include_str!("../../../install/conf-spawn");
const BREAK: &str = include_str!("../../../install/conf-break");
const PATERNALISM: &str = include_str!("../../../install/conf-patrn");

/// How many deliveries a spawner runs at once, at most.
pub fn spawn_limit() -> u8 {
    first_line(SPAWN).parse().unwrap_or(120)
}

/// What stands between the name of a user and the extension in his addresses.
pub fn break_character() -> u8 {
    first_line(BREAK).bytes().next().unwrap_or(b'-')
}

/// Mode bits that neither a home directory nor a `.qmail` file may have: others could make
/// themselves that user.
pub fn paternalism_mask() -> u32 {
    u32::from_str_radix(first_line(PATERNALISM), 8).unwrap_or(0o002)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_files_say_is_what_is_used() {
        assert_eq!(first_line(SPAWN), spawn_limit().to_string());
        assert_eq!(first_line(BREAK).as_bytes(), [break_character()]);
        assert_eq!(first_line(PATERNALISM), format!("{:03o}", paternalism_mask()));
    }
}
