//! What a look at a tree has found.

/// What making a tree would do, and what has to be seen to first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// What would change, and what would stay though nobody knows it: a line each.
    pub lines: Vec<String>,
    /// What would stop working, or stop the installation: a line each.
    pub warnings: Vec<String>,
}

impl Findings {
    /// Something would be done.
    pub(crate) fn would(&mut self, what: impl Into<String>) {
        self.lines.push(format!("would {}", what.into()));
    }

    /// Something would stay as it is, and nobody here uses it.
    pub(crate) fn stays(&mut self, what: impl Into<String>) {
        self.lines.push(format!("stays: {}", what.into()));
    }

    /// Somebody should know this before he goes on.
    pub(crate) fn warn(&mut self, what: impl Into<String>) {
        self.warnings.push(format!("install: warning: {}", what.into()));
    }
}
