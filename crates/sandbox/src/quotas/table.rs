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

const EC2: &str = "ec2";
const EKS: &str = "eks";
const ELB: &str = "elasticloadbalancing";
const IAM: &str = "iam";
const VPC: &str = "vpc";

pub(crate) const ADDRESSES: Quota = quota(EC2, "L-0263D0A3", "EC2-VPC Elastic IPs", 5);
pub(crate) const STANDARD_INSTANCES: Quota =
    quota(EC2, "L-1216C47A", "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", 5);

pub(crate) const GATEWAY_ENDPOINTS: Quota = quota(VPC, "L-1B52E74A", "Gateway VPC endpoints per Region", 20);
pub(crate) const GROUPS: Quota = quota(VPC, "L-E79EC296", "VPC security groups per Region", 2500);
pub(crate) const GROUPS_OF_INTERFACE: Quota =
    quota(VPC, "L-2AFB9258", "Security groups per network interface", 5);
pub(crate) const INTERFACE_ENDPOINTS: Quota = quota(VPC, "L-29B6F2EB", "Interface VPC endpoints per VPC", 50);
pub(crate) const INTERNET_GATEWAYS: Quota = quota(VPC, "L-A4707A72", "Internet gateways per Region", 5);
pub(crate) const NAT_GATEWAYS: Quota = quota(VPC, "L-FE5A380F", "NAT gateways per Availability Zone", 5);
pub(crate) const NETWORK_INTERFACES: Quota = quota(VPC, "L-DF5E4CA3", "Network interfaces per Region", 5000);
pub(crate) const PARTICIPANTS: Quota = quota(VPC, "L-2C462E13", "Participant accounts per VPC", 100);
pub(crate) const RANGES: Quota = quota(VPC, "L-83CA0A9D", "IPv4 CIDR blocks per VPC", 5);
pub(crate) const ROUTES: Quota = quota(VPC, "L-93826ACB", "Routes per route table", 500);
pub(crate) const ROUTE_TABLES: Quota = quota(VPC, "L-589F43AA", "Route tables per VPC", 200);
pub(crate) const RULES_OF_GROUP: Quota =
    quota(VPC, "L-0EA8095F", "Inbound or outbound rules per security group", 60);
pub(crate) const SHARED_SUBNETS: Quota =
    quota(VPC, "L-44499CD2", "Subnets that can be shared with an account", 100);
pub(crate) const SUBNETS: Quota = quota(VPC, "L-407747CB", "Subnets per VPC", 200);
pub(crate) const VPCS: Quota = quota(VPC, "L-F678F1CE", "VPCs per Region", 5);

pub(crate) const INSTANCE_PROFILES: Quota = quota(IAM, "L-6E65F664", "Instance profiles per account", 1000);
pub(crate) const OIDC_PROVIDERS: Quota =
    quota(IAM, "L-858F3967", "OpenId connect providers per account", 100);
pub(crate) const POLICIES: Quota = quota(IAM, "L-E95E4862", "Customer managed policies per account", 1500);
pub(crate) const POLICIES_OF_ROLE: Quota = quota(IAM, "L-0DA4ABF3", "Managed policies per role", 10);
pub(crate) const ROLES: Quota = quota(IAM, "L-FE177D64", "Roles per account", 1000);
pub(crate) const USERS: Quota = quota(IAM, "L-F55AF5E4", "Users per account", 5000).fixed();

pub(crate) const CLUSTERS: Quota = quota(EKS, "L-1194D53C", "Clusters", 100);
pub(crate) const FARGATE_PROFILES: Quota = quota(EKS, "L-33415657", "Fargate profiles per cluster", 10);
pub(crate) const NODE_GROUPS: Quota = quota(EKS, "L-6D54EA21", "Managed node groups per cluster", 30);
pub(crate) const NODES_OF_GROUP: Quota = quota(EKS, "L-BD136A63", "Nodes per managed node group", 450);

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

/// Every quota.
pub(crate) const ALL: &[Quota] = &[
    ADDRESSES,
    STANDARD_INSTANCES,
    GATEWAY_ENDPOINTS,
    GROUPS,
    GROUPS_OF_INTERFACE,
    INTERFACE_ENDPOINTS,
    INTERNET_GATEWAYS,
    NAT_GATEWAYS,
    NETWORK_INTERFACES,
    PARTICIPANTS,
    RANGES,
    ROUTES,
    ROUTE_TABLES,
    RULES_OF_GROUP,
    SHARED_SUBNETS,
    SUBNETS,
    VPCS,
    INSTANCE_PROFILES,
    OIDC_PROVIDERS,
    POLICIES,
    POLICIES_OF_ROLE,
    ROLES,
    USERS,
    CLUSTERS,
    FARGATE_PROFILES,
    NODE_GROUPS,
    NODES_OF_GROUP,
    APPLICATION_LOAD_BALANCERS,
    NETWORK_LOAD_BALANCERS,
    TARGET_GROUPS,
    TARGET_GROUPS_OF_BALANCER,
    TARGETS_OF_GROUP,
    TARGETS_OF_APPLICATION,
    TARGETS_OF_NETWORK,
    TARGETS_OF_ZONE,
    LISTENERS_OF_APPLICATION,
    LISTENERS_OF_NETWORK,
    RULES,
    CERTIFICATES_OF_APPLICATION,
    CERTIFICATES_OF_NETWORK,
];
