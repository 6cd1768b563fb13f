//! Files of the administrator.

use qmail_core::accounts::Accounts;
use qmail_core::control::{first_line, leading_number, list_lines};
use qmail_core::users::Assignment;
use qmail_dns::Config;

/// Lines that count have something to say, once and for all.
pub(crate) fn control(file: &[u8]) {
    let lines = list_lines(file);
    for line in &lines {
        assert!(!line.is_empty() && !line.starts_with(b"#"));
        assert!(!line.iter().any(|byte| matches!(byte, b'\n' | 0)));
        assert!(!matches!(line.last(), Some(b' ' | b'\t')));
    }
    assert_eq!(list_lines(&lines.join(&b'\n')), lines);

    let first = first_line(file);
    assert!(!first.contains(&b'\n') && file.starts_with(&first));
    assert_eq!(first_line(&first), first);

    let digits: Vec<u8> = file.iter().copied().take_while(u8::is_ascii_digit).collect();
    let number = std::str::from_utf8(&digits).unwrap().parse();
    let expected = if digits.is_empty() { None } else { Some(number.unwrap_or(u64::MAX)) };
    assert_eq!(leading_number(file), expected);

    if let Ok(assignment) = Assignment::parse(file) {
        assert_eq!(Assignment::parse(&assignment.to_bytes()), Ok(assignment));
    }
    let text = String::from_utf8_lossy(file);
    let _ = Config::parse(&text);
    if let Ok(accounts) = Accounts::from_ids(&text) {
        let ids = accounts.to_ids();
        assert_eq!(Accounts::from_ids(&ids).unwrap().to_ids(), ids);
    }
}
