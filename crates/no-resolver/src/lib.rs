//! The names that mail-auth wants from the resolver hickory, and nothing behind them.
//!
//! mail-auth cannot be built without a resolver. Ours is `crates/dns`, and what the library is to
//! know of DNS it finds in its cache. The real one would bring an async runtime, threads, sockets
//! and seventy further crates into programs that read hostile mail; and, features being united over
//! a workspace, into the codec that qmail-remote uses. A question that is asked all the same has no
//! answer, which is a temporary failure.
#![forbid(unsafe_code)]

use std::convert::Infallible;
use std::net::IpAddr;
use std::time::Instant;

use net::NetError;
use proto::rr::{Name, Record};

pub use hickory_proto as proto;

/// Stands where a resolver is wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioResolver;

/// What an answer would be, if there could be one.
#[derive(Clone, Copy, Debug)]
pub struct Lookup(Infallible);

type Answer = Result<Lookup, NetError>;

macro_rules! questions {
    ($($question:ident $about:ty;)*) => {
        impl TokioResolver {
            $(
                /// A question without an answer.
                ///
                /// # Errors
                /// Always.
                pub async fn $question(&self, _: $about) -> Answer {
                    Err(NetError::NoResolver)
                }
            )*
        }
    };
}

questions! {
    txt_lookup Name;
    mx_lookup Name;
    ipv4_lookup Name;
    ipv6_lookup Name;
    lookup_ip Name;
    reverse_lookup IpAddr;
}

impl TokioResolver {
    /// Makes it, as the library makes the real one.
    pub fn builder_with_config(
        _: config::ResolverConfig,
        _: net::runtime::TokioRuntimeProvider,
    ) -> Self {
        Self
    }

    /// The same one.
    #[must_use]
    pub fn with_options(self, _: config::ResolverOpts) -> Self {
        self
    }

    /// The same one.
    ///
    /// # Errors
    /// Never.
    pub fn build(self) -> Result<Self, NetError> {
        Ok(self)
    }
}

impl Lookup {
    /// Its records.
    pub fn answers(&self) -> &[Record] {
        match self.0 {}
    }

    /// How long they hold.
    pub fn valid_until(&self) -> Instant {
        match self.0 {}
    }

    /// Itself.
    pub fn as_lookup(&self) -> &Self {
        self
    }
}

/// Settings, of which there are none.
pub mod config {
    /// Servers of others, which are never asked.
    #[derive(Clone, Copy, Debug)]
    pub struct Servers;

    /// Servers of others, which are never asked.
    pub const CLOUDFLARE: Servers = Servers;
    /// Servers of others, which are never asked.
    pub const GOOGLE: Servers = Servers;
    /// Servers of others, which are never asked.
    pub const QUAD9: Servers = Servers;

    /// Whom to ask: nobody.
    #[derive(Clone, Copy, Debug, Default)]
    pub struct ResolverConfig;

    impl ResolverConfig {
        /// Nobody.
        pub fn tls(_: &Servers) -> Self {
            Self
        }

        /// Nobody.
        pub fn udp_and_tcp(_: &Servers) -> Self {
            Self
        }
    }

    /// How to ask: not at all.
    #[derive(Clone, Copy, Debug, Default)]
    pub struct ResolverOpts;
}

/// Errors.
pub mod net {
    use std::convert::Infallible;
    use std::fmt;

    use crate::proto::op::ResponseCode;

    /// Why there is no answer.
    #[derive(Debug)]
    pub enum NetError {
        /// Because nobody is asked.
        NoResolver,
        /// Never this.
        Dns(DnsError),
    }

    /// What DNS would say, if it were asked.
    #[derive(Debug)]
    pub enum DnsError {
        /// Never this.
        NoRecordsFound(NoRecords),
    }

    /// That there is no record, which nobody can know who does not ask.
    #[derive(Debug)]
    pub struct NoRecords {
        /// Never any.
        pub response_code: ResponseCode,
        #[expect(dead_code, reason = "so that there cannot be one")]
        never: Infallible,
    }

    impl NetError {
        /// Whether there is no such record: nobody knows.
        pub fn is_no_records_found(&self) -> bool {
            false
        }
    }

    impl fmt::Display for NetError {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("no resolver")
        }
    }

    impl std::error::Error for NetError {}

    /// What runs what is asynchronous: nothing.
    pub mod runtime {
        /// Nothing.
        #[derive(Clone, Copy, Debug, Default)]
        pub struct TokioRuntimeProvider;
    }
}

/// This host's settings.
pub mod system_conf {
    use super::config::{ResolverConfig, ResolverOpts};
    use super::net::NetError;

    /// None.
    ///
    /// # Errors
    /// Always.
    pub fn read_system_conf() -> Result<(ResolverConfig, ResolverOpts), NetError> {
        Err(NetError::NoResolver)
    }
}
