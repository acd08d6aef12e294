//! A service on this machine that answers as a test says, and the client that talks to it.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use futures::future::{Either, select};
use straddle_engine::address::Address;
use straddle_engine::outside::Outside;
use straddle_engine::resource::Intent;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::client::{Client, Place};

/// A call as the service gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The path of the request, or the operation in its header.
    pub(crate) operation: String,
    /// The body.
    pub(crate) body: String,
}

/// What a service answers: a JSON document, or the code of an error.
pub(crate) type Answer = Result<String, &'static str>;

/// Does some work with a client whose every call is answered by `answer`. Returns what came of it,
/// and the calls in the order in which they came.
pub(crate) async fn answered_by<T>(
    answer: impl Fn(&Asked) -> Answer,
    work: impl AsyncFnOnce(&Client) -> T,
) -> (T, Vec<Asked>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("the machine has a port left");
    let client = client("444455556666", listener.local_addr().expect("it is bound").port());
    let mut log = Vec::new();
    let serving = Box::pin(async {
        loop {
            let (stream, _) = listener.accept().await.expect("the call comes");
            serve(stream, &answer, &mut log).await;
        }
    });
    let done = match select(Box::pin(work(&client)), serving).await {
        Either::Left((done, serving)) => {
            drop(serving);
            done
        }
        Either::Right((never, _)) => never,
    };
    (done, log)
}

/// Makes an intent, of which nothing but the ids matters.
pub(crate) fn intent(kind: &'static str) -> Intent {
    Intent {
        address: Address::new(kind, "main"),
        operation_id: "op-1".to_owned(),
        token: "token-1".to_owned(),
    }
}

/// Makes a client for an account whose services are all at this port of this machine.
pub(crate) fn client(account: &str, port: u16) -> Client {
    let credentials = Credentials::new("key", "secret", None, None, "test");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(format!("http://127.0.0.1:{port}"))
        .region(Region::new("us-east-1"))
        .build();
    let text = str::to_owned;
    let place = Place { partition: text("aws"), region: text("us-east-1"), account: text(account) };
    Client::new(&config, place, Outside::Direct)
}

async fn serve(mut stream: TcpStream, answer: &impl Fn(&Asked) -> Answer, log: &mut Vec<Asked>) {
    let Some(asked) = read(&mut stream).await else { return };
    let (head, body) = match answer(&asked) {
        Ok(body) => ("200 OK".to_owned(), body),
        Err(code) => {
            (format!("400 Bad Request\r\nx-amzn-ErrorType: {code}"), r#"{"message":"no"}"#.to_owned())
        }
    };
    log.push(asked);
    let length = body.len();
    let head = format!("HTTP/1.1 {head}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all(format!("{head}{body}").as_bytes()).await.expect("it is read");
}

/// Reads a request; `None` if the connection was opened for nothing.
async fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let header = |name: &str| {
                let mut fields = head.lines().filter_map(|line| line.split_once(": "));
                fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
            };
            let length = header("content-length").map_or(0, |length| length.parse().expect("it is a number"));
            if body.len() >= length {
                let target = header("x-amz-target")
                    .map(|target| format!("/{}", target.rsplit('.').next().unwrap_or_default()));
                let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                let operation = target.unwrap_or(path).trim_start_matches('/').to_owned();
                return Some(Asked { operation, body: body.to_owned() });
            }
        }
        if stream.read_buf(&mut bytes).await.expect("it is readable") == 0 {
            return None;
        }
    }
}
