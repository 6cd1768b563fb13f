//! Scripts, units and examples: their texts, with what depends on the tree filled in.

use std::path::Path;

/// `text` for the tree at `home`.
///
/// `QMAILHOME` and `@QMAIL@` are its path. A tree that is not where the programs look by themselves
/// has to be named to them: a line `#@EXPORT@` does that, and `@VARIABLE@` before the words of
/// env(1).
pub(crate) fn filled(text: &str, home: &Path) -> String {
    let shown = home.display().to_string();
    let is_elsewhere = home != qmail_core::home::built_in();
    let variable = if is_elsewhere { format!("QMAILHOME='{shown}' ") } else { String::new() };
    let export = match variable.trim_end() {
        "" => String::new(),
        variable => format!("export {variable}\n"),
    };
    text.replace("QMAILHOME", &shown)
        .replace("#@EXPORT@\n", &export)
        .replace("@VARIABLE@", &variable)
        .replace("@QMAIL@", &shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "home=@QMAIL@\n#@EXPORT@\nexec env - @VARIABLE@PATH=QMAILHOME/bin x\n";

    #[test]
    fn the_usual_tree_needs_no_variable() {
        let home = qmail_core::home::built_in();
        let expected = format!("home={0}\nexec env - PATH={0}/bin x\n", home.display());
        assert_eq!(filled(TEXT, home), expected);
    }

    #[test]
    fn a_tree_elsewhere_is_named() {
        let expected = "home=/q\nexport QMAILHOME='/q'\nexec env - QMAILHOME='/q' PATH=/q/bin x\n";
        assert_eq!(filled(TEXT, Path::new("/q")), expected);
    }
}
