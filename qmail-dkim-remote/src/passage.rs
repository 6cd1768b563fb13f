//! The message, from what was given to what qmail-remote gets.

use std::fs::File;
use std::io::{Seek, SeekFrom};

use qmail_policy::dkim::{Keys, Signer};
use qmail_policy::draft::Draft;
use qmail_policy::text::{Blocks, HeaderReader};

use crate::Trouble;

/// A message of which the header has been read.
#[derive(Debug)]
pub(crate) struct Received {
    blocks: Blocks<File>,
    header: HeaderReader,
    /// What of the body came with it.
    beginning: Vec<u8>,
    /// The file once more, and where the message began in it; none if it is a pipe.
    original: Option<(File, u64)>,
}

impl Received {
    /// Reads the header of a message.
    pub(crate) fn read(mut message: File, limit: usize) -> Result<Self, Trouble> {
        let copy = message.try_clone().map_err(Trouble::Read)?;
        let original = message.stream_position().ok().map(|start| (copy, start));
        let mut blocks = Blocks::new(message);
        let (header, beginning) = blocks.read_header(limit).map_err(Trouble::Read)?;
        Ok(Self { blocks, header, beginning, original })
    }

    /// The header, unless it is too long to be signed.
    pub(crate) fn header(&self) -> Option<&[u8]> {
        Some(self.header.text()).filter(|_| !self.header.is_too_long())
    }

    /// The message as it came.
    pub(crate) fn unsigned(mut self) -> Result<File, Trouble> {
        if let Some((mut file, start)) = self.original.take() {
            file.seek(SeekFrom::Start(start)).map_err(Trouble::Read)?;
            return Ok(file);
        }
        let mut draft = Draft::new().map_err(Trouble::Write)?;
        self.copy(&mut draft, |_| {})?;
        draft.finish(b"").map_err(Trouble::Write)
    }

    /// The message with a signature of each key before it.
    pub(crate) fn signed(mut self, keys: &Keys) -> Result<File, Trouble> {
        let header = self.header.text().to_vec();
        let Some(signer) = Signer::new(keys, &header) else { return self.unsigned() };
        let mut signing = signer.start(&header);
        let mut draft = Draft::new().map_err(Trouble::Write)?;
        self.copy(&mut draft, |block| signing.body(block))?;
        let signatures = signing.finish().map_err(Trouble::Sign)?;
        draft.finish(&signatures).map_err(Trouble::Write)
    }

    /// Copies everything, and shows the body to `look`.
    fn copy(&mut self, draft: &mut Draft, mut look: impl FnMut(&[u8])) -> Result<(), Trouble> {
        draft.write(self.header.text()).map_err(Trouble::Write)?;
        look(&self.beginning);
        draft.write(&self.beginning).map_err(Trouble::Write)?;
        while let Some(block) = self.blocks.next_block().map_err(Trouble::Read)? {
            look(&block);
            draft.write(&block).map_err(Trouble::Write)?;
        }
        Ok(())
    }
}
