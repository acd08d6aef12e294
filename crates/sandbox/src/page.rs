//! Pages of IAM and of the JSON services: a token holds the key of the last thing of a page, so that things
//! which come and go in between neither repeat nor skip others.

use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;

use crate::call::{Parameters, Refusal};

/// How the parameters of a page are called, and how wrong ones are refused.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paging {
    /// The parameter with the size.
    pub(crate) size: &'static str,
    /// The parameter with the token.
    pub(crate) token: &'static str,
    /// How many things a page has if nobody says.
    pub(crate) usual: i64,
    /// The most things that a page has.
    pub(crate) most: i64,
    /// The code for a wrong size.
    pub(crate) wrong_size: &'static str,
    /// The code for a wrong token.
    pub(crate) wrong_token: &'static str,
}

impl Paging {
    /// Cuts the page that is asked for out of things with keys that grow, and returns it with the
    /// token of the next one.
    ///
    /// # Errors
    /// With the codes of `self` if the size or the token is wrong.
    pub(crate) fn cut(
        &self,
        parameters: &Parameters,
        things: impl Iterator<Item = (String, Value)>,
    ) -> Result<(Vec<Value>, Option<String>), Refusal> {
        let size = self.size(parameters)?;
        let after = self.after(parameters)?;
        let (mut page, mut last) = (Vec::new(), None);
        for (key, thing) in things.filter(|(key, _)| after.as_ref().is_none_or(|after| key > after)) {
            if page.len() == size {
                let token = last.map(|last: String| BASE64URL_NOPAD.encode(last.as_bytes()));
                return Ok((page, token));
            }
            page.push(thing);
            last = Some(key);
        }
        Ok((page, None))
    }

    fn size(&self, parameters: &Parameters) -> Result<usize, Refusal> {
        let size = parameters.integer(self.size)?.unwrap_or(self.usual);
        let size = usize::try_from(size).ok().filter(|_| (1..=self.most).contains(&size));
        size.ok_or_else(|| {
            let message = format!("The value of {} must be between 1 and {}.", self.size, self.most);
            Refusal::new(self.wrong_size, message)
        })
    }

    fn after(&self, parameters: &Parameters) -> Result<Option<String>, Refusal> {
        let Some(token) = parameters.text(self.token) else { return Ok(None) };
        let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).ok();
        let key = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        key.map(Some).ok_or_else(|| {
            Refusal::new(self.wrong_token, format!("The value of {} is not valid.", self.token))
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PAGING: Paging =
        Paging { size: "size", token: "token", usual: 3, most: 4, wrong_size: "Size", wrong_token: "Token" };

    fn cut(parameters: Value) -> Result<(Vec<Value>, Option<String>), Refusal> {
        let Value::Object(parameters) = parameters else { panic!("{parameters} is no table") };
        let things = ["a", "b", "c", "d"].map(|key| (key.to_owned(), json!(key)));
        PAGING.cut(&Parameters(parameters), things.into_iter())
    }

    #[test]
    fn pages_follow_one_another_and_end() {
        let (first, token) = cut(json!({})).expect("there is a first page");
        assert_eq!(first, ["a", "b", "c"]);
        let (second, end) = cut(json!({ "token": token })).expect("there is a second page");
        assert_eq!((second, end), (vec![json!("d")], None));
        assert_eq!(cut(json!({ "size": 1 })).map(|(page, _)| page), Ok(vec![json!("a")]));
        assert_eq!(cut(json!({ "size": 4 })).map(|(page, _)| page.len()), Ok(4));
    }

    #[test]
    fn wrong_sizes_and_tokens_are_refused() {
        for (parameters, code) in [
            (json!({ "size": 0 }), "Size"),
            (json!({ "size": 5 }), "Size"),
            (json!({ "token": "?" }), "Token"),
        ] {
            assert_eq!(cut(parameters).map_err(|refusal| refusal.code), Err(code.to_owned()));
        }
    }
}
