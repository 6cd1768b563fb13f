//! The variables of a session: those of the process, and what was changed since.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use qmail_core::variable::harmless;
use qmail_sys::Spawn;

/// What whoever started us has heard from the other side: from its name servers, or from itself.
const HEARSAY: [&str; 3] = ["TCPREMOTEHOST", "TCPREMOTEINFO", "TCPLOCALHOST"];

/// Looks a variable of the process up.
pub type Lookup = Box<dyn Fn(&str) -> Option<Vec<u8>>>;

/// What programs started for a client see as their environment.
pub struct Variables {
    inherited: Lookup,
    changes: BTreeMap<String, Option<Vec<u8>>>,
}

impl Variables {
    /// Those that `inherited` knows.
    pub fn new(inherited: Lookup) -> Self {
        Self { inherited, changes: BTreeMap::new() }
    }

    /// None at all.
    pub fn none() -> Self {
        Self::new(Box::new(|_| None))
    }

    /// The value of a variable.
    pub fn value(&self, name: &str) -> Option<Vec<u8>> {
        match self.changes.get(name) {
            Some(changed) => changed.clone(),
            None => (self.inherited)(name),
        }
    }

    /// Whether there is such a variable, be it empty.
    pub fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// Sets a variable. A name or value that no environment can hold is not set, and one that a shell
    /// would run is made [`harmless`]: most are what a client has said.
    pub fn set(&mut self, name: &str, value: &[u8]) {
        if is_name(name) && !value.contains(&0) {
            self.changes.insert(name.to_owned(), Some(harmless(value).into_owned()));
        }
    }

    /// Takes a variable away.
    pub fn remove(&mut self, name: &str) {
        if is_name(name) {
            self.changes.insert(name.to_owned(), None);
        }
    }

    /// Takes a change back.
    pub fn restore(&mut self, name: &str) {
        self.changes.remove(name);
    }

    /// Gives a program these variables.
    pub fn prepare<'fd>(&self, spawn: Spawn<'fd>) -> Spawn<'fd> {
        let spawn = HEARSAY.into_iter().fold(spawn, |spawn, name| match (self.inherited)(name) {
            Some(value) => match harmless(&value) {
                Cow::Owned(changed) => spawn.env(name, &changed),
                Cow::Borrowed(_) => spawn,
            },
            None => spawn,
        });
        self.changes.iter().fold(spawn, |spawn, (name, value)| match value {
            Some(value) => spawn.env(name, value),
            None => spawn.env_remove(name),
        })
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(['=', '\0'])
}

impl fmt::Debug for Variables {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Variables").field("changes", &self.changes).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_hides_what_was_inherited() {
        let mut variables = Variables::new(Box::new(|name| Some(name.as_bytes().to_vec())));
        assert_eq!(variables.value("A").unwrap(), b"A");
        variables.set("A", b"b");
        assert_eq!(variables.value("A").unwrap(), b"b");
        variables.remove("A");
        assert!(!variables.has("A") && variables.has("B"));
    }

    #[test]
    fn no_program_is_given_a_function() {
        let mut variables =
            Variables::new(Box::new(|name| Some([b"() ", name.as_bytes()].concat())));
        variables.set("A", b"() { :;}");
        variables.set("TCPLOCALHOST", b"here");
        let spawn = variables.prepare(Spawn::new("x"));
        let shown: Vec<String> =
            spawn.parts().unwrap().environment.iter().map(|entry| format!("{entry:?}")).collect();
        let expected = [
            r#"("TCPREMOTEHOST", Some("_) TCPREMOTEHOST"))"#,
            r#"("TCPREMOTEINFO", Some("_) TCPREMOTEINFO"))"#,
            r#"("TCPLOCALHOST", Some("_) TCPLOCALHOST"))"#,
            r#"("A", Some("_) { :;}"))"#,
            // The last one counts.
            r#"("TCPLOCALHOST", Some("here"))"#,
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn what_no_environment_can_hold_is_not_set() {
        let mut variables = Variables::none();
        variables.set("", b"x");
        variables.set("A=B", b"x");
        variables.set("C", b"x\0y");
        assert!(!variables.has("") && !variables.has("A=B") && !variables.has("C"));
    }
}
