//! Signature version 4: what a request says about who signed it, and whether that is so
//! ("Signature Version 4 signing process", AWS General Reference).

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};

use crate::server::Incoming;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Everything but the unreserved characters of RFC 3986.
pub(crate) const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What the `authorization` header of a request says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Authorization {
    pub(crate) access_key: String,
    /// Such as `20261123`.
    pub(crate) date: String,
    pub(crate) region: String,
    pub(crate) service: String,
    signed_headers: Vec<String>,
    signature: String,
}

impl Authorization {
    /// Reads the header of a request; `None` if there is none that can be read.
    pub(crate) fn of(request: &Incoming) -> Option<Self> {
        let fields = request.header("authorization")?.strip_prefix(ALGORITHM)?;
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for field in fields.split(',') {
            match field.trim().split_once('=')? {
                ("Credential", value) => credential = Some(value),
                ("SignedHeaders", value) => signed_headers = Some(value),
                ("Signature", value) => signature = Some(value),
                _ => return None,
            }
        }
        Self::of_parameters(credential?, signed_headers?, signature?)
    }

    /// Reads what the parameters of a presigned request say.
    pub(crate) fn of_parameters(credential: &str, signed_headers: &str, signature: &str) -> Option<Self> {
        let scope: Vec<_> = credential.rsplitn(5, '/').collect();
        let ["aws4_request", service, region, date, access_key] = scope[..] else { return None };
        Some(Self {
            access_key: access_key.to_owned(),
            date: date.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
            signed_headers: signed_headers.split(';').map(str::to_owned).collect(),
            signature: signature.to_owned(),
        })
    }

    /// Tells whether a header is signed.
    pub(crate) fn signs(&self, header: &str) -> bool {
        self.signed_headers.iter().any(|signed| signed == header)
    }

    /// Reads the header of a request, or takes it as what needs none: the credentials of another
    /// provider, which somebody without any of ours exchanges.
    pub(crate) fn of_any(request: &Incoming) -> Option<Self> {
        let exchanges = || {
            let form = request.form();
            form.iter().any(|(name, value)| name == "Action" && value == "AssumeRoleWithWebIdentity")
        };
        Self::of(request).or_else(|| {
            let is_unsigned = request.header("authorization").is_none() && exchanges();
            is_unsigned.then(|| Self {
                access_key: String::new(),
                date: String::new(),
                region: "us-east-1".to_owned(),
                service: "sts".to_owned(),
                signed_headers: Vec::new(),
                signature: String::new(),
            })
        })
    }

    /// Tells whether nobody signed the request.
    pub(crate) fn is_unsigned(&self) -> bool {
        self.access_key.is_empty() && self.signature.is_empty()
    }

    /// Tells whether the signature was made with this secret key.
    pub(crate) fn is_of(&self, secret_key: &str, request: &Incoming) -> bool {
        let Ok(signature) = HEXLOWER.decode(self.signature.as_bytes()) else { return false };
        // Compares in the same time for any signature.
        self.made_with(secret_key, request).is_some_and(|made| made.verify_slice(&signature).is_ok())
    }

    /// Returns the signature that this secret key makes; `None` if the request has no date.
    fn made_with(&self, secret_key: &str, request: &Incoming) -> Option<Hmac<Sha256>> {
        let timestamp = request.header("x-amz-date")?;
        let Self { date, region, service, .. } = self;
        let canonical = HEXLOWER.encode(&Sha256::digest(self.canonical_request(request)));
        let text = format!("{ALGORITHM}\n{timestamp}\n{date}/{region}/{service}/aws4_request\n{canonical}");
        let mut key = format!("AWS4{secret_key}").into_bytes();
        for part in [date.as_str(), region, service, "aws4_request"] {
            key = keyed(&key, part).finalize().into_bytes().to_vec();
        }
        Some(keyed(&key, &text))
    }

    fn canonical_request(&self, request: &Incoming) -> String {
        let mut text = format!("{}\n{}\n{}\n", request.method, path(request), query(request));
        for name in &self.signed_headers {
            let values: Vec<_> = request.headers.get_all(name.as_str()).iter().collect();
            let values: Vec<_> =
                values.iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
            let words: Vec<_> = values.iter().map(|value| single_spaced(value)).collect();
            text.extend([name.as_str(), ":", &words.join(","), "\n"]);
        }
        let payload = match request.header("x-amz-content-sha256") {
            Some(hash) => hash.to_owned(),
            None => HEXLOWER.encode(&Sha256::digest(&request.body)),
        };
        format!("{text}\n{}\n{payload}", self.signed_headers.join(";"))
    }
}

fn keyed(key: &[u8], text: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key may have any length");
    mac.update(text.as_bytes());
    mac
}

fn single_spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the path with every part encoded once more than it was sent, as all services but S3 want.
fn path(request: &Incoming) -> String {
    let parts = request.path.split('/');
    parts.map(|part| utf8_percent_encode(part, RESERVED).to_string()).collect::<Vec<_>>().join("/")
}

fn query(request: &Incoming) -> String {
    let decoded = |text: &str| percent_decode_str(text).collect::<Vec<u8>>();
    let encoded = |text: &str| percent_encoding::percent_encode(&decoded(text), RESERVED).to_string();
    let parts = request.query_text.split('&').filter(|part| !part.is_empty());
    let mut pairs: Vec<_> = parts
        .map(|part| part.split_once('=').unwrap_or((part, "")))
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
        .collect();
    pairs.sort();
    pairs.join("&")
}

/// Signs a request as clients do.
#[cfg(test)]
pub(crate) fn sign(request: &mut Incoming, service: &str, access_key: &str, secret_key: &str) {
    use hyper::header::HeaderValue;

    request.headers.insert("x-amz-date", HeaderValue::from_static("20261123T120000Z"));
    let scope = format!("{access_key}/20261123/us-east-1/{service}/aws4_request");
    let with = |signature: &str| {
        let text = format!("{ALGORITHM} Credential={scope}, SignedHeaders=x-amz-date, Signature={signature}");
        HeaderValue::from_str(&text).expect("it is the text of a header")
    };
    request.headers.insert("authorization", with(""));
    let unsigned = Authorization::of(request).expect("the header can be read");
    let signature = unsigned.made_with(secret_key, request).expect("it has a date");
    request.headers.insert("authorization", with(&HEXLOWER.encode(&signature.finalize().into_bytes())));
}

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderMap, HeaderValue};

    use super::*;

    /// The documented example "GET `ListUsers`" of the signing process.
    fn example() -> Incoming {
        let mut headers = HeaderMap::new();
        let authorization = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
            SignedHeaders=content-type;host;x-amz-date, \
            Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
        for (name, value) in [
            ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
            ("host", "iam.amazonaws.com"),
            ("x-amz-date", "20150830T123600Z"),
            ("authorization", authorization),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        Incoming {
            method: "GET".to_owned(),
            query_text: "Action=ListUsers&Version=2010-05-08".to_owned(),
            headers,
            ..Incoming::post(b"")
        }
    }

    #[test]
    fn the_documented_example_is_verified() {
        let authorization = Authorization::of(&example()).expect("it is signed");
        assert_eq!((authorization.service.as_str(), authorization.region.as_str()), ("iam", "us-east-1"));
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        assert!(authorization.is_of(secret, &example()));
        assert!(!authorization.is_of("another", &example()));
        let mut changed = example();
        changed.query_text = "Action=ListRoles&Version=2010-05-08".to_owned();
        assert!(!authorization.is_of(secret, &changed));
    }

    #[test]
    fn other_headers_are_not_read() {
        let mut request = example();
        for value in ["", "Bearer x", "AWS4-HMAC-SHA256 Credential=a/b"] {
            request.headers.insert("authorization", HeaderValue::from_static(value));
            assert_eq!(Authorization::of(&request), None, "{value}");
        }
    }
}
