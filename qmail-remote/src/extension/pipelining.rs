//! RFC 2920: several commands go out together, and then their replies are read.

/// Bytes that are sent before the replies are read. They and the replies to them fit into the
/// buffers of any connection, so that neither side waits for the other to read.
const MOST: usize = 4096;

/// The commands that go out together: all that fit if the server `pipelines`, else one. Returns
/// them, and how many they are.
pub(crate) fn batch(
    mut commands: impl Iterator<Item = Vec<u8>>,
    pipelines: bool,
) -> (Vec<u8>, usize) {
    let mut bytes = commands.next().unwrap_or_default();
    let mut count = 1;
    for command in commands {
        if !pipelines || bytes.len() + command.len() > MOST {
            break;
        }
        bytes.extend(command);
        count += 1;
    }
    (bytes, count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_by_one_or_as_many_as_fit() {
        let commands = || (0..10).map(|_| vec![b'x'; 1000]);
        assert_eq!(batch(commands(), false), (vec![b'x'; 1000], 1));
        assert_eq!(batch(commands(), true), (vec![b'x'; 4000], 4));
        assert_eq!(batch([vec![b'x'; 5000], vec![]].into_iter(), true).1, 1);
    }
}
