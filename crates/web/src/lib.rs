//! Asks hosts that are no endpoint of a cloud's API by HTTP: repositories of charts, registries, load balancers.
//!
//! They are where [`Outside`] says. [`Web::request`] makes one request and leaves the rest to its caller;
//! [`Web::get`] also follows redirections, tries again what may come right, and limits what comes.

mod client;
mod get;

use std::time::Duration;

pub use client::causes;
pub use get::{Answer, Question};
pub use reqwest::{Method, RequestBuilder, StatusCode, Url, header};

use straddle_engine::outside::Outside;

/// Why there is no answer, as the end of a sentence.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// It cannot be asked at all.
    #[error("it cannot be asked: {0}")]
    Unaskable(String),
    /// Nobody answers.
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    /// The answer ends before its end.
    #[error("the answer broke off: {0}")]
    Broken(String),
    /// The answer is larger than it may be.
    #[error("it has more than {0} bytes")]
    TooLarge(usize),
    /// It leads on and on.
    #[error("it leads on to another address more than {0} times")]
    Circle(usize),
    /// It leads from where nobody can listen to where anybody can.
    #[error("it leads on to {0}, which is not asked by TLS as it was itself")]
    Unprotected(String),
}

/// For how long an answer is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Until there is a connection.
    pub connection: Duration,
    /// While nothing comes.
    pub silence: Duration,
    /// For all of one answer.
    pub whole: Duration,
}

impl Patience {
    /// For files of some megabytes.
    pub const FILES: Self = Self {
        connection: Duration::from_secs(10),
        silence: Duration::from_secs(30),
        whole: Duration::from_mins(5),
    };

    /// The same for everything.
    #[must_use]
    pub const fn of(whole: Duration) -> Self {
        Self { connection: whole, silence: whole, whole }
    }
}

/// Asks hosts outside. Proxies are those that the environment names, unless something takes the place
/// of every host.
#[derive(Debug, Clone)]
pub struct Web {
    client: reqwest::Client,
    outside: Outside,
}
