//! Issuers of web identities: who signs tokens that STS exchanges for credentials.
//!
//! A cluster is such an issuer for its service accounts. Anybody can check its tokens with the
//! public key, and nobody else can make them.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey,
};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// An issuer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Issuer {
    /// Its address, such as `https://oidc.eks.us-east-1.amazonaws.com/id/EXAMPLE`.
    pub(crate) url: String,
    /// From what the private key is made.
    secret: String,
}

/// A token, read but not verified.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token {
    pub(crate) claims: Value,
    /// What was signed.
    signed: String,
    signature: Vec<u8>,
}

/// What stands before and after the 32 bytes of a private key on the curve P-256 in DER (RFC 5915).
const DER: (&[u8], &[u8]) = (
    &[0x30, 0x31, 0x02, 0x01, 0x01, 0x04, 0x20],
    &[0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
);

impl Issuer {
    /// Makes an issuer. The same secret gives the same key, so that a world which is made once
    /// more from its calls knows the tokens that were issued before.
    pub(crate) fn new(url: &str, secret: String) -> Self {
        Self { url: url.to_owned(), secret }
    }

    /// Signs claims. Clusters of EKS sign with RSA; IAM takes elliptic curves (ES256) as well,
    /// whose keys can be made from a secret.
    pub(crate) fn issue(&self, claims: &Value) -> String {
        let pair = self.pair();
        let id = HEXLOWER.encode(&Sha256::digest(pair.public_key().as_ref()));
        let header = json!({ "alg": "ES256", "kid": id[..40], "typ": "JWT" });
        let encoded = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let signed = format!("{}.{}", encoded(&header), encoded(claims));
        let signature = pair.sign(&SystemRandom::new(), signed.as_bytes());
        let signature = signature.expect("the system has random numbers");
        format!("{signed}.{}", BASE64URL_NOPAD.encode(signature.as_ref()))
    }

    /// Tells whether the issuer signed a token.
    pub(crate) fn signed(&self, token: &Token) -> bool {
        let pair = self.pair();
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key().as_ref());
        public.verify(token.signed.as_bytes(), &token.signature).is_ok()
    }

    fn pair(&self) -> EcdsaKeyPair {
        let mut number: [u8; 32] = Sha256::digest(&self.secret).into();
        // Every number below the order of the curve is a key, and more than 0.
        number[0] = (number[0] >> 1) | 1;
        let der = [DER.0, &number, DER.1].concat();
        EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, &der)
            .expect("every such number is a key")
    }
}

impl Token {
    /// Reads a token; `None` if it is none, or signed in a way that is not known here.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let decoded = |part: &str| {
            let bytes = BASE64URL_NOPAD.decode(part.as_bytes()).ok()?;
            serde_json::from_slice::<Value>(&bytes).ok()
        };
        let is_known = decoded(header)?.get("alg")?.as_str()? == "ES256";
        let claims = decoded(claims).filter(Value::is_object).filter(|_| is_known)?;
        let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).ok()?;
        Some(Self { claims, signed: signed.to_owned(), signature })
    }

    /// Returns a claim that is a text.
    pub(crate) fn text(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim).and_then(Value::as_str)
    }

    /// Returns whom the token is for: one or several.
    pub(crate) fn audiences(&self) -> Vec<&str> {
        match self.claims.get("aud") {
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(one)) => vec![one],
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_issuer_makes_tokens() {
        let issuer = Issuer::new("https://a.example", "a".to_owned());
        let text = issuer.issue(&json!({ "sub": "x", "aud": ["y"] }));
        let token = Token::read(&text).expect("it is a token");
        assert_eq!((token.text("sub"), token.audiences()), (Some("x"), vec!["y"]));
        assert!(issuer.signed(&token));
        assert!(!Issuer::new("https://b.example", "b".to_owned()).signed(&token));
        let other = issuer.issue(&json!({ "sub": "z", "aud": "y" }));
        let (signed, _) = other.rsplit_once('.').expect("it has three parts");
        let (_, signature) = text.rsplit_once('.').expect("it has three parts");
        let forged = Token::read(&format!("{signed}.{signature}")).expect("it looks like a token");
        assert!(!issuer.signed(&forged));
    }

    #[test]
    fn other_texts_are_no_tokens() {
        let unsigned = BASE64URL_NOPAD.encode(br#"{"alg":"none"}"#);
        for text in ["", "a.b", "a.b.c", &format!("{unsigned}.e30.")] {
            assert_eq!(Token::read(text), None, "{text}");
        }
    }
}
