//! Words in a list of ciphers that select none of ours.

use super::{NEW, OLD};

/// The words of a list that ask for a cipher and select none that there is here: ciphers that are
/// too weak to be had any more, or typing errors. Words that only take ciphers away are fine.
pub fn unknown_words(list: &str) -> impl Iterator<Item = &str> {
    let words = list.split([':', ',', ' ', ';']).filter(|word| !word.is_empty());
    words.filter(|word| !word.starts_with(['!', '-', '+', '@']) && !is_known(word))
}

fn is_known(word: &str) -> bool {
    NEW.iter().chain(OLD).any(|cipher| cipher.has(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_that_ask_in_vain_are_unknown() {
        let list = "HIGH:!aNULL:AES256-SHA:ECDHE+AESGCM:-MD5:kEDH:@STRENGTH:TLS_AES_128_GCM_SHA256";
        let unknown: Vec<&str> = unknown_words(list).collect();
        assert_eq!(unknown, ["AES256-SHA", "kEDH"]);
        assert_eq!(unknown_words("DEFAULT").count(), 0);
        assert_eq!(unknown_words("RC4 3DES,HGIH;").count(), 3);
    }
}
