//! Asks a load balancer as anybody outside would.

use std::time::Duration;

use straddle_engine::outside::Outside;
use straddle_engine::provider::{ErrorClass, ProviderError};
use straddle_engine::resource::Readiness;
use straddle_engine::schema::Attributes;
use straddle_web::{Method, Patience, RequestBuilder, Url, Web, causes};

/// A request that a load balancer has to answer.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct Check {
    /// The path to ask for.
    #[attribute(default = "/")]
    path: Option<String>,
    /// The status that it has to answer with. Redirections are not followed.
    #[attribute(default = 200)]
    status: Option<i64>,
    /// The name to ask for, for rules that tell hosts apart; its own if this is not set.
    host: Option<String>,
}

/// How long an answer may take.
const PATIENCE: Patience = Patience::of(Duration::from_secs(10));

/// Asks once. Whatever goes wrong on the way may come right: a new name takes minutes to be known
/// everywhere.
///
/// # Errors
/// If the request cannot even be made.
pub(super) async fn answers(
    outside: &Outside,
    base: &str,
    check: &Check,
) -> Result<Readiness, ProviderError> {
    let wanted = check.status.unwrap_or(200);
    let path = check.path.as_deref().unwrap_or("/");
    let shown = format!("{}/{}", base.trim_end_matches('/'), path.trim_start_matches('/'));
    let request = request(outside, &shown, check.host.as_deref()).map_err(defect)?;
    Ok(match request.send().await {
        Ok(answer) if i64::from(answer.status().as_u16()) == wanted => Readiness::Ready,
        Ok(answer) => {
            let status = answer.status().as_u16();
            Readiness::Pending(format!("{shown} answers {status}, not {wanted}{}", meaning(status)))
        }
        Err(error) => Readiness::Pending(format!("{shown} does not answer: {}", causes(&error))),
    })
}

fn request(outside: &Outside, shown: &str, host: Option<&str>) -> Result<RequestBuilder, String> {
    let url: Url = shown.parse().map_err(|error| format!("{shown} is no address: {error}"))?;
    let request = Web::new(outside, PATIENCE).and_then(|web| web.request(Method::GET, &url, host));
    request.map_err(|error| format!("{shown}: {error}"))
}

/// Returns what a status of a load balancer's own means.
fn meaning(status: u16) -> &'static str {
    match status {
        502 => ": its targets close the connection or answer something else than HTTP",
        503 => ": it has no healthy target for this path",
        504 => ": its targets do not answer; the rule from its security group to the pods may be missing",
        _ => "",
    }
}

fn defect(message: String) -> ProviderError {
    ProviderError::new(ErrorClass::Rejected, "GET", message)
}

#[cfg(test)]
mod tests {
    use straddle_engine::outside::Substitute;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// Asks a listener that answers with a status line; returns what came of it, and what was asked.
    async fn ask(status: &str, check: Check) -> (Readiness, String) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port is free");
        let plain = listener.local_addr().expect("it listens");
        let substitute = Substitute { tls: plain, plain, certificate_authority: String::new() };
        let outside = Outside::Substitute(substitute);
        let serve = async {
            let (mut stream, _) = listener.accept().await.expect("somebody asks");
            let mut asked = vec![0; 4096];
            let length = stream.read(&mut asked).await.expect("it is asked");
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nlocation: /\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.expect("it hears the answer");
            String::from_utf8_lossy(&asked[..length]).to_ascii_lowercase()
        };
        let base = "http://k8s-1.us-east-1.elb.amazonaws.com/";
        let (answer, asked) = futures::join!(answers(&outside, base, &check), serve);
        (answer.expect("the request can be made"), asked)
    }

    #[tokio::test]
    async fn it_is_asked_by_its_own_name_until_it_answers_as_wanted() {
        let check = Check { path: Some("/health".to_owned()), ..Check::default() };
        let (answer, asked) = ask("200 OK", check.clone()).await;
        assert_eq!(answer, Readiness::Ready);
        assert!(asked.starts_with("get /health http/1.1"), "{asked}");
        assert!(asked.contains("host: k8s-1.us-east-1.elb.amazonaws.com\r\n"), "{asked}");
        let (answer, _) = ask("503 Service Unavailable", check).await;
        let Readiness::Pending(reason) = answer else { panic!("{answer:?}") };
        assert!(reason.contains("/health answers 503, not 200: it has no healthy target"), "{reason}");
    }

    #[tokio::test]
    async fn another_name_and_a_redirection_can_be_wanted() {
        let check = Check { status: Some(301), host: Some("shop.example.com".to_owned()), path: None };
        let (answer, asked) = ask("301 Moved Permanently", check).await;
        assert_eq!(answer, Readiness::Ready);
        assert!(asked.contains("host: shop.example.com\r\n"), "{asked}");
    }

    #[tokio::test]
    async fn nobody_there_is_waited_for() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port is free");
        let closed = listener.local_addr().expect("it listens");
        drop(listener);
        let substitute = Substitute { tls: closed, plain: closed, certificate_authority: String::new() };
        let answer =
            answers(&Outside::Substitute(substitute), "http://gone.example.com/", &Check::default()).await;
        let answer = answer.expect("the request can be made");
        assert!(
            matches!(&answer, Readiness::Pending(reason) if reason.contains("does not answer")),
            "{answer:?}"
        );
    }
}
