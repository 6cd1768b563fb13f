//! qmail-local, run directly.

use std::ffi::OsString;

use crate::Tree;
use crate::process::{Finished, Program};
use crate::user::User;

/// The arguments of qmail-local and the message.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Options before the arguments.
    pub options: Vec<String>,
    /// First argument, the account.
    pub user: String,
    /// Second argument, the home directory.
    pub home: OsString,
    /// Third argument, the local part.
    pub local: OsString,
    /// Fourth argument, what joins user and extension.
    pub dash: String,
    /// Fifth argument, the extension.
    pub extension: OsString,
    /// Sixth argument, the domain.
    pub domain: OsString,
    /// Seventh argument, the envelope sender.
    pub sender: OsString,
    /// Eighth argument, the instructions where there are none.
    pub default_delivery: String,
    /// The message.
    pub message: Vec<u8>,
}

impl Delivery {
    /// Of a short message to the user himself.
    #[must_use]
    pub fn to(user: &User) -> Self {
        Self {
            options: vec!["--".to_owned()],
            user: user.name().to_owned(),
            home: user.home().into(),
            local: user.name().into(),
            dash: String::new(),
            extension: OsString::new(),
            domain: "test.example".into(),
            sender: "sender@far.example".into(),
            default_delivery: "./default-mbox".to_owned(),
            message: b"Subject: hello\n\nHi.\n".to_vec(),
        }
    }

    /// The same to one of his extension addresses.
    #[must_use]
    pub fn to_extension(user: &User, extension: &str) -> Self {
        Self {
            local: format!("{}-{extension}", user.name()).into(),
            dash: "-".to_owned(),
            extension: extension.into(),
            ..Self::to(user)
        }
    }
}

impl Tree {
    /// qmail-local as `user`, in a home with test user `user`'s files, not yet started.
    ///
    /// # Panics
    ///
    /// When the message cannot be written where qmail-local reads it.
    #[must_use]
    pub fn local_program(&self, user: &User, delivery: &Delivery) -> Program<'_> {
        let message = self.scratch().join("message");
        crate::files::write(&message, &delivery.message);
        let message = std::fs::File::open(message).expect("just written");
        self.local_arguments(user, delivery).stdin_from(message)
    }

    /// qmail-local as `user`, without a message.
    #[must_use]
    pub fn local_arguments(&self, user: &User, delivery: &Delivery) -> Program<'_> {
        self.program("qmail-local")
            .run_as(user.identity())
            .args(&delivery.options)
            .args([OsString::from(&delivery.user), delivery.home.clone(), delivery.local.clone()])
            .args([OsString::from(&delivery.dash), delivery.extension.clone()])
            .args([delivery.domain.clone(), delivery.sender.clone()])
            .arg(&delivery.default_delivery)
    }

    /// Runs qmail-local.
    #[must_use]
    pub fn deliver(&self, user: &User, delivery: &Delivery) -> Finished {
        self.local_program(user, delivery).run()
    }
}
