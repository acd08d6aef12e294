//! Asks a load balancer as anybody outside would.

use std::time::Duration;

use reqwest::header::HOST;
use reqwest::{Certificate, Client, Url, redirect};
use straddle_engine::outside::Outside;
use straddle_engine::provider::{ErrorClass, ProviderError};
use straddle_engine::resource::Readiness;

use super::inputs::Check;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much of an error is told, from the outside inwards.
const CAUSES: usize = 4;

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

fn request(outside: &Outside, shown: &str, host: Option<&str>) -> Result<reqwest::RequestBuilder, String> {
    let mut url: Url = shown.parse().map_err(|error| format!("{shown} is no address: {error}"))?;
    let name = url.host_str().unwrap_or_default().to_owned();
    let mut client = Client::builder().redirect(redirect::Policy::none()).timeout(PATIENCE);
    if let Some(address) = outside.address(url.scheme()) {
        // The port of an overridden name is that of the URL.
        client = client.no_proxy().resolve(&name, address);
        url.set_port(Some(address.port())).map_err(|()| format!("{shown} can have no port"))?;
    }
    if let Some(substitute) = outside.substitute() {
        let authority = Certificate::from_pem(substitute.certificate_authority.as_bytes());
        client = client.add_root_certificate(authority.map_err(|error| error.to_string())?);
    }
    let client = client.build().map_err(|error| error.to_string())?;
    Ok(client.get(url).header(HOST, host.unwrap_or(&name)))
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

fn causes(error: &reqwest::Error) -> String {
    let mut causes = vec![error.to_string()];
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause.filter(|_| causes.len() < CAUSES) {
        causes.push(inner.to_string());
        cause = inner.source();
    }
    causes.join(": ")
}

fn defect(message: String) -> ProviderError {
    ProviderError::new(ErrorClass::Rejected, "GET", message)
}
