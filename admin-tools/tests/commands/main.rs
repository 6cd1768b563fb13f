//! The commands as programs: their exit codes, what they say, and what they leave behind.

#[cfg(test)]
mod queue;
#[cfg(test)]
mod services;
#[cfg(test)]
mod setup;
#[cfg(test)]
mod support;
#[cfg(test)]
mod users;
