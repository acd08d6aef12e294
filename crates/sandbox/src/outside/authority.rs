//! Certificates: who certifies a host, and what is shown in handshakes.
//!
//! Everything is made from a secret, and the same way each time: whoever has noted a certificate
//! finds the same one after a restart. That is why the keys are on the curve Ed25519, whose
//! signatures have no randomness in them.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ED25519, SanType, SerialNumber, date_time_ymd,
};
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};

/// What stands before the 32 bytes of a private key on the curve Ed25519 in DER (RFC 8410).
const DER: &[u8] =
    &[0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// Somebody who certifies hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Authority {
    name: &'static str,
    /// From what its keys are made.
    secret: String,
}

impl Authority {
    /// Returns who certifies the hosts of the sandbox that are no clusters.
    pub(crate) fn of_sandbox(seed: u64) -> Self {
        Self { name: "straddle sandbox", secret: format!("hosts outside of {seed}") }
    }

    /// Returns who certifies the endpoint of a cluster, which has this name as on EKS.
    pub(crate) fn of_cluster(secret: &str) -> Self {
        Self { name: "kubernetes", secret: secret.to_owned() }
    }

    /// Returns its certificate.
    pub(crate) fn pem(&self) -> String {
        let certificate = self.certificate().self_signed(&self.key(""));
        certificate.expect("a certificate of constants can be signed").pem()
    }

    /// Returns the certificate of a host, with its key. It is good for this machine's own address too,
    /// which clients use that cannot be told where a host is.
    pub(crate) fn certify(&self, host: &str) -> Option<Arc<CertifiedKey>> {
        let names = [SanType::DnsName(host.try_into().ok()?), SanType::IpAddress([127, 0, 0, 1].into())];
        let key = self.key(host);
        let mut wanted = certificate(host, &self.digest(&format!("serial of {host}")));
        wanted.subject_alt_names = names.to_vec();
        wanted.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let issuer = Issuer::new(self.certificate(), self.key(""));
        let signed = wanted.signed_by(&key, &issuer).expect("a certificate of a name can be signed");
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let key = any_supported_type(&key).expect("the library that signs knows its own keys");
        let chain: Vec<CertificateDer<'static>> = vec![signed.der().clone()];
        Some(Arc::new(CertifiedKey::new(chain, key)))
    }

    fn certificate(&self) -> CertificateParams {
        let mut wanted = certificate(self.name, &self.digest("serial"));
        wanted.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        wanted.key_usages = vec![
            KeyUsagePurpose::DigitalSignature,
            KeyUsagePurpose::KeyEncipherment,
            KeyUsagePurpose::KeyCertSign,
        ];
        wanted
    }

    fn key(&self, of: &str) -> KeyPair {
        let der = [DER, &self.digest(&format!("key of {of}"))].concat();
        KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(der), &PKCS_ED25519)
            .expect("every 32 bytes are a key on this curve")
    }

    fn digest(&self, what: &str) -> [u8; 32] {
        Sha256::digest(format!("{}\n{what}", self.secret)).into()
    }
}

/// Returns what all certificates share. They hold for as long as a world may be kept, whatever its
/// time is: clients compare them with their own clock.
fn certificate(name: &str, serial: &[u8; 32]) -> CertificateParams {
    let mut distinguished_name = DistinguishedName::new();
    distinguished_name.push(DnType::CommonName, name.chars().take(64).collect::<String>());
    let mut certificate = CertificateParams::default();
    certificate.not_before = date_time_ymd(2024, 1, 1);
    certificate.not_after = date_time_ymd(2049, 12, 31);
    // A serial number is positive.
    certificate.serial_number = Some(SerialNumber::from_slice(&[&[0x01], &serial[..15]].concat()));
    certificate.distinguished_name = distinguished_name;
    certificate.use_authority_key_identifier_extension = true;
    certificate
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_the_same_each_time() {
        let (one, same, other) =
            (Authority::of_sandbox(1), Authority::of_sandbox(1), Authority::of_sandbox(2));
        assert_eq!(one.pem(), same.pem());
        assert_ne!(one.pem(), other.pem());
        let chain = |authority: &Authority, host: &str| authority.certify(host).map(|key| key.cert.clone());
        assert_eq!(chain(&one, "a.example"), chain(&same, "a.example"));
        assert_ne!(chain(&one, "a.example"), chain(&one, "b.example"));
        assert_eq!(chain(&one, "höst"), None);
    }
}
