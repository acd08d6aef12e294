//! How much of what an account may have: the one place where the numbers are.

/// A quota, as Service Quotas has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quota {
    /// The service's code, such as `vpc`.
    pub(crate) service: &'static str,
    /// Such as `L-F678F1CE`.
    pub(crate) code: &'static str,
    pub(crate) name: &'static str,
    /// What every account has from the beginning.
    pub(crate) value: usize,
    /// Whether an account can ask for more.
    pub(crate) is_adjustable: bool,
}

const fn quota(service: &'static str, code: &'static str, name: &'static str, value: usize) -> Quota {
    Quota { service, code, name, value, is_adjustable: true }
}

impl Quota {
    const fn fixed(self) -> Self {
        Self { is_adjustable: false, ..self }
    }
}

const ELB: &str = "elasticloadbalancing";

pub(crate) const APPLICATION_LOAD_BALANCERS: Quota =
    quota(ELB, "L-53DA6B97", "Application Load Balancers per Region", 50);
pub(crate) const NETWORK_LOAD_BALANCERS: Quota =
    quota(ELB, "L-69A177A2", "Network Load Balancers per Region", 50);
pub(crate) const TARGET_GROUPS: Quota = quota(ELB, "L-B22855CB", "Target Groups per Region", 3000);
pub(crate) const TARGET_GROUPS_OF_BALANCER: Quota =
    quota(ELB, "L-822D1B1B", "Target Groups per Application Load Balancer", 100).fixed();
pub(crate) const TARGETS_OF_GROUP: Quota =
    quota(ELB, "L-A0D0B863", "Targets per Target Group per Region", 1000);
pub(crate) const TARGETS_OF_APPLICATION: Quota =
    quota(ELB, "L-7E6692B2", "Targets per Application Load Balancer", 1000);
pub(crate) const TARGETS_OF_NETWORK: Quota =
    quota(ELB, "L-EEF1AD04", "Targets per Network Load Balancer", 3000);
pub(crate) const TARGETS_OF_ZONE: Quota =
    quota(ELB, "L-B211E961", "Targets per Availability Zone per Network Load Balancer", 500);
pub(crate) const LISTENERS_OF_APPLICATION: Quota =
    quota(ELB, "L-B6DF7632", "Listeners per Application Load Balancer", 50);
pub(crate) const LISTENERS_OF_NETWORK: Quota =
    quota(ELB, "L-57A373D6", "Listeners per Network Load Balancer", 50);
pub(crate) const RULES: Quota = quota(ELB, "L-7EED9B64", "Rules per Application Load Balancer", 100);
pub(crate) const CERTIFICATES_OF_APPLICATION: Quota =
    quota(ELB, "L-9365A611", "Certificates per Application Load Balancer", 25);
pub(crate) const CERTIFICATES_OF_NETWORK: Quota =
    quota(ELB, "L-52964454", "Certificates per Network Load Balancer", 25);
