//! Gets what is at an address, wherever that leads.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, LOCATION};
use reqwest::{Method, Response, StatusCode, Url};

use crate::{Web, WebError, causes};

/// How often an address may lead on to another one.
const REDIRECTIONS: usize = 10;
/// How long to wait before each further attempt.
const PAUSES: [Duration; 2] = [Duration::from_millis(300), Duration::from_millis(1500)];
/// The most of an answer that is a refusal which is read, in bytes.
const LARGEST_REFUSAL: usize = 4096;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Question {
    /// Where it is.
    pub address: Url,
    /// What is said with it. A name and password go to the host of the address alone.
    pub headers: HeaderMap,
    /// The most that may come, in bytes.
    pub largest: usize,
}

/// What came, be it a refusal.
#[derive(Debug, Clone)]
pub struct Answer {
    /// What it is.
    pub status: StatusCode,
    /// What was said with it.
    pub headers: HeaderMap,
    /// What it is made of. Of a refusal only the beginning.
    pub body: Vec<u8>,
    /// Where it came from in the end.
    pub address: Url,
}

/// What one attempt comes to.
enum Attempt {
    Done(Answer),
    /// It may come right.
    Again(Result<Answer, WebError>),
}

impl Web {
    /// Gets what is at an address. Redirections are followed; what breaks off, and what a host says that it cannot
    /// do just now, is tried again.
    ///
    /// # Errors
    /// If there is no whole answer. One that says no is an answer.
    pub async fn get(&self, question: &Question) -> Result<Answer, WebError> {
        for pause in PAUSES {
            match self.attempt(question).await? {
                Attempt::Done(answer) => return Ok(answer),
                Attempt::Again(_) => tokio::time::sleep(pause).await,
            }
        }
        match self.attempt(question).await? {
            Attempt::Done(answer) => Ok(answer),
            Attempt::Again(last) => last,
        }
    }

    async fn attempt(&self, question: &Question) -> Result<Attempt, WebError> {
        let (mut address, mut headers) = (question.address.clone(), question.headers.clone());
        for _ in 0..=REDIRECTIONS {
            let request = self.request(Method::GET, &address, None)?.headers(headers.clone());
            let response = match request.send().await {
                Ok(response) => response,
                Err(error) => {
                    let error = WebError::Unreachable(causes(&error.without_url()));
                    return Ok(Attempt::Again(Err(error)));
                }
            };
            let Some(next) = leads_to(&response, &address)? else {
                return read(response, address, question.largest).await;
            };
            if next.origin() != address.origin() {
                headers.remove(AUTHORIZATION);
            }
            address = next;
        }
        Err(WebError::Circle(REDIRECTIONS))
    }
}

/// Returns where an answer leads on to, if it does.
fn leads_to(response: &Response, address: &Url) -> Result<Option<Url>, WebError> {
    let location = response.headers().get(LOCATION).filter(|_| response.status().is_redirection());
    let Some(location) = location else { return Ok(None) };
    let written = String::from_utf8_lossy(location.as_bytes());
    let next = address.join(&written).map_err(|error| WebError::Unaskable(format!("{written}: {error}")))?;
    match (address.scheme(), next.scheme()) {
        (_, "https") | ("http", "http") => Ok(Some(next)),
        _ => Err(WebError::Unprotected(next.origin().ascii_serialization())),
    }
}

/// Reads all of an answer.
async fn read(mut response: Response, address: Url, largest: usize) -> Result<Attempt, WebError> {
    let (status, headers) = (response.status(), response.headers().clone());
    let mut body = Vec::new();
    loop {
        let chunk = match response.chunk().await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => break,
            // What a refusal says is good to know, but not needed.
            Err(_) if !status.is_success() => break,
            Err(error) => {
                let error = WebError::Broken(causes(&error.without_url()));
                return Ok(Attempt::Again(Err(error)));
            }
        };
        body.extend_from_slice(&chunk);
        if !status.is_success() && body.len() >= LARGEST_REFUSAL {
            body.truncate(LARGEST_REFUSAL);
            break;
        }
        if body.len() > largest {
            return Err(WebError::TooLarge(largest));
        }
    }
    let answer = Answer { status, headers, body, address };
    Ok(if is_passing(status) { Attempt::Again(Ok(answer)) } else { Attempt::Done(answer) })
}

/// Whether a host says that it cannot just now.
fn is_passing(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 500 | 502 | 503 | 504)
}
