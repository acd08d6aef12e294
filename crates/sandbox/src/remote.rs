//! Gives orders to a sandbox that runs in another process.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::control::Status;
use crate::world::AccountId;

/// How long an order may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A sandbox at an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    address: SocketAddr,
}

/// Why an order was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// Nobody listens there.
    #[error("no sandbox answers at {address}: {problem}")]
    Unreachable {
        /// Where.
        address: SocketAddr,
        /// What went wrong.
        problem: String,
    },
    /// The sandbox does not do this.
    #[error("the sandbox refuses: {0}")]
    Refused(String),
}

impl Remote {
    /// Names a sandbox by its endpoint; `None` if that is none of this machine.
    #[must_use]
    pub fn at(endpoint: &str) -> Option<Self> {
        let address: SocketAddr = endpoint.strip_prefix("http://")?.parse().ok()?;
        address.ip().is_loopback().then_some(Self { address })
    }

    /// Asks who is there.
    ///
    /// # Errors
    /// If nobody answers, or somebody who is no sandbox.
    pub async fn status(&self) -> Result<Status, RemoteError> {
        let status = self.order(Method::GET, "status", None).await?;
        serde_json::from_value(status).map_err(|error| self.unreachable(&error))
    }

    /// Asks it to end. It answers before it has.
    ///
    /// # Errors
    /// If nobody answers.
    pub async fn stop(&self) -> Result<(), RemoteError> {
        self.order(Method::POST, "stop", None).await.map(drop)
    }

    /// Empties its world.
    ///
    /// # Errors
    /// If nobody answers, or the empty world cannot be written down.
    pub async fn reset(&self) -> Result<(), RemoteError> {
        self.order(Method::POST, "reset", None).await.map(drop)
    }

    /// Adds accounts to its organization, as far as they are missing.
    ///
    /// # Errors
    /// If nobody answers, or they cannot be written down.
    ///
    /// # Panics
    /// Never: names and numbers have a JSON form.
    pub async fn add_accounts(&self, accounts: &BTreeMap<String, AccountId>) -> Result<(), RemoteError> {
        let accounts = serde_json::to_value(accounts).expect("names and numbers have a JSON form");
        self.order(Method::PUT, "accounts", Some(&accounts)).await.map(drop)
    }

    pub(crate) async fn order(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, RemoteError> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let answered = tokio::time::timeout(PATIENCE, self.send(method, path, body)).await;
        let (status, body) =
            answered.map_err(|error| self.unreachable(&error))?.map_err(|error| self.unreachable(&error))?;
        let value: Value = serde_json::from_slice(&body).map_err(|error| self.unreachable(&error))?;
        if status == 200 {
            return Ok(value);
        }
        Err(RemoteError::Refused(value["error"].as_str().unwrap_or("without a reason").to_owned()))
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: String,
    ) -> Result<(u16, Bytes), Box<dyn std::error::Error + Send + Sync>> {
        let stream = TcpStream::connect(self.address).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let request = Request::builder()
            .method(method)
            .uri(format!("/_sandbox/{path}"))
            .header(HOST, self.address.to_string())
            .body(Full::new(Bytes::from(body)))?;
        let exchange = async {
            let answer = sender.send_request(request).await?;
            let status = answer.status().as_u16();
            Ok((status, answer.into_body().collect().await?.to_bytes()))
        };
        let (mut exchange, mut connection) = (pin!(exchange), pin!(connection));
        tokio::select! {
            biased;
            answered = &mut exchange => return answered,
            ended = &mut connection => ended?,
        }
        // The answer may have come just before the end.
        exchange.await
    }

    fn unreachable(&self, problem: &impl ToString) -> RemoteError {
        RemoteError::Unreachable { address: self.address, problem: problem.to_string() }
    }
}
