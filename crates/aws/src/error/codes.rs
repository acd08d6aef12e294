//! The error codes of AWS's services, and what each of them means for what to do next.

use straddle_engine::provider::ErrorClass;

/// Returns the class of an error; `None` for those that say no more than their HTTP status does.
///
/// Most codes say enough ("Error codes for the Amazon EC2 API"; the errors of each operation in the
/// other API references). Where one code stands for several things, the operation or the service's
/// words tell which.
pub(super) fn class(operation: &str, code: &str, message: &str) -> Option<ErrorClass> {
    by_words(operation, code, message).or_else(|| by_code(code))
}

/// What a role or a principal that is too new is called, by IAM and EKS.
const NOT_PROPAGATED: [&str; 7] = [
    "CREATE_FAILED",
    "does not exist",
    "Error in role params",
    "Role could not be assumed because the trusted entity is not correct",
    "have the Amazon EKS Managed Policies associated",
    "IAM role's policy must include",
    "invalid principal",
];

fn by_words(operation: &str, code: &str, message: &str) -> Option<ErrorClass> {
    let says = |words: &str| message.contains(words);
    match code {
        // IAM refuses a trust policy that names a principal which not all of it knows yet.
        "MalformedPolicyDocument" if says("Invalid principal in policy") => Some(ErrorClass::Propagation),
        // EKS checks roles with a copy of IAM that is minutes behind.
        "InvalidParameterException" if NOT_PROPAGATED.into_iter().any(says) => Some(ErrorClass::Propagation),
        // The older words of EKS for a cluster that is gone.
        "ClientException" if says("No cluster found for name") => Some(ErrorClass::NotFound),
        // EKS: the name is taken; another change is going on; something is still attached.
        "ResourceInUseException" => Some(match operation {
            _ if operation.starts_with("Create") => ErrorClass::AlreadyExists,
            _ if says("in progress") => ErrorClass::Busy,
            _ => ErrorClass::Dependency,
        }),
        "InvalidRequestException" if says("in progress") => Some(ErrorClass::Busy),
        _ => None,
    }
}

fn by_code(code: &str) -> Option<ErrorClass> {
    let class = match code {
        "RequestLimitExceeded"
        | "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "EC2ThrottledException"
        | "TooManyRequestsException"
        | "BandwidthLimitExceeded"
        | "SlowDown" => ErrorClass::Throttled,
        "NatGatewayNotFound"
        | "Gateway.NotAttached"
        | "UnknownResourceException"
        | "ResourceArnNotFoundException"
        | "ResourceShareInvitationArnNotFoundException"
        | "NoSuchEntity"
        | "ResourceNotFoundException"
        | "LoadBalancerNotFound"
        | "TargetGroupNotFound"
        | "ListenerNotFound"
        | "RuleNotFound"
        | "SubnetNotFound"
        | "AllocationIdNotFound"
        | "CertificateNotFound" => ErrorClass::NotFound,
        "IncorrectState"
        | "OperationInProgress"
        | "InvalidStateTransitionException"
        | "ConcurrentModification"
        | "ConcurrentModificationException"
        | "EntityTemporarilyUnmodifiable"
        | "PriorRequestNotComplete"
        | "TrustStoreNotReady" => ErrorClass::Busy,
        "DependencyViolation"
        | "InvalidGroup.InUse"
        | "InvalidIPAddress.InUse"
        | "InvalidNetworkInterface.InUse"
        | "DeleteConflict"
        | "ResourceInUse" => ErrorClass::Dependency,
        "RouteAlreadyExists"
        | "Resource.AlreadyAssociated"
        | "InvalidSubnet.Conflict"
        | "InvalidGroup.Duplicate"
        | "InvalidPermission.Duplicate"
        | "ResourceShareInvitationAlreadyAcceptedException"
        | "EntityAlreadyExists"
        | "InvalidLaunchTemplateName.AlreadyExistsException"
        | "DuplicateLoadBalancerName"
        | "DuplicateTargetGroupName"
        | "DuplicateListener" => ErrorClass::AlreadyExists,
        "UnauthorizedOperation"
        | "AccessDenied"
        | "AccessDeniedException"
        | "AccessDeniedForDependencyException"
        | "AuthFailure"
        | "Blocked"
        | "InvalidClientTokenId"
        | "OptInRequired"
        | "PendingVerification"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException" => ErrorClass::AccessDenied,
        "RequestExpired" | "ExpiredToken" | "ExpiredTokenException" => ErrorClass::Expired,
        _ if code.ends_with(".NotFound") || code.ends_with(".NotFoundException") => ErrorClass::NotFound,
        // Server errors by their status, but the service knows that it has done nothing.
        _ if code.starts_with("Insufficient") => ErrorClass::Rejected,
        _ => return None,
    };
    Some(class)
}

#[cfg(test)]
mod tests {
    use super::super::class_of_answer;
    use super::*;

    #[track_caller]
    fn check(code: &str, status: u16, expected: ErrorClass) {
        assert_eq!(class_of_answer("", Some(code), "", status), expected, "{code} with status {status}");
    }

    #[test]
    fn codes_are_sorted() {
        check("RequestLimitExceeded", 503, ErrorClass::Throttled);
        check("Throttling", 400, ErrorClass::Throttled);
        check("InvalidVpcID.NotFound", 400, ErrorClass::NotFound);
        check("InvalidAllocationID.NotFound", 400, ErrorClass::NotFound);
        check("NatGatewayNotFound", 400, ErrorClass::NotFound);
        check("Gateway.NotAttached", 400, ErrorClass::NotFound);
        check("DependencyViolation", 400, ErrorClass::Dependency);
        check("InvalidIPAddress.InUse", 400, ErrorClass::Dependency);
        check("RouteAlreadyExists", 400, ErrorClass::AlreadyExists);
        check("Resource.AlreadyAssociated", 400, ErrorClass::AlreadyExists);
        check("InvalidSubnet.Conflict", 400, ErrorClass::AlreadyExists);
        check("UnauthorizedOperation", 403, ErrorClass::AccessDenied);
        check("AuthFailure", 401, ErrorClass::AccessDenied);
        check("RequestExpired", 400, ErrorClass::Expired);
        check("ExpiredTokenException", 400, ErrorClass::Expired);
        check("IncorrectState", 400, ErrorClass::Busy);
    }

    #[test]
    fn codes_of_ram_are_sorted() {
        check("ThrottlingException", 429, ErrorClass::Throttled);
        check("UnknownResourceException", 400, ErrorClass::NotFound);
        check("ResourceArnNotFoundException", 400, ErrorClass::NotFound);
        check("ResourceShareInvitationArnNotFoundException", 400, ErrorClass::NotFound);
        check("InvalidStateTransitionException", 400, ErrorClass::Busy);
        check("ResourceShareInvitationAlreadyAcceptedException", 400, ErrorClass::AlreadyExists);
        check("ResourceShareInvitationAlreadyRejectedException", 400, ErrorClass::Rejected);
        check("ResourceShareInvitationExpiredException", 400, ErrorClass::Rejected);
        // The token is known with other arguments: this call was not carried out.
        check("IdempotentParameterMismatchException", 400, ErrorClass::Rejected);
        // Says that the organization or the owner does not allow it, not that the caller may not.
        check("OperationNotPermittedException", 400, ErrorClass::Rejected);
        check("ResourceShareLimitExceededException", 400, ErrorClass::Rejected);
        check("ServerInternalException", 500, ErrorClass::Ambiguous);
        check("ServiceUnavailableException", 503, ErrorClass::Ambiguous);
    }

    #[test]
    fn codes_of_organizations_are_sorted() {
        check("TooManyRequestsException", 400, ErrorClass::Throttled);
        check("ConcurrentModificationException", 400, ErrorClass::Busy);
        check("AccessDeniedException", 400, ErrorClass::AccessDenied);
        check("AccessDeniedForDependencyException", 400, ErrorClass::AccessDenied);
        check("AWSOrganizationsNotInUseException", 400, ErrorClass::Rejected);
        check("ServiceException", 500, ErrorClass::Ambiguous);
    }

    #[test]
    fn codes_without_a_class_go_by_their_status() {
        check("VpcLimitExceeded", 400, ErrorClass::Rejected);
        check("InvalidVpcID.Malformed", 400, ErrorClass::Rejected);
        check("InternalError", 500, ErrorClass::Ambiguous);
        check("Unavailable", 503, ErrorClass::Ambiguous);
        check("InsufficientAddressCapacity", 500, ErrorClass::Rejected);
    }

    #[test]
    fn codes_of_iam_and_load_balancing_are_sorted() {
        check("NoSuchEntity", 404, ErrorClass::NotFound);
        check("EntityAlreadyExists", 409, ErrorClass::AlreadyExists);
        check("DeleteConflict", 409, ErrorClass::Dependency);
        check("ConcurrentModification", 409, ErrorClass::Busy);
        check("EntityTemporarilyUnmodifiable", 409, ErrorClass::Busy);
        check("MalformedPolicyDocument", 400, ErrorClass::Rejected);
        check("LimitExceeded", 409, ErrorClass::Rejected);
        check("LoadBalancerNotFound", 400, ErrorClass::NotFound);
        check("DuplicateTargetGroupName", 400, ErrorClass::AlreadyExists);
        check("ResourceInUse", 400, ErrorClass::Dependency);
        check("SubnetNotFound", 400, ErrorClass::NotFound);
        check("TrustStoreNotReady", 400, ErrorClass::Busy);
        check("InvalidLaunchTemplateId.NotFoundException", 400, ErrorClass::NotFound);
    }

    #[test]
    fn words_tell_what_a_code_does_not() {
        let class =
            |operation: &str, code: &str, words: &str| class_of_answer(operation, Some(code), words, 400);
        let words = "Invalid principal in policy: \"AWS\":\"arn:aws:iam::111122223333:role/new\"";
        assert_eq!(class("CreateRole", "MalformedPolicyDocument", words), ErrorClass::Propagation);
        let words = "Role with arn: arn:aws:iam::1:role/x, could not be assumed because it does not exist";
        assert_eq!(class("CreateCluster", "InvalidParameterException", words), ErrorClass::Propagation);
        let words = "unsupported Kubernetes version";
        assert_eq!(class("CreateCluster", "InvalidParameterException", words), ErrorClass::Rejected);
        let in_use = "ResourceInUseException";
        assert_eq!(class("CreateCluster", in_use, "Cluster already exists"), ErrorClass::AlreadyExists);
        let words = "Cannot perform the operation: an update is in progress";
        assert_eq!(class("DeleteCluster", in_use, words), ErrorClass::Busy);
        assert_eq!(class("DeleteCluster", in_use, "Cluster has nodegroups attached"), ErrorClass::Dependency);
        let words = "No cluster found for name: x.";
        assert_eq!(class("DescribeCluster", "ClientException", words), ErrorClass::NotFound);
    }
}
