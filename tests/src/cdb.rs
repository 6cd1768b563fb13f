//! A small writer of constant databases, so that tests depend on no tool.

/// The bytes of a database with these records.
#[must_use]
pub fn make(records: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut file = vec![0; 2048];
    let mut tables: Vec<Vec<(u32, u32)>> = vec![Vec::new(); 256];
    for (key, data) in records {
        let hash = hash(key);
        tables[(hash & 255) as usize].push((hash, size(file.len())));
        file.extend(size(key.len()).to_le_bytes());
        file.extend(size(data.len()).to_le_bytes());
        file.extend(*key);
        file.extend(*data);
    }
    for (bucket, entries) in tables.iter().enumerate() {
        let slots = place(entries);
        let header = bucket * 8;
        let position = size(file.len()).to_le_bytes();
        file[header..header + 4].copy_from_slice(&position);
        file[header + 4..header + 8].copy_from_slice(&size(slots.len()).to_le_bytes());
        for (hash, position) in slots {
            file.extend(hash.to_le_bytes());
            file.extend(position.to_le_bytes());
        }
    }
    file
}

fn place(entries: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut slots = vec![(0, 0); entries.len() * 2];
    for (hash, position) in entries {
        let mut slot = (hash >> 8) as usize % slots.len();
        while slots[slot].1 != 0 {
            slot = (slot + 1) % slots.len();
        }
        slots[slot] = (*hash, *position);
    }
    slots
}

fn hash(key: &[u8]) -> u32 {
    key.iter().fold(5381_u32, |hash, byte| (hash << 5).wrapping_add(hash) ^ u32::from(*byte))
}

fn size(length: usize) -> u32 {
    u32::try_from(length).expect("a test database is small")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_database_has_the_bytes_of_the_format() {
        let file = make(&[(b"", b"")]);
        assert_eq!(file.len(), 2072);
        assert_eq!(file[5 * 8..5 * 8 + 8], [8, 8, 0, 0, 2, 0, 0, 0]);
        assert_eq!(file[2064..], [5, 0x15, 0, 0, 0, 8, 0, 0]);
    }
}
