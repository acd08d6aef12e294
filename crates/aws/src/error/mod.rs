//! What a failed call means: from the SDK's errors to the engine's classes.

mod codes;

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::operation::RequestId;
use straddle_engine::provider::{ErrorClass, ProviderError};

/// Returns what turns the failure of this operation into an error that the engine can act on.
pub(crate) fn failed<E>(operation: &'static str) -> impl FnOnce(SdkError<E>) -> ProviderError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    move |error| ProviderError {
        class: class_of(operation, &error),
        operation: operation.to_owned(),
        code: error.code().unwrap_or_default().to_owned(),
        message: error.message().map_or_else(|| causes(&error), decodable),
        request_id: error.request_id().map(str::to_owned),
    }
}

/// Says how to read a message that EC2 has encoded for those who may know which policy refused.
fn decodable(message: &str) -> String {
    match message.split_once(" Encoded authorization failure message: ") {
        None => message.to_owned(),
        Some((message, encoded)) => format!(
            "{message} To learn what refused it, run `aws sts decode-authorization-message --encoded-message \
             {}`",
            encoded.trim()
        ),
    }
}

/// Returns what an answer without error must contain. Where it is missing, the call may well have
/// been carried out.
pub(crate) fn answered<T>(operation: &'static str, part: Option<T>) -> Result<T, ProviderError> {
    part.ok_or_else(|| {
        let message = "the answer has no error and lacks the id of what was made";
        ProviderError::new(ErrorClass::Ambiguous, operation, message)
    })
}

/// Describes a refusal that stands in an answer without error.
pub(crate) fn refused(operation: &'static str, code: Option<&str>, message: Option<&str>) -> ProviderError {
    let class = code
        .and_then(|code| codes::class(operation, code, message.unwrap_or_default()))
        .unwrap_or(ErrorClass::Rejected);
    let error = ProviderError::new(class, operation, message.unwrap_or("the service does not say why"));
    ProviderError { code: code.unwrap_or_default().to_owned(), ..error }
}

/// Takes the error with this code for success: what the call should bring about is so already.
pub(crate) fn unless<T>(
    result: Result<T, ProviderError>,
    done_already: &str,
) -> Result<Option<T>, ProviderError> {
    match result {
        Ok(output) => Ok(Some(output)),
        Err(error) if error.code == done_already => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns the error of this type in the chain of causes.
pub(crate) fn find_cause<'a, C: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a C> {
    chain(error).find_map(<dyn Error>::downcast_ref)
}

/// What the SDK's layers say that tells a user nothing.
const LAYERS: [&str; 5] =
    ["dispatch failure", "io error", "other", "service error", "the credential provider was not enabled"];

/// Returns the texts of the chain of causes, outermost first, without repetitions.
pub(crate) fn causes(error: &(dyn Error + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    for text in chain(error).map(ToString::to_string) {
        if !LAYERS.contains(&text.as_str()) && !texts.iter().any(|known| known.contains(&text)) {
            texts.push(text);
        }
    }
    if texts.is_empty() { error.to_string() } else { texts.join(": ") }
}

/// Returns the error and its causes.
pub(crate) fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the SDK's enum may grow, with nothing that tells more")]
fn class_of<E>(operation: &str, error: &SdkError<E>) -> ErrorClass
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match error {
        SdkError::ConstructionFailure(_) => ErrorClass::Rejected,
        SdkError::ServiceError(answer) => {
            let (code, message) = (answer.err().code(), answer.err().message().unwrap_or_default());
            class_of_answer(operation, code, message, answer.raw().status().as_u16())
        }
        SdkError::DispatchFailure(_) => class_of_dispatch(error),
        // No answer in time, or one that cannot be read.
        _ => ErrorClass::Ambiguous,
    }
}

/// Sorts an answer by its code and, where the code says nothing, by its HTTP status.
fn class_of_answer(operation: &str, code: Option<&str>, message: &str, status: u16) -> ErrorClass {
    match code {
        Some(code) => codes::class(operation, code, message).unwrap_or_else(|| class_of_status(status)),
        // Not written by the service: nobody knows what stands behind it.
        None => ErrorClass::Ambiguous,
    }
}

fn class_of_status(status: u16) -> ErrorClass {
    if (400..500).contains(&status) { ErrorClass::Rejected } else { ErrorClass::Ambiguous }
}

/// Sorts a request that was not answered.
///
/// Without credentials or connection nothing was sent, so the same call may be sent again.
fn class_of_dispatch(error: &(dyn Error + 'static)) -> ErrorClass {
    if find_cause::<CredentialsError>(error).is_some() {
        ErrorClass::Expired
    } else if never_connected(error) {
        ErrorClass::Throttled
    } else {
        ErrorClass::Ambiguous
    }
}

/// Tells whether the connection was never made. The types that say so are private to the HTTP
/// client, so this goes by their texts; should these change, the failure counts as ambiguous.
pub(crate) fn never_connected(error: &(dyn Error + 'static)) -> bool {
    chain(error)
        .map(ToString::to_string)
        .any(|text| text.starts_with("client error (Connect)") || text.starts_with("HTTP connect timeout"))
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::config::{BehaviorVersion, Credentials, Region, retry::RetryConfig};
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    use super::*;

    /// Sends a call to this port of this machine, and returns the class of its failure.
    async fn class_of_call(port: u16) -> ErrorClass {
        let config = aws_sdk_ec2::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
            .endpoint_url(format!("http://127.0.0.1:{port}"))
            .region(Region::new("us-east-1"))
            .retry_config(RetryConfig::disabled())
            .build();
        let answer = aws_sdk_ec2::Client::from_conf(config).create_vpc().send().await;
        failed("CreateVpc")(answer.expect_err("nobody answers")).class
    }

    #[tokio::test]
    async fn a_call_that_was_never_sent_may_be_sent_again() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("the machine has a port left");
        let port = listener.local_addr().expect("it is bound").port();
        drop(listener);
        assert_eq!(class_of_call(port).await, ErrorClass::Throttled);
    }

    #[tokio::test]
    async fn a_lost_answer_is_ambiguous() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("the machine has a port left");
        let port = listener.local_addr().expect("it is bound").port();
        let hang_up = async {
            let (mut stream, _) = listener.accept().await.expect("the call comes");
            stream.read_u8().await.expect("the request comes");
        };
        let ((), class) = futures::future::join(hang_up, class_of_call(port)).await;
        assert_eq!(class, ErrorClass::Ambiguous);
    }

    #[test]
    fn an_answer_that_the_service_did_not_write_tells_nothing() {
        assert_eq!(class_of_answer("CreateVpc", None, "", 500), ErrorClass::Ambiguous);
        assert_eq!(class_of_answer("CreateVpc", None, "", 403), ErrorClass::Ambiguous);
    }

    #[test]
    fn an_encoded_refusal_comes_with_how_to_read_it() {
        let message = "You are not authorized. Encoded authorization failure message: abc-1";
        let shown = decodable(message);
        assert!(shown.starts_with("You are not authorized. To learn"), "{shown}");
        assert!(shown.ends_with("decode-authorization-message --encoded-message abc-1`"), "{shown}");
        assert_eq!(decodable("no such VPC"), "no such VPC");
    }

    #[test]
    fn a_refusal_in_an_answer_has_the_class_of_its_code() {
        let error = refused("DeleteVpcEndpoints", Some("InvalidVpcEndpoint.NotFound"), Some("gone"));
        assert_eq!((error.class, error.code.as_str()), (ErrorClass::NotFound, "InvalidVpcEndpoint.NotFound"));
        assert_eq!(refused("DeleteVpcEndpoints", None, None).class, ErrorClass::Rejected);
    }

    #[test]
    fn an_error_that_means_done_already_is_no_error() {
        let error = |code: &str| -> Result<(), ProviderError> {
            let error = ProviderError::new(ErrorClass::NotFound, "DetachInternetGateway", "");
            Err(ProviderError { code: code.to_owned(), ..error })
        };
        assert_eq!(unless(error("Gateway.NotAttached"), "Gateway.NotAttached"), Ok(None));
        assert_eq!(unless(Ok(()), "Gateway.NotAttached"), Ok(Some(())));
        unless(error("InvalidInternetGatewayID.NotFound"), "Gateway.NotAttached")
            .expect_err("another error stays one");
    }
}
