//! POSIX extended regular expressions in the syntax of the regex crate: what one means in the other.

/// Larger counts in braces are an error, as in the C library.
const MOST_REPETITIONS: u32 = 32_767;
/// Expressions nested deeper are an error.
const DEEPEST: usize = 50;

type Failure = &'static str;

/// The same expression for the regex crate, in ASCII only.
///
/// # Errors
/// What is wrong with it, in the words of the C library.
pub(super) fn translate(expression: &[u8]) -> Result<String, Failure> {
    let mut translator = Translator { rest: expression, output: String::new(), groups: Vec::new() };
    // Where the element begins that an operator would repeat.
    let mut element: Option<usize> = None;
    while let Some((byte, rest)) = translator.rest.split_first() {
        translator.rest = rest;
        let start = translator.output.len();
        element = match byte {
            b'*' | b'+' | b'?' | b'{' => Some(translator.repeat(*byte, element)?),
            b'(' => {
                translator.open(start)?;
                None
            }
            b')' if !translator.groups.is_empty() => translator.close(),
            b'|' => {
                translator.output.push('|');
                None
            }
            b'^' | b'$' => {
                translator.output.push(char::from(*byte));
                None
            }
            b'.' => {
                translator.output.push('.');
                Some(start)
            }
            b'[' => {
                translator.set()?;
                Some(start)
            }
            b'\\' => {
                translator.escaped()?;
                Some(start)
            }
            byte => {
                push_literal(&mut translator.output, *byte);
                Some(start)
            }
        };
    }
    if translator.groups.is_empty() { Ok(translator.output) } else { Err("Unmatched ( or \\(") }
}

struct Translator<'a> {
    rest: &'a [u8],
    output: String,
    /// Where the open groups begin.
    groups: Vec<usize>,
}

impl Translator<'_> {
    fn open(&mut self, start: usize) -> Result<(), Failure> {
        if self.groups.len() >= DEEPEST {
            return Err("Regular expression too big");
        }
        self.groups.push(start);
        self.output.push_str("(?:");
        Ok(())
    }

    fn close(&mut self) -> Option<usize> {
        let start = self.groups.pop();
        self.output.push(')');
        start
    }

    /// An operator repeats what stands before it, and that is an element of its own: in Perl, a
    /// second operator would change the first one instead.
    fn repeat(&mut self, operator: u8, element: Option<usize>) -> Result<usize, Failure> {
        let start = element.ok_or("Invalid preceding regular expression")?;
        let count = match operator {
            b'{' => self.count()?,
            operator => char::from(operator).to_string(),
        };
        self.output.insert_str(start, "(?:");
        self.output.push(')');
        self.output.push_str(&count);
        self.output.insert_str(start, "(?:");
        self.output.push(')');
        Ok(start)
    }

    /// `{2}`, `{2,}`, `{2,3}` or `{,3}`, behind the brace.
    fn count(&mut self) -> Result<String, Failure> {
        let end = self.rest.iter().position(|byte| *byte == b'}').ok_or("Unmatched { or \\{")?;
        let (inside, behind) = self.rest.split_at(end);
        self.rest = behind.get(1..).unwrap_or_default();
        let malformed = "Invalid content of \\{\\}";
        let inside = std::str::from_utf8(inside).map_err(|_| malformed)?;
        let number = |digits: &str| match digits.parse::<u32>() {
            Ok(number) if number <= MOST_REPETITIONS && !digits.starts_with('+') => Ok(number),
            _ => Err(malformed),
        };
        match inside.split_once(',') {
            None => Ok(format!("{{{}}}", number(inside)?)),
            Some(("", "")) => Ok("*".to_owned()),
            Some((least, "")) => Ok(format!("{{{},}}", number(least)?)),
            Some((least, most)) => {
                let least = if least.is_empty() { 0 } else { number(least)? };
                let most = number(most)?;
                if least > most {
                    return Err(malformed);
                }
                Ok(format!("{{{least},{most}}}"))
            }
        }
    }

    /// A backslash makes a byte plain; before some letters it is an extension of GNU.
    fn escaped(&mut self) -> Result<(), Failure> {
        let (byte, rest) = self.rest.split_first().ok_or("Trailing backslash")?;
        self.rest = rest;
        let special = match byte {
            b'1'..=b'9' => return Err("Invalid back reference"),
            b'w' => "[0-9A-Za-z_]",
            b'W' => "[^0-9A-Za-z_]",
            b's' => "[\\t-\\r ]",
            b'S' => "[^\\t-\\r ]",
            b'b' => "\\b",
            b'B' => "\\B",
            b'<' => "\\b{start}",
            b'>' => "\\b{end}",
            b'`' => "\\A",
            b'\'' => "\\z",
            _ => {
                push_literal(&mut self.output, *byte);
                return Ok(());
            }
        };
        self.output.push_str(special);
        Ok(())
    }

    /// What stands in brackets, behind the first one. A backslash is plain there.
    fn set(&mut self) -> Result<(), Failure> {
        self.output.push('[');
        if let Some(rest) = self.rest.strip_prefix(b"^") {
            self.output.push('^');
            self.rest = rest;
        }
        let mut is_first = true;
        loop {
            match self.member(is_first)? {
                Member::End => break,
                Member::Class(name) => {
                    self.output.push_str("[:");
                    self.output.push_str(name);
                    self.output.push_str(":]");
                }
                Member::Byte(low) => self.range(low)?,
            }
            is_first = false;
        }
        self.output.push(']');
        Ok(())
    }

    /// A byte, or a range that begins with it.
    fn range(&mut self, low: u8) -> Result<(), Failure> {
        push_code(&mut self.output, low);
        let Some(rest) = self.rest.strip_prefix(b"-") else { return Ok(()) };
        if rest.starts_with(b"]") {
            return Ok(());
        }
        self.rest = rest;
        match self.member(true)? {
            Member::Byte(high) if high >= low => {
                self.output.push('-');
                push_code(&mut self.output, high);
                Ok(())
            }
            _ => Err("Invalid range end"),
        }
    }

    fn member(&mut self, is_first: bool) -> Result<Member, Failure> {
        let unmatched = "Unmatched [, [^, [:, [., or [=";
        let (byte, rest) = self.rest.split_first().ok_or(unmatched)?;
        self.rest = rest;
        let kind = match (byte, rest.first()) {
            (b']', _) if !is_first => return Ok(Member::End),
            (b'[', Some(kind @ (b':' | b'.' | b'='))) => *kind,
            _ => return Ok(Member::Byte(*byte)),
        };
        let inside = rest.get(1..).unwrap_or_default();
        let end = inside.windows(2).position(|pair| pair == [kind, b']']).ok_or(unmatched)?;
        let (name, behind) = inside.split_at(end);
        self.rest = behind.get(2..).unwrap_or_default();
        match (kind, name) {
            (b':', name) => class(name).map(Member::Class),
            (_, [byte]) => Ok(Member::Byte(*byte)),
            _ => Err("Invalid collation character"),
        }
    }
}

/// What may stand in brackets.
enum Member {
    Byte(u8),
    Class(&'static str),
    End,
}

fn class(name: &[u8]) -> Result<&'static str, Failure> {
    const CLASSES: [&str; 12] = [
        "alnum", "alpha", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space",
        "upper", "xdigit",
    ];
    let found = CLASSES.into_iter().find(|class| class.as_bytes() == name);
    found.ok_or("Invalid character class name")
}

fn push_literal(output: &mut String, byte: u8) {
    if byte.is_ascii_alphanumeric() || byte == b'@' {
        output.push(char::from(byte));
    } else {
        push_code(output, byte);
    }
}

fn push_code(output: &mut String, byte: u8) {
    output.push_str(&format!("\\x{byte:02x}"));
}
