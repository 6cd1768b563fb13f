//! Delivering a message to a user as his instructions say.
//!
//! What decides is values: the names of instruction files ([`choice`]), their lines
//! ([`instruction`]), the order of things ([`execute`]). What acts is in [`deliver`].
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

pub mod arguments;
pub mod choice;
pub mod deliver;
pub mod describe;
pub mod dot_qmail;
pub mod execute;
pub mod failure;
pub mod forward_sender;
pub mod home;
pub mod instruction;
pub mod lines;
pub mod looping;
pub mod settings;
pub mod variables;
pub mod virtual_user;

use std::fs::File;
use std::io::Write;
use std::path::Path;

use qmail_core::maildir::Names;

use arguments::{Arguments, Mode};
use deliver::{Deliver, FullMaildir, rewound};
use describe::Describe;
use dot_qmail::DotQmail;
use failure::Failure;
use lines::Lines;
use settings::Settings;
use variables::Variables;

/// What the process was given, apart from its arguments.
pub struct Surroundings<'a> {
    /// The home directory of qmail.
    pub qmail_home: &'a Path,
    /// Seconds since 1970.
    pub now: u64,
    /// Our process id.
    pub process: u32,
    /// The name of this host.
    pub host: &'a [u8],
    /// What is set for all deliveries.
    pub settings: Settings,
    /// The message, if there is one.
    pub message: Option<File>,
    /// What is to be said.
    pub output: &'a mut dyn Write,
    /// What is to be complained about.
    pub warnings: &'a mut dyn Write,
}

/// Carries out the instructions of a user, in his home directory.
///
/// # Errors
/// Whatever prevented all or the rest of it; the order of the checks decides which error it is.
pub fn run(arguments: &Arguments, surroundings: Surroundings<'_>) -> Result<(), Failure> {
    let Surroundings { qmail_home, now, process, host, settings, message, output, warnings } =
        surroundings;
    home::enter(&arguments.home, arguments.mode, warnings)?;
    let lines = Lines::new(arguments, now);
    if arguments.mode == Mode::Deliver {
        check_loop(message.as_ref(), &lines)?;
    }
    let orders = Orders::find(arguments)?;
    let tally = match (arguments.mode, &message) {
        (Mode::Describe, _) => orders.execute(Describe::new(&mut *output))?,
        (Mode::Deliver, None) => return Err(Failure::Rewind),
        (Mode::Deliver, Some(message)) => {
            let default = orders.default.as_deref();
            let variables = Variables::new(arguments, &lines, default, &orders.forward_sender);
            orders.execute(Deliver {
                message,
                lines,
                variables,
                names: Names::new(process, host),
                settings,
                full: FullMaildir { qmail_home, domain: None },
                qmail_home,
                forward_sender: orders.forward_sender.clone(),
                recipients: Vec::new(),
            })?
        }
    };
    // The work is done, whether or not somebody listens.
    let _ = output.write_all(tally.to_string().as_bytes());
    let _ = output.flush();
    Ok(())
}

fn check_loop(message: Option<&File>, lines: &Lines) -> Result<(), Failure> {
    let message = rewound(message.ok_or(Failure::Rewind)?)?;
    match looping::has_line(message, &lines.delivered_to) {
        Ok(false) => Ok(()),
        Ok(true) => Err(Failure::Looping),
        Err(error) => Err(Failure::ReadMessage(error)),
    }
}

/// What is to be done for an address.
struct Orders {
    instructions: Vec<u8>,
    forward_only: bool,
    /// What `default` in the name of the file stands for.
    default: Option<Vec<u8>>,
    forward_sender: Vec<u8>,
}

impl Orders {
    fn find(arguments: &Arguments) -> Result<Self, Failure> {
        let safe_extension = arguments.safe_extension();
        let file = DotQmail::find(choice::candidates(&arguments.dash, &safe_extension))?;
        if file.is_none() && !arguments.dash.is_empty() {
            return Err(Failure::NoMailbox);
        }
        let forward_sender = forward_sender::forward_sender(arguments, dot_qmail::exists)?;
        let default = file.as_ref().and_then(DotQmail::default);
        let default = default.and_then(|from| arguments.extension.get(from..)).map(<[u8]>::to_vec);
        let forward_only = file.as_ref().is_some_and(|file| file.forward_only);
        let instructions = file.map_or(Ok(Vec::new()), DotQmail::read)?;
        // Nothing written is not nothing to do.
        let (instructions, forward_only) = if instructions.is_empty() {
            (arguments.default_delivery.clone(), false)
        } else {
            (instructions, forward_only)
        };
        Ok(Self { instructions, forward_only, default, forward_sender })
    }

    fn execute(&self, actions: impl execute::Actions) -> Result<execute::Tally, Failure> {
        execute::execute(&self.instructions, self.forward_only, actions)
    }
}
