//! The form of the tokens that clusters of EKS take.

use data_encoding::BASE64URL_NOPAD;

/// What every token of this form begins with, with its version.
const PREFIX: &str = "k8s-aws-v1.";

/// The token that says who signed `url`: a presigned `GetCallerIdentity` of the regional
/// endpoint of STS, whose signed headers are `host` and `x-k8s-aws-id`.
///
/// The cluster asks STS with that very address, so it has to arrive as it was signed:
/// the text is encoded once, without padding.
/// Source: <https://docs.aws.amazon.com/eks/latest/best-practices/identity-and-access-management.html>.
#[must_use]
pub fn of_presigned_url(url: &str) -> String {
    format!("{PREFIX}{}", BASE64URL_NOPAD.encode(url.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `aws eks get-token` prints the same for this address.
    #[test]
    fn the_address_is_encoded_once_and_without_padding() {
        let token = of_presigned_url("https://sts.us-east-1.amazonaws.com/?Action=GetCallerIdentity");
        assert_eq!(
            token,
            "k8s-aws-v1.aHR0cHM6Ly9zdHMudXMtZWFzdC0xLmFtYXpvbmF3cy5jb20vP0FjdGlvbj1HZXRDYWxsZXJJZGVudGl0eQ"
        );
    }
}
