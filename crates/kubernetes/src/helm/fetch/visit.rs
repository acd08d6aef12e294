//! Asks one repository or registry, and tells it who asks if it wants to know.

use straddle_web::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue};
use straddle_web::{Answer, Question, StatusCode, Url, Web};

use super::FetchError;
use super::credentials::Credentials;
use super::login::{Challenge, host_of};

/// How much of a refusal is told, in characters.
const SHOWN: usize = 200;

/// A repository or registry that is asked.
pub(super) struct Visit<'a> {
    web: &'a Web,
    credentials: &'a Credentials,
    /// Who is told who asks, and nobody else.
    origin: Url,
    authorization: Option<HeaderValue>,
}

impl<'a> Visit<'a> {
    pub(super) fn new(web: &'a Web, credentials: &'a Credentials, origin: &Url) -> Self {
        Self { web, credentials, origin: origin.clone(), authorization: None }
    }

    /// Returns what is at an address.
    ///
    /// # Errors
    /// There is nothing, or it is not for everybody.
    pub(super) async fn get(
        &mut self,
        address: &Url,
        accept: Option<&'static str>,
        largest: usize,
    ) -> Result<Answer, FetchError> {
        let answer = self.find(address, accept, largest).await?;
        answer.ok_or_else(|| unread(address, StatusCode::NOT_FOUND.to_string()))
    }

    /// Returns what is at an address; `None` if there is nothing.
    ///
    /// # Errors
    /// It is not for everybody, or cannot be read.
    pub(super) async fn find(
        &mut self,
        address: &Url,
        accept: Option<&'static str>,
        largest: usize,
    ) -> Result<Option<Answer>, FetchError> {
        let mut answer = self.ask(address, accept, largest).await?;
        if answer.status == StatusCode::UNAUTHORIZED && self.is_own(address) {
            self.authorization = self.authorize(&answer).await?;
            if self.authorization.is_some() {
                answer = self.ask(address, accept, largest).await?;
            }
        }
        match answer.status {
            status if status.is_success() => Ok(Some(answer)),
            StatusCode::NOT_FOUND | StatusCode::GONE => Ok(None),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Err(FetchError::Denied { host: host_of(address), problem: refusal(&answer) })
            }
            _ => Err(unread(address, refusal(&answer))),
        }
    }

    async fn ask(
        &self,
        address: &Url,
        accept: Option<&'static str>,
        largest: usize,
    ) -> Result<Answer, FetchError> {
        let mut headers = HeaderMap::new();
        if let Some(accept) = accept {
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
        }
        if let Some(authorization) = self.authorization.as_ref().filter(|_| self.is_own(address)) {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        let question = Question { address: address.clone(), headers, largest };
        self.web.get(&question).await.map_err(|error| unread(address, error.to_string()))
    }

    fn is_own(&self, address: &Url) -> bool {
        address.origin() == self.origin.origin()
    }

    async fn authorize(&self, refused: &Answer) -> Result<Option<HeaderValue>, FetchError> {
        let denied = |problem| FetchError::Denied { host: host_of(&self.origin), problem };
        let Some(challenge) = Challenge::read(&refused.headers) else { return Ok(None) };
        challenge.answer(self.web, self.credentials, &self.origin).await.map_err(denied)
    }
}

fn unread(address: &Url, problem: String) -> FetchError {
    FetchError::Read { address: address.to_string(), problem }
}

/// Returns what a refusal says, if it says it in words.
fn refusal(answer: &Answer) -> String {
    let status = answer.status.to_string();
    let text = serde_json::from_slice::<serde_json::Value>(&answer.body).ok();
    let message = text.and_then(|text| {
        let message = text["errors"][0]["message"].as_str().or_else(|| text["message"].as_str());
        message.map(|message| message.chars().filter(|letter| !letter.is_control()).take(SHOWN).collect())
    });
    message.map_or(status.clone(), |message: String| format!("{status}, {message}"))
}
