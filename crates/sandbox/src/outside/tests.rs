//! The hosts outside as clients see them.

use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::handshake;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

use super::*;
use crate::server::tests::Serving;

/// Asks a host for `/`.
async fn ask<I>(stream: I, host: &str) -> (u16, String)
where
    I: hyper::rt::Read + hyper::rt::Write + Send + Unpin + 'static,
{
    let (mut sender, connection) = handshake(stream).await.unwrap();
    let request = Request::builder().uri("/").header(HOST, host);
    let request = request.body(Full::new(hyper::body::Bytes::new())).unwrap();
    let asked = async {
        let answer = sender.send_request(request).await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    };
    tokio::select! {
        answer = asked => answer,
        _ = connection => panic!("the connection ended without an answer"),
    }
}

/// Shakes hands with a host as somebody who trusts this authority.
async fn connect(substitute: &Substitute, trusted: &str, host: &str) -> Result<(u16, String), String> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trusted.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(substitute.tls).await.unwrap();
    let name = ServerName::try_from(host.to_owned()).unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    let stream = stream.map_err(|error| error.to_string())?;
    Ok(ask(TokioIo::new(stream), host).await)
}

#[tokio::test]
async fn every_host_shows_a_certificate_of_its_own() {
    let mut serving = Serving::start(None).await;
    let outside = serving.status.outside.clone();
    for host in ["charts.example.com", "other.example.com", "127.0.0.1"] {
        let (status, said) = connect(&outside, &outside.certificate_authority, host).await.unwrap();
        assert_eq!((status, said), (502, format!("the sandbox has no host https://{host}")));
    }
    let other = Authority::of_sandbox(1).pem();
    let refused = connect(&outside, &other, "charts.example.com").await.unwrap_err();
    assert!(refused.contains("certificate"), "{refused}");
    serving.end().await;
}

#[tokio::test]
async fn plain_hosts_are_told_by_the_header() {
    let mut serving = Serving::start(None).await;
    let stream = TcpStream::connect(serving.status.outside.plain).await.unwrap();
    let (status, said) = ask(TokioIo::new(stream), "A.example.com:80").await;
    assert_eq!((status, said.as_str()), (502, "the sandbox has no host http://a.example.com"));
    serving.end().await;
}
