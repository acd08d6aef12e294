//! What is known of zones without asking.

/// Where EKS puts no control plane ("Amazon EKS networking requirements for VPC and subnets").
pub(crate) const REFUSED_BY_EKS: &[&str] = &["use1-az3", "usw1-az2", "cac1-az3"];

/// Tells whether EKS refuses subnets in a zone, by its id.
pub(crate) fn refused_by_eks(zone: &str) -> bool {
    REFUSED_BY_EKS.contains(&zone)
}
