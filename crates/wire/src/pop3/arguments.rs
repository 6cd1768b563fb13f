//! The numbers in arguments.

use crate::command::strip_spaces;

/// Why an argument does not name a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberError {
    /// It does not begin with a number, or lacks one behind it.
    Syntax,
    /// It is 0, but the first message is 1.
    Zero,
}

/// The index, counted from 0, of the message that an argument begins with. What follows the number
/// is not looked at; a number beyond all numbers is the largest.
pub fn message_number(argument: &[u8]) -> Result<usize, NumberError> {
    let (number, _) = leading_number(argument).ok_or(NumberError::Syntax)?;
    number.checked_sub(1).ok_or(NumberError::Zero)
}

/// As [`message_number`], with a number of lines behind it: the argument of TOP.
pub fn number_and_count(argument: &[u8]) -> Result<(usize, usize), NumberError> {
    let index = message_number(argument)?;
    let (_, rest) = leading_number(argument).ok_or(NumberError::Syntax)?;
    let (count, _) = leading_number(strip_spaces(rest)).ok_or(NumberError::Syntax)?;
    Ok((index, count))
}

fn leading_number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let length = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = bytes.split_at_checked(length).filter(|(digits, _)| !digits.is_empty())?;
    let add = |number: usize, digit: &u8| {
        number.saturating_mul(10).saturating_add(usize::from(digit.saturating_sub(b'0')))
    };
    Some((digits.iter().fold(0, add), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_counted_from_one() {
        assert_eq!(message_number(b"1"), Ok(0));
        assert_eq!(message_number(b"0012 rest"), Ok(11));
        assert_eq!(message_number(b"0"), Err(NumberError::Zero));
        for argument in ["", "x", "-1", "+1"] {
            assert_eq!(message_number(argument.as_bytes()), Err(NumberError::Syntax));
        }
    }

    #[test]
    fn a_number_never_wraps() {
        assert_eq!(message_number(b"18446744073709551617"), Ok(usize::MAX - 1));
    }

    #[test]
    fn top_wants_two_numbers() {
        assert_eq!(number_and_count(b"2  10 x"), Ok((1, 10)));
        assert_eq!(number_and_count(b"2 0"), Ok((1, 0)));
        assert_eq!(number_and_count(b"2"), Err(NumberError::Syntax));
        assert_eq!(number_and_count(b"2 x"), Err(NumberError::Syntax));
        assert_eq!(number_and_count(b"0 1"), Err(NumberError::Zero));
    }
}
