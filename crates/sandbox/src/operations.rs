//! The operations of all services, by their names.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::call::Operation;
use crate::protocol::Service;
use crate::{cluster, ec2, eks, elb, iam, organizations, quotas, ram, sts, tagged};

/// By service, and by the name in small letters, which is all that some paths have.
static OPERATIONS: LazyLock<BTreeMap<(Service, String), &'static Operation>> = LazyLock::new(|| {
    let all = Service::ALL.into_iter().flat_map(|service| {
        of_service(service).map(move |operation| ((service, operation.name.to_ascii_lowercase()), operation))
    });
    all.collect()
});

/// Returns an operation of a service, however its name is capitalised.
pub(crate) fn find(service: Service, name: &str) -> Option<&'static Operation> {
    OPERATIONS.get(&(service, name.to_ascii_lowercase())).copied()
}

fn of_service(service: Service) -> Box<dyn Iterator<Item = &'static Operation>> {
    match service {
        Service::Ec2 => Box::new(ec2::operations()),
        Service::Eks => Box::new(eks::operations()),
        Service::EksAuth => Box::new(eks::AUTH_OPERATIONS.iter()),
        Service::Elb => Box::new(elb::operations()),
        Service::Iam => Box::new(iam::operations()),
        Service::Kubernetes => Box::new(cluster::OPERATIONS.iter()),
        Service::Organizations => Box::new(organizations::operations()),
        Service::Quotas => Box::new(quotas::operations()),
        Service::Ram => Box::new(ram::operations()),
        Service::Sts => Box::new(sts::operations()),
        Service::Tagging => Box::new(tagged::operations()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_operation_is_there_twice() {
        let all: usize = Service::ALL.into_iter().map(|service| of_service(service).count()).sum();
        assert_eq!(OPERATIONS.len(), all);
        assert_eq!(find(Service::Ec2, "describevpcs").map(|operation| operation.name), Some("DescribeVpcs"));
    }
}
