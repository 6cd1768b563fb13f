//! The commands as programs: their exit codes, what they say, and what they leave behind.

#[cfg(test)]
mod delivery;
#[cfg(test)]
mod mailbox;
#[cfg(test)]
mod support;
