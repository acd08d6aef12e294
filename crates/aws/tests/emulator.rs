//! The kinds against an emulator of EC2: each is made, found, changed and deleted by its own calls.
//!
//! Run by `tests/on-moto cargo test -p straddle-aws -- --ignored`.

use std::collections::BTreeMap;

use straddle_engine::address::{AccountName, Address, RemoteId};
use straddle_engine::erased::{AnyResource, ObservedValues};
use straddle_engine::outside::Outside;
use straddle_engine::provider::{Account, Connection, ErrorClass, ProviderError};
use straddle_engine::registry::Registry;
use straddle_engine::resource::{Intent, OPERATION_TAG, Readiness};
use straddle_engine::value::{Value, ValueMap};

/// The account to which the profile `network-admin` of the emulator leads.
const NETWORK: &str = "111111111111";

async fn connect(id: &str, settings: ValueMap) -> Result<(Registry, Connection), ProviderError> {
    let registry = straddle_aws::registry();
    let account = Account {
        name: AccountName::new("network"),
        id: id.to_owned(),
        region: "us-east-1".to_owned(),
        settings,
        stack: "emulator test".to_owned(),
        sandbox: None,
        outside: Outside::Direct,
    };
    let connection = registry.provider().connect(&account).await?;
    Ok((registry, connection))
}

fn values<const N: usize>(values: [(&str, Value); N]) -> ValueMap {
    values.map(|(name, value)| (name.to_owned(), value)).into()
}

fn profile(name: &str) -> ValueMap {
    values([("profile", Value::from(name))])
}

/// Returns a text attribute of what was observed.
fn text(observed: &ObservedValues, attribute: &str) -> Value {
    observed.outputs.get(attribute).or_else(|| observed.inputs.get(attribute)).cloned().unwrap_or(Value::Null)
}

/// The engine's part in small: makes things, brings them to what is wanted, and deletes them.
struct World {
    registry: Registry,
    connection: Connection,
    /// Tells the tests apart, which share an emulator.
    name: &'static str,
    made: Vec<(&'static str, RemoteId)>,
}

impl World {
    async fn open(name: &'static str) -> Self {
        let (registry, connection) =
            connect(NETWORK, profile("network-admin")).await.expect("the emulator knows the profile");
        Self { registry, connection, name, made: Vec::new() }
    }

    fn kind(&self, kind: &str) -> &dyn AnyResource {
        &**self.registry.kind(kind).expect("the kind is registered")
    }

    fn intent(&self, kind: &str) -> Intent {
        let operation_id = format!("{}-{}", self.name, self.made.len());
        Intent { address: Address::new(kind, "test"), token: operation_id.clone(), operation_id }
    }

    /// Makes a thing, finds it by its operation, and brings it to the inputs.
    async fn make(&mut self, kind: &'static str, inputs: &ValueMap) -> ObservedValues {
        let intent = self.intent(kind);
        let (any, connection) = (self.kind(kind), &self.connection);
        let id = any.create(connection, &intent, inputs).await.expect("the emulator makes it");
        let found = any.find(connection, &intent, inputs).await.expect("the emulator searches");
        assert_eq!(found.as_slice(), std::slice::from_ref(&id), "what is found of {kind}");
        self.made.push((kind, id.clone()));
        self.settle(kind, &id, Some(inputs)).await.expect("it exists")
    }

    async fn observe(&self, kind: &str, id: &RemoteId) -> Option<ObservedValues> {
        let kind = self.kind(kind);
        let listing = kind.fetch(&self.connection, std::slice::from_ref(id)).await.expect("a read works");
        kind.observe(&listing, id)
    }

    /// Makes one call after the other until nothing is left to do.
    async fn settle(&self, kind: &str, id: &RemoteId, desired: Option<&ValueMap>) -> Option<ObservedValues> {
        let mut id = id.clone();
        for _ in 0..10 {
            let observed = self.observe(kind, &id).await?;
            assert_eq!(observed.readiness, Readiness::Ready);
            let step = self.kind(kind).next_step(&observed, desired).expect("the values fit");
            let Some(step) = step else { return Some(observed) };
            let new_id = self.kind(kind).perform(&self.connection, &id, &step).await;
            id = new_id.unwrap_or_else(|error| panic!("{kind}: {error}")).unwrap_or(id);
        }
        panic!("{kind} {id} does not settle");
    }

    async fn delete_everything(&mut self) {
        while let Some((kind, id)) = self.made.pop() {
            assert_eq!(self.settle(kind, &id, None).await, None, "{kind} {id} is still there");
        }
    }
}

fn tags(name: &str) -> Value {
    Value::Map(values([("Name", Value::from(name))]))
}

#[tokio::test]
#[ignore = "needs an emulator: tests/on-moto cargo test -p straddle-aws -- --ignored"]
async fn a_network_is_made_changed_and_deleted() {
    let mut world = World::open("network").await;
    let mut vpc_inputs = values([
        ("cidr_block", Value::from("10.7.0.0/16")),
        ("enable_dns_hostnames", Value::from(true)),
        ("tags", tags("vpc")),
    ]);
    let vpc = world.make("vpc", &vpc_inputs).await;
    assert_eq!(text(&vpc, "enable_dns_hostnames"), Value::from(true));
    vpc_inputs.extend(values([
        ("enable_dns_support", Value::from(false)),
        ("enable_dns_hostnames", Value::from(false)),
        ("tags", tags("renamed")),
    ]));
    let (_, vpc_id) = world.made[0].clone();
    let vpc = world.settle("vpc", &vpc_id, Some(&vpc_inputs)).await.expect("it exists");
    let vpc_tags = vpc.inputs["tags"].as_map().expect("tags are a table").clone();
    assert_eq!(vpc_tags["Name"], Value::from("renamed"));
    assert_eq!(vpc_tags[OPERATION_TAG], Value::from("network-0"));

    let vpc_id = || ("vpc_id", text(&vpc, "id"));
    let gateway = world.make("internet_gateway", &values([vpc_id()])).await;
    let subnet_inputs = values([
        vpc_id(),
        ("cidr_block", Value::from("10.7.0.0/20")),
        ("availability_zone_id", Value::from("use1-az1")),
        ("map_public_ip_on_launch", Value::from(true)),
    ]);
    let subnet = world.make("subnet", &subnet_inputs).await;
    let address = world.make("eip", &values([("tags", tags("nat"))])).await;
    let nat_inputs = values([("subnet_id", text(&subnet, "id")), ("allocation_id", text(&address, "id"))]);
    let nat = world.make("nat_gateway", &nat_inputs).await;
    assert_eq!(text(&nat, "public_ip"), text(&address, "public_ip"));

    let table = world.make("route_table", &values([vpc_id()])).await;
    let table_id = || ("route_table_id", text(&table, "id"));
    let route = |target: &ObservedValues| {
        values([table_id(), ("destination", Value::from("0.0.0.0/0")), ("target", text(target, "id"))])
    };
    let made = world.make("route", &route(&gateway)).await;
    let route_id = RemoteId::new(text(&made, "id").as_str().expect("an id is text"));
    let changed = world.settle("route", &route_id, Some(&route(&nat))).await.expect("it exists");
    assert_eq!(text(&changed, "target"), text(&nat, "id"));
    let association = values([table_id(), ("subnet_id", text(&subnet, "id"))]);
    world.make("route_table_association", &association).await;

    // The gateway of the deleted one's address is not let go by the emulator; the address is.
    world.delete_everything().await;
}

#[tokio::test]
#[ignore = "needs an emulator: tests/on-moto cargo test -p straddle-aws -- --ignored"]
async fn an_association_moves_to_another_table_under_a_new_id() {
    let mut world = World::open("association").await;
    let vpc = world.make("vpc", &values([("cidr_block", Value::from("10.8.0.0/16"))])).await;
    let in_vpc = values([("vpc_id", text(&vpc, "id"))]);
    let mut subnet_inputs = in_vpc.clone();
    subnet_inputs.extend(values([("cidr_block", Value::from("10.8.0.0/20"))]));
    let subnet = world.make("subnet", &subnet_inputs).await;
    let first = world.make("route_table", &in_vpc).await;
    let second = world.make("route_table", &in_vpc).await;
    let association = |table: &ObservedValues| {
        values([("route_table_id", text(table, "id")), ("subnet_id", text(&subnet, "id"))])
    };
    world.make("route_table_association", &association(&first)).await;
    let (kind, old_id) = world.made.pop().expect("it was made");
    let moved = world.settle(kind, &old_id, Some(&association(&second))).await.expect("it exists");
    let new_id = RemoteId::new(text(&moved, "id").as_str().expect("an id is text"));
    assert_ne!(new_id, old_id);
    assert_eq!(world.observe(kind, &old_id).await, None);
    world.made.push((kind, new_id));
    world.delete_everything().await;
}

#[tokio::test]
#[ignore = "needs an emulator: tests/on-moto cargo test -p straddle-aws -- --ignored"]
async fn a_second_subnet_with_the_same_range_is_refused_as_existing() {
    let mut world = World::open("subnet").await;
    let vpc = world.make("vpc", &values([("cidr_block", Value::from("10.9.0.0/16"))])).await;
    let inputs = values([("vpc_id", text(&vpc, "id")), ("cidr_block", Value::from("10.9.0.0/20"))]);
    world.make("subnet", &inputs).await;
    let intent = world.intent("subnet");
    let subnet = world.kind("subnet");
    let error = subnet.create(&world.connection, &intent, &inputs).await.expect_err("the range is taken");
    assert_eq!((error.class, error.code.as_str()), (ErrorClass::AlreadyExists, "InvalidSubnet.Conflict"));
    let found = subnet.find(&world.connection, &intent, &inputs).await.expect("the emulator searches");
    assert_eq!(found, [], "a subnet of somebody else's is not adopted");
    world.delete_everything().await;
}

#[tokio::test]
#[ignore = "needs an emulator: tests/on-moto cargo test -p straddle-aws -- --ignored"]
async fn a_share_is_made_with_its_members_which_change_one_by_one() {
    let mut world = World::open("share").await;
    let vpc = world.make("vpc", &values([("cidr_block", Value::from("10.10.0.0/16"))])).await;
    let subnet_inputs = values([("vpc_id", text(&vpc, "id")), ("cidr_block", Value::from("10.10.0.0/20"))]);
    let subnet = world.make("subnet", &subnet_inputs).await;
    let list = |items: &[Value]| Value::List(items.to_vec());
    let mut inputs = values([
        ("name", Value::from("subnets")),
        ("resources", list(&[text(&subnet, "arn")])),
        ("principals", list(&[Value::from("222222222222")])),
        ("allow_external_principals", Value::from(false)),
        ("tags", tags("share")),
    ]);
    let share = world.make("ram_resource_share", &inputs).await;
    assert_eq!(share.inputs["principals"], inputs["principals"]);
    assert_eq!(share.inputs["tags"].as_map().expect("tags are a table")["Name"], Value::from("share"));

    let (kind, id) = world.made.last().expect("it was made").clone();
    inputs.extend(values([
        ("name", Value::from("networks")),
        ("resources", list(&[])),
        ("principals", list(&[Value::from("222222222222"), Value::from("333333333333")])),
        ("tags", tags("renamed")),
    ]));
    let changed = world.settle(kind, &id, Some(&inputs)).await.expect("it exists");
    for attribute in ["name", "resources", "principals"] {
        assert_eq!(changed.inputs[attribute], inputs[attribute], "{attribute}");
    }
    let other = Intent { operation_id: "another".to_owned(), ..world.intent(kind) };
    let found =
        world.kind(kind).find(&world.connection, &other, &inputs).await.expect("the emulator searches");
    assert_eq!(found, [], "a share of another operation is not adopted");
    world.delete_everything().await;
}

#[tokio::test]
#[ignore = "needs an emulator: tests/on-moto cargo test -p straddle-aws -- --ignored"]
async fn what_is_missing_is_no_error_in_a_listing() {
    let world = World::open("missing").await;
    let ids = BTreeMap::from([
        ("vpc", "vpc-00000000000000000"),
        ("subnet", "subnet-00000000000000000"),
        ("internet_gateway", "igw-00000000000000000"),
        ("eip", "eipalloc-00000000000000000"),
        ("nat_gateway", "nat-00000000000000000"),
        ("route_table", "rtb-00000000000000000"),
        ("route", "rtb-00000000000000000_0.0.0.0/0"),
        ("route_table_association", "rtb-00000000000000000/rtbassoc-1"),
        ("ram_resource_share", "arn:aws:ram:us-east-1:111111111111:resource-share/none"),
    ]);
    for (kind, id) in ids {
        assert_eq!(world.observe(kind, &RemoteId::new(id)).await, None, "{kind}");
    }
}

#[tokio::test]
#[ignore = "needs an emulator: tests/on-moto cargo test -p straddle-aws -- --ignored"]
async fn another_account_is_refused() {
    let error =
        connect("222222222222", profile("network-admin")).await.map(|_| ()).expect_err("it is another");
    assert_eq!(error.class, ErrorClass::Rejected);
    for part in [NETWORK, "222222222222", "network-admin"] {
        assert!(error.message.contains(part), "{part} is missing in: {error}");
    }
}

#[tokio::test]
#[ignore = "needs an emulator: tests/on-moto cargo test -p straddle-aws -- --ignored"]
async fn a_role_leads_to_its_own_account() {
    let role = values([("role_arn", Value::from("arn:aws:iam::222222222222:role/Deployer"))]);
    connect("222222222222", role).await.map(|_| ()).expect("the role may be assumed");
}

#[tokio::test]
#[ignore = "needs an emulator: tests/on-moto cargo test -p straddle-aws -- --ignored"]
async fn an_unknown_profile_is_named_with_what_to_do() {
    let error = connect(NETWORK, profile("no-such-profile")).await.map(|_| ()).expect_err("there is none");
    for part in ["no-such-profile", "aws configure list-profiles"] {
        assert!(error.message.contains(part), "{part} is missing in: {error}");
    }
}
