//! How a host is told who asks: what it wants to hear, and a token where it wants one.
//!
//! Source: <https://distribution.github.io/distribution/spec/auth/token/>.

use serde::Deserialize;
use straddle_web::header::{AUTHORIZATION, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use straddle_web::{Question, Url, Web};

use super::credentials::{Credentials, Login};
use super::reference::is_here;

/// The largest answer with a token, in bytes.
const LARGEST_TOKEN: usize = 1 << 20;

/// What a host wants to hear.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// A name and a password.
    Basic,
    /// A token of somebody else.
    Bearer {
        /// Where tokens are.
        realm: String,
        /// What they are for.
        service: Option<String>,
        /// What they allow.
        scope: Option<String>,
    },
}

#[derive(Deserialize)]
struct Token {
    #[serde(alias = "access_token")]
    token: Option<String>,
}

impl Challenge {
    /// Reads what a host wants; a token rather than a password.
    pub(super) fn read(headers: &HeaderMap) -> Option<Self> {
        let texts = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        let challenges: Vec<_> = texts.filter_map(challenge).collect();
        let is_token = |challenge: &Self| matches!(challenge, Self::Bearer { .. });
        let preferred = challenges.iter().position(is_token).unwrap_or(0);
        challenges.into_iter().nth(preferred)
    }

    /// Returns what the host is told; `None` if there is nothing to tell.
    ///
    /// # Errors
    /// There is no token, as the end of a sentence.
    pub(super) async fn answer(
        &self,
        web: &Web,
        credentials: &Credentials,
        origin: &Url,
    ) -> Result<Option<HeaderValue>, String> {
        let login = credentials.of_host(&host_of(origin)).await?;
        let text = match (self, login) {
            (Self::Basic, None) => return Ok(None),
            (Self::Basic, Some(login)) => {
                // Anybody on the way could read it.
                if !is_private(origin) {
                    return Err("it wants a password, and is not asked by TLS".to_owned());
                }
                login.basic()
            }
            (Self::Bearer { realm, service, scope }, login) => {
                let words = [("service", service), ("scope", scope)];
                let words = words.into_iter().filter_map(|(name, word)| Some((name, word.as_deref()?)));
                let mut address =
                    Url::parse(realm).map_err(|error| format!("tokens are at {realm}: {error}"))?;
                address.query_pairs_mut().extend_pairs(words);
                format!("Bearer {}", token(web, address, login.as_ref()).await?)
            }
        };
        let mut value = HeaderValue::from_str(&text).map_err(|_| "the token is no text".to_owned())?;
        value.set_sensitive(true);
        Ok(Some(value))
    }
}

/// Returns the host of an address, with its port if that is not the usual one.
pub(super) fn host_of(address: &Url) -> String {
    let host = address.host_str().unwrap_or_default();
    address.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Whether nobody on the way can listen.
fn is_private(address: &Url) -> bool {
    address.scheme() == "https" || is_here(&host_of(address))
}

async fn token(web: &Web, address: Url, login: Option<&Login>) -> Result<String, String> {
    let host = host_of(&address);
    let mut headers = HeaderMap::new();
    if let Some(login) = login {
        if !is_private(&address) {
            return Err(format!("{host} wants a password for its tokens, and is not asked by TLS"));
        }
        let value = HeaderValue::from_str(&login.basic()).expect("Base64 has no other characters");
        headers.insert(AUTHORIZATION, value);
    }
    let answer = web.get(&Question { address, headers, largest: LARGEST_TOKEN }).await;
    let answer = answer.map_err(|error| format!("{host} gives no token: {error}"))?;
    if !answer.status.is_success() {
        return Err(format!("{host} gives no token: {}", answer.status));
    }
    let token = serde_json::from_slice(&answer.body).ok().and_then(|token: Token| token.token);
    token.ok_or_else(|| format!("{host} answers something that is no token"))
}

/// Reads one challenge: a scheme, and pairs of names and texts in quotes.
fn challenge(text: &str) -> Option<Challenge> {
    let (scheme, mut rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    let (mut realm, mut service, mut scope) = (None, None, None);
    while let Some((name, after)) = rest.split_once('=') {
        let value = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"'),
            None => Some(after.split_once(',').unwrap_or((after, ""))),
        };
        let (value, after) = value?;
        match name.trim().trim_start_matches(',').trim().to_ascii_lowercase().as_str() {
            "realm" => realm = Some(value.to_owned()),
            "service" => service = Some(value.to_owned()),
            "scope" => scope = Some(value.to_owned()),
            _ => {}
        }
        rest = after;
    }
    match scheme.to_ascii_lowercase().as_str() {
        "basic" => Some(Challenge::Basic),
        "bearer" => Some(Challenge::Bearer { realm: realm?, service, scope }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&'static str]) -> Option<Challenge> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_static(value));
        }
        Challenge::read(&headers)
    }

    #[test]
    fn what_a_host_wants_is_read() {
        let bearer = Challenge::Bearer {
            realm: "https://auth.example.com/token".to_owned(),
            service: Some("registry".to_owned()),
            scope: Some("repository:a/web:pull,push".to_owned()),
        };
        let written = "Bearer realm=\"https://auth.example.com/token\",service=registry, \
                       scope=\"repository:a/web:pull,push\"";
        assert_eq!(read(&["Basic realm=\"x\"", written]), Some(bearer));
        assert_eq!(read(&["basic"]), Some(Challenge::Basic));
        for values in [&["Negotiate"] as &[_], &["Bearer service=\"x\""], &["Bearer realm=\"open"], &[]] {
            assert_eq!(read(values), None, "{values:?}");
        }
    }
}
