//! Keys and certificates. They are another one each time: whoever wants a second plan without changes
//! looks up the object that has the first one.

use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use data_encoding::BASE64;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PKCS_RSA_SHA256, RsaKeySize, SanType,
};

use super::arguments::{int, list, text};
use super::{Function, Returned, by_chance, takes};
use crate::helm::render::Keys;
use crate::helm::template::{CallError, Executor, GoValue, Object};

/// About a thousand years: dates of certificates end with the year 9999.
const MOST_DAYS: u64 = 365_250;

/// What PEM calls what is in it.
const CERTIFICATE: &str = "CERTIFICATE";
const RSA_KEY: &str = "RSA PRIVATE KEY";
const OTHER_KEY: &str = "PRIVATE KEY";

pub(super) const FUNCTIONS: &[Function] = &[
    by_chance(takes(1, "genPrivateKey", |executor, arguments| {
        let kind = text(arguments, 0)?;
        Ok(GoValue::text(Key::New(&kind).made(executor)?.text(executor)))
    })),
    by_chance(takes(2, "genCA", |executor, arguments| authority(executor, arguments, &Key::New("rsa")))),
    by_chance(takes(3, "genCAWithKey", |executor, arguments| {
        authority(executor, arguments, &Key::Given(&text(arguments, 2)?))
    })),
    by_chance(takes(4, "genSelfSignedCert", |executor, arguments| {
        self_signed(executor, arguments, &Key::New("rsa"))
    })),
    by_chance(takes(5, "genSelfSignedCertWithKey", |executor, arguments| {
        self_signed(executor, arguments, &Key::Given(&text(arguments, 4)?))
    })),
    by_chance(takes(5, "genSignedCert", |executor, arguments| signed(executor, arguments, &Key::New("rsa")))),
    by_chance(takes(6, "genSignedCertWithKey", |executor, arguments| {
        signed(executor, arguments, &Key::Given(&text(arguments, 5)?))
    })),
    takes(2, "buildCustomCert", |executor, arguments| {
        let decoded = |index: usize, what: &str| -> Result<String, CallError> {
            let bytes = BASE64
                .decode(text(arguments, index)?.as_bytes())
                .map_err(|_| CallError::from(format!("unable to decode base64 {what}")))?;
            String::from_utf8(bytes).map_err(|_| CallError::from(format!("unable to decode {what}")))
        };
        let pair = Certificate { certificate: decoded(0, "certificate")?, key: decoded(1, "private key")? };
        Key::Given(&pair.key).made(executor)?;
        Ok(GoValue::Object(Rc::new(pair)))
    }),
];

/// A certificate and its key, in PEM.
struct Certificate {
    certificate: String,
    key: String,
}

impl Object for Certificate {
    fn type_name(&self) -> &'static str {
        "sprig.certificate"
    }

    fn member(&self, name: &str, _: &[GoValue]) -> Option<Result<GoValue, String>> {
        match name {
            "Cert" => Some(Ok(GoValue::text(&self.certificate))),
            "Key" => Some(Ok(GoValue::text(&self.key))),
            _ => None,
        }
    }

    fn text(&self) -> String {
        format!("{{{} {}}}", self.certificate, self.key)
    }

    fn data(&self) -> GoValue {
        GoValue::table([
            ("Cert".to_owned(), GoValue::text(&self.certificate)),
            ("Key".to_owned(), GoValue::text(&self.key)),
        ])
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

/// Which key a certificate is for.
enum Key<'a> {
    /// A new one of this kind.
    New(&'a str),
    /// One that the chart has, in PEM.
    Given(&'a str),
}

/// A key, or what stands for one.
enum MadeKey {
    Real(KeyPair),
    /// Has no bits yet, and the label that it will have.
    StandIn(&'static str),
    /// Stands for one, and was given.
    Given(String),
}

impl Key<'_> {
    fn made(&self, executor: &Executor<'_>) -> Result<MadeKey, CallError> {
        match (self, executor.world.keys) {
            (Self::New(kind), Keys::Real) => new_key(kind).map(MadeKey::Real),
            (Self::New(kind), Keys::StandIns) => label_of_kind(kind).map(MadeKey::StandIn),
            (Self::Given(pem), Keys::Real) => read_key(pem).map(MadeKey::Real),
            (Self::Given(pem), Keys::StandIns) => {
                Ok(read_key(pem).map_or_else(|_| MadeKey::Given((*pem).to_owned()), MadeKey::Real))
            }
        }
    }
}

impl MadeKey {
    /// Returns it in PEM.
    fn text(&self, executor: &Executor<'_>) -> String {
        match self {
            Self::Real(key) => pem(key),
            Self::StandIn(label) => stand_in(executor, label),
            Self::Given(text) => text.clone(),
        }
    }
}

/// Returns what has the form of PEM, and random bytes in it.
fn stand_in(executor: &Executor<'_>, label: &str) -> String {
    let mut bytes = [0; 48];
    (executor.world.random)(&mut bytes);
    written(label, &bytes)
}

fn written(label: &str, der: &[u8]) -> String {
    let encoded = BASE64.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in encoded.as_bytes().chunks(64) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    text + &format!("-----END {label}-----\n")
}

fn label_of_kind(kind: &str) -> Result<&'static str, CallError> {
    match kind {
        "" | "rsa" => Ok(RSA_KEY),
        "ecdsa" | "ed25519" => Ok(OTHER_KEY),
        other => Err(unknown_kind(other)),
    }
}

fn unknown_kind(kind: &str) -> CallError {
    format!("Unknown type of private key: {kind}").into()
}

fn told(error: impl std::fmt::Display) -> CallError {
    CallError::from(error.to_string())
}

fn new_key(kind: &str) -> Result<KeyPair, CallError> {
    match kind {
        "" | "rsa" => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).map_err(told),
        "ecdsa" => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(told),
        "ed25519" => KeyPair::generate_for(&PKCS_ED25519).map_err(told),
        other => Err(unknown_kind(other)),
    }
}

fn read_key(pem: &str) -> Result<KeyPair, CallError> {
    KeyPair::from_pem(pem).map_err(|error| CallError::from(format!("error parsing private key: {error}")))
}

/// Returns a key as PEM. RSA keys have the form that says so, which more programs read.
fn pem(key: &KeyPair) -> String {
    let der = key.serialized_der();
    match rsa_key(der) {
        Some(inner) if key.algorithm() == &PKCS_RSA_SHA256 => written(RSA_KEY, inner),
        _ => written(OTHER_KEY, der),
    }
}

/// Returns the RSA key inside of a key that says its kind (RFC 5958): a sequence of a version, the kind,
/// and bytes with the key.
fn rsa_key(der: &[u8]) -> Option<&[u8]> {
    /// Returns the content of an element of this kind and what follows.
    fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
        let (first, rest) = der.split_first()?;
        let (length, rest) = rest.split_first()?;
        let (length, rest) = if *length < 0x80 {
            (usize::from(*length), rest)
        } else {
            let (bytes, rest) = rest.split_at_checked(usize::from(length & 0x7F))?;
            (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        };
        (*first == tag).then(|| rest.split_at_checked(length)).flatten()
    }
    let (inside, _) = element(der, 0x30)?;
    let (_, after_version) = element(inside, 0x02)?;
    let (_, after_kind) = element(after_version, 0x30)?;
    element(after_kind, 0x04).map(|(key, _)| key)
}

/// Returns what a certificate says that is valid for some days from now.
fn parameters(executor: &Executor<'_>, name: &str, days: i64) -> Result<CertificateParams, CallError> {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, name);
    let now = u64::try_from(executor.world.now.as_second()).unwrap_or_default();
    let days = u64::try_from(days).ok().filter(|days| *days < MOST_DAYS);
    let days =
        days.ok_or_else(|| CallError::from(format!("a certificate is valid for 0 to {MOST_DAYS} days")))?;
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    parameters.not_before = epoch + Duration::from_secs(now);
    parameters.not_after = epoch + Duration::from_secs(now + days * 86_400);
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    parameters.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    parameters.use_authority_key_identifier_extension = true;
    let mut serial = [0; 16];
    (executor.world.random)(&mut serial);
    // Positive, and not zero.
    serial[0] = serial[0] & 0x3F | 0x40;
    parameters.serial_number = Some(rcgen::SerialNumber::from_slice(&serial));
    Ok(parameters)
}

/// Adds the addresses and names that a certificate is for.
fn add_names(parameters: &mut CertificateParams, arguments: &[GoValue]) -> Result<(), CallError> {
    for (index, is_address) in [(1, true), (2, false)] {
        if matches!(arguments[index], GoValue::Nil) {
            continue;
        }
        for item in list(arguments, index, "names")?.iter() {
            let GoValue::Text(name) = item else {
                return Err(format!("error: {} is not a string", item.display()).into());
            };
            parameters.subject_alt_names.push(if is_address {
                let address: IpAddr = name
                    .parse()
                    .map_err(|_| CallError::from(format!("error parsing ip: {name} is not an IP address")))?;
                SanType::IpAddress(address)
            } else {
                SanType::DnsName(name.to_string().try_into().map_err(told)?)
            });
        }
    }
    Ok(())
}

/// Returns a certificate that is made for a key; what stands for one if the key does, or who signs it.
fn made(
    executor: &Executor<'_>,
    key: &MadeKey,
    certify: impl FnOnce(&KeyPair) -> Result<rcgen::Certificate, CallError>,
) -> Returned {
    let certificate = match (key, executor.world.keys) {
        // Other programs do not expect the line breaks of Windows.
        (MadeKey::Real(key), Keys::Real) => certify(key)?.pem().replace("\r\n", "\n"),
        (MadeKey::Real(_) | MadeKey::StandIn(_) | MadeKey::Given(_), _) => stand_in(executor, CERTIFICATE),
    };
    Ok(GoValue::Object(Rc::new(Certificate { certificate, key: key.text(executor) })))
}

fn authority(executor: &Executor<'_>, arguments: &[GoValue], key: &Key<'_>) -> Returned {
    let mut parameters = parameters(executor, &text(arguments, 0)?, int(arguments, 1)?)?;
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages.push(KeyUsagePurpose::KeyCertSign);
    made(executor, &key.made(executor)?, |key| parameters.self_signed(key).map_err(told))
}

fn self_signed(executor: &Executor<'_>, arguments: &[GoValue], key: &Key<'_>) -> Returned {
    let mut parameters = parameters(executor, &text(arguments, 0)?, int(arguments, 3)?)?;
    add_names(&mut parameters, arguments)?;
    made(executor, &key.made(executor)?, |key| parameters.self_signed(key).map_err(told))
}

fn signed(executor: &Executor<'_>, arguments: &[GoValue], key: &Key<'_>) -> Returned {
    let authority = match &arguments[4] {
        GoValue::Object(object) => object.as_any().downcast_ref::<Certificate>(),
        _ => None,
    };
    let authority =
        authority.ok_or_else(|| CallError::argument(4, "sprig.certificate", arguments[4].type_name()))?;
    let mut parameters = parameters(executor, &text(arguments, 0)?, int(arguments, 3)?)?;
    add_names(&mut parameters, arguments)?;
    made(executor, &key.made(executor)?, |key| {
        let issuer =
            Issuer::from_ca_cert_pem(&authority.certificate, read_key(&authority.key)?).map_err(told)?;
        parameters.signed_by(key, &issuer).map_err(told)
    })
}
