//! What policies call the things that attributes of several kinds name.

/// Who puts something into it may be another account than the one that has it.
pub(crate) const VPC: &str = "arn:{partition}:ec2:{region}:*:vpc/{vpc_id}";
pub(crate) const SUBNET: &str = "arn:{partition}:ec2:{region}:*:subnet/{subnet_id}";
pub(crate) const SUBNETS: &str = "arn:{partition}:ec2:{region}:*:subnet/{subnet_ids}";
pub(crate) const TABLE: &str = "arn:{partition}:ec2:{region}:{account}:route-table/{route_table_id}";
pub(crate) const TABLES: &str = "arn:{partition}:ec2:{region}:{account}:route-table/{route_table_ids}";
pub(crate) const GROUP: &str = "arn:{partition}:ec2:{region}:{account}:security-group/{security_group_id}";
pub(crate) const GROUPS: &str = "arn:{partition}:ec2:{region}:{account}:security-group/{security_group_ids}";
pub(crate) const ADDRESS: &str = "arn:{partition}:ec2:{region}:{account}:elastic-ip/{allocation_id}";
pub(crate) const SECONDARY_ADDRESSES: &str =
    "arn:{partition}:ec2:{region}:{account}:elastic-ip/{secondary_allocation_ids}";
