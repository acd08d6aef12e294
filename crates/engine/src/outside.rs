//! How hosts are reached that are no endpoint of a cloud's API: clusters, repositories of charts,
//! load balancers.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// Where the hosts outside are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Outside {
    /// Where the system's resolver says that they are.
    #[default]
    Direct,
    /// All of them are in one place on this machine, which tells them apart by their names.
    Substitute(Substitute),
}

/// What answers in the place of every host outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Substitute {
    /// Where every host is that is asked by TLS, whatever its port: the name in the handshake
    /// (SNI) says which one is meant.
    pub tls: SocketAddr,
    /// Where every host is that is asked by plain HTTP, whatever its port: the header `Host` says
    /// which one is meant.
    pub plain: SocketAddr,
    /// The PEM of the certificate by which those of the hosts are known. A cluster's is known by
    /// the cluster's own instead, as everywhere.
    pub certificate_authority: String,
}

impl Outside {
    /// Returns what takes the place of every host, if something does.
    #[must_use]
    pub fn substitute(&self) -> Option<&Substitute> {
        match self {
            Self::Direct => None,
            Self::Substitute(substitute) => Some(substitute),
        }
    }

    /// Returns where to connect to instead of a host that is asked by `scheme`, which is `http` or `https`.
    #[must_use]
    pub fn address(&self, scheme: &str) -> Option<SocketAddr> {
        let substitute = self.substitute()?;
        Some(if scheme == "http" { substitute.plain } else { substitute.tls })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_substitute_is_told_by_the_scheme() {
        let [tls, plain] = [1, 2].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        let substitute = Substitute { tls, plain, certificate_authority: String::new() };
        let outside = Outside::Substitute(substitute);
        assert_eq!((outside.address("https"), outside.address("http")), (Some(tls), Some(plain)));
        assert_eq!(Outside::Direct.address("https"), None);
    }
}
