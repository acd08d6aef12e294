//! How the services say that something went wrong with them ("Common errors" of the API references).

use crate::call::Refusal;
use crate::protocol::Service;

/// Tells the caller to slow down.
pub(crate) fn throttled(service: Service) -> Refusal {
    match service {
        Service::Ec2 => refusal(503, "RequestLimitExceeded", "Request limit exceeded."),
        Service::Elb | Service::Iam | Service::Sts => refusal(400, "Throttling", "Rate exceeded"),
        Service::Organizations | Service::Quotas => refusal(400, "TooManyRequestsException", "Rate exceeded"),
        Service::Tagging => refusal(400, "ThrottledException", "Rate exceeded"),
        Service::Kubernetes => {
            let message = "Too many requests, please try again later.\n";
            refusal(429, "TooManyRequests", message).with("text", true)
        }
        Service::Eks | Service::EksAuth | Service::Ram => {
            refusal(429, "ThrottlingException", "Rate exceeded")
        }
    }
}

/// Fails without saying whether anything was done.
pub(crate) fn internal(service: Service, code: Option<String>, message: Option<String>) -> Refusal {
    let usual = match service {
        Service::Ec2 => refusal(500, "InternalError", "An internal error has occurred"),
        Service::Eks => refusal(500, "ServerException", "The service failed; try again later"),
        Service::EksAuth => refusal(500, "InternalServerException", "The service failed; try again later"),
        Service::Kubernetes => refusal(500, "InternalError", "Internal error occurred: the server failed"),
        Service::Iam => refusal(500, "ServiceFailure", "The request processing has failed"),
        Service::Elb | Service::Sts => refusal(500, "InternalFailure", "The request processing has failed"),
        Service::Organizations | Service::Quotas => {
            refusal(500, "ServiceException", "The service failed; try again later")
        }
        Service::Tagging => refusal(500, "InternalServiceException", "The service failed; try again later"),
        Service::Ram => refusal(500, "ServerInternalException", "The service failed; try again later"),
    };
    other_words(usual, code, message)
}

/// Has no room.
pub(crate) fn capacity(service: Service, code: Option<String>, message: Option<String>) -> Refusal {
    let usual = match service {
        Service::Ec2 => {
            refusal(500, "InsufficientCapacity", "There is not enough capacity for your request.")
        }
        Service::Eks | Service::EksAuth => {
            refusal(400, "ResourceLimitExceededException", "The request exceeds a limit.")
        }
        Service::Elb => {
            refusal(400, "TooManyLoadBalancers", "The maximum number of load balancers has been reached.")
        }
        Service::Kubernetes => refusal(403, "Forbidden", "exceeded quota: the sandbox has no room"),
        Service::Iam | Service::Sts => {
            refusal(409, "LimitExceeded", "The request exceeds the current limits.")
        }
        Service::Organizations | Service::Tagging => {
            refusal(400, "ConstraintViolationException", "The request exceeds a limit.")
        }
        Service::Quotas => refusal(400, "QuotaExceededException", "The request exceeds a limit."),
        Service::Ram => refusal(400, "ResourceShareLimitExceededException", "The request exceeds a limit."),
    };
    other_words(usual, code, message)
}

fn other_words(usual: Refusal, code: Option<String>, message: Option<String>) -> Refusal {
    Refusal { code: code.unwrap_or(usual.code), message: message.unwrap_or(usual.message), ..usual }
}

fn refusal(status: u16, code: &str, message: &str) -> Refusal {
    Refusal { status, ..Refusal::new(code, message) }
}
