//! Maildirs that are full, or nearly: who is told, and what.

use std::path::Path;

use qmail_core::maildir::Names;
use qmail_core::overquota::{Caution, Refusal};
use qmail_core::vpopmail::{text_of_domain, texts_of_domain};

/// Where the words are: in the control files, and before them in the files of a domain of vpopmail.
#[derive(Clone, Copy, Debug)]
pub struct FullMaildir<'a> {
    /// The home of qmail.
    pub qmail_home: &'a Path,
    /// The directory of a domain of vpopmail.
    pub domain: Option<&'a Path>,
}

impl FullMaildir<'_> {
    /// What becomes of a message for which there is no room.
    pub(super) fn refusal(&self) -> Refusal {
        let refusal = Refusal::of(self.qmail_home);
        let Some(domain) = self.domain.filter(|_| refusal.is_permanent) else { return refusal };
        let text = text_of_domain(domain, ".over-quota.msg");
        let text = text.map(|text| text.trim_ascii_end().to_vec());
        Refusal { text: text.unwrap_or_else(|| b"user is over quota".to_vec()), ..refusal }
    }

    /// Warns the user, if his maildir is so full that he should know.
    pub(super) fn warn(
        &self,
        maildir: &Path,
        percent: u64,
        delivered_to: &[u8],
        names: &mut Names,
    ) {
        let mut caution = Caution::of(self.qmail_home);
        let of_domain = self.domain.map(|domain| texts_of_domain(domain, ".quotawarn.msg"));
        caution.texts = of_domain.into_iter().flatten().chain(caution.texts).collect();
        // His mail is there, and the next one brings the next attempt.
        let _ = caution.observe(maildir, percent, &[b"Return-Path: <>\n", delivered_to], names);
    }
}
