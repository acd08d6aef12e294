//! The cloud itself: what it keeps, what it hides for a while, and what it refuses.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::time::Duration;

use straddle_engine::provider::ErrorClass;
use straddle_engine::resource::Readiness;
use straddle_engine::value::{Value, ValueMap};
use straddle_testkit::cloud::{Action, Answer, Cloud, Filter, Life, Pace, Refusal, Request, Seen};

const ACCOUNT: &str = "111111111111";

/// A cloud and the time.
struct Desk {
    cloud: Cloud,
    now: Duration,
}

impl Desk {
    fn new(pace: Pace) -> Self {
        Self { cloud: Cloud::new(1, pace), now: Duration::ZERO }
    }

    fn call(&mut self, kind: &str, action: Action) -> Result<Answer, Refusal> {
        self.cloud.handle(self.now, &request(ACCOUNT, kind, action))
    }

    fn create(&mut self, kind: &str, attributes: &[(&str, &str)]) -> Result<String, Refusal> {
        self.create_with(kind, attributes, None)
    }

    fn create_with(
        &mut self,
        kind: &str,
        attributes: &[(&str, &str)],
        token: Option<&str>,
    ) -> Result<String, Refusal> {
        let action = Action::Create {
            attributes: values(attributes),
            tags: BTreeMap::new(),
            token: token.map(str::to_owned),
        };
        match self.call(kind, action)? {
            Answer::Id(id) => Ok(id),
            Answer::List(_) => panic!("a create is answered with an id"),
        }
    }

    fn made(&mut self, kind: &str, attributes: &[(&str, &str)]) -> String {
        self.create(kind, attributes).unwrap()
    }

    fn change(&mut self, kind: &str, id: &str, attributes: &[(&str, &str)]) -> Result<Answer, Refusal> {
        self.call(kind, Action::Change { id: id.to_owned(), attributes: values(attributes) })
    }

    fn delete(&mut self, kind: &str, id: &str) -> Result<Answer, Refusal> {
        self.call(kind, Action::Delete { id: id.to_owned() })
    }

    fn see(&mut self, kind: &str, id: &str) -> Option<Seen> {
        let filter = Filter::from_iter([id.to_owned()]);
        let Ok(Answer::List(found)) = self.call(kind, Action::List { filter }) else {
            panic!("a list is answered with a list")
        };
        found.into_iter().find(|seen| seen.id == id)
    }

    fn wait(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }
}

fn request(account: &str, kind: &str, action: Action) -> Request {
    Request { account: account.to_owned(), operation: "Test".to_owned(), kind: kind.to_owned(), action }
}

fn values(attributes: &[(&str, &str)]) -> ValueMap {
    attributes.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect()
}

fn class<T: std::fmt::Debug>(result: Result<T, Refusal>) -> ErrorClass {
    result.expect_err("the call was to be refused").class
}

/// A network with a gateway, a segment and an address, and a relay in it.
fn with_relay(desk: &mut Desk) -> BTreeMap<&'static str, String> {
    let network = desk.made("network", &[("range", "10.0.0.0/16")]);
    let gateway = desk.made("gateway", &[]);
    desk.change("gateway", &gateway, &[("network", &network)]).unwrap();
    let segment = desk.made("segment", &[("network", &network), ("range", "10.0.1.0/24")]);
    let address = desk.made("address", &[]);
    let relay = desk.made("relay", &[("segment", &segment), ("address", &address)]);
    BTreeMap::from([
        ("network", network),
        ("gateway", gateway),
        ("segment", segment),
        ("address", address),
        ("relay", relay),
    ])
}

#[test]
fn what_is_needed_cannot_be_deleted() {
    let mut desk = Desk::new(Pace::INSTANT);
    let ids = with_relay(&mut desk);
    for kind in ["network", "segment", "address", "gateway"] {
        assert_eq!(class(desk.delete(kind, &ids[kind])), ErrorClass::Dependency, "{kind}");
    }
    let detach = Action::Change {
        id: ids["gateway"].clone(),
        attributes: ValueMap::from([("network".to_owned(), Value::Null)]),
    };
    assert_eq!(class(desk.call("gateway", detach.clone())), ErrorClass::Dependency);
    desk.delete("relay", &ids["relay"]).unwrap();
    desk.call("gateway", detach).unwrap();
    for kind in ["gateway", "segment", "address", "network"] {
        desk.delete(kind, &ids[kind]).unwrap();
    }
    assert_eq!(desk.cloud.live().count(), 0);
    assert_eq!(class(desk.delete("network", &ids["network"])), ErrorClass::NotFound);
}

#[test]
fn a_relay_without_a_gateway_fails_and_is_listed_after_its_end() {
    let mut desk = Desk::new(Pace::INSTANT);
    let network = desk.made("network", &[("range", "10.0.0.0/16")]);
    let segment = desk.made("segment", &[("network", &network), ("range", "10.0.1.0/24")]);
    let address = desk.made("address", &[]);
    let relay = desk.made("relay", &[("segment", &segment), ("address", &address)]);
    let failed = Readiness::Failed("GatewayNotAttached".to_owned());
    assert_eq!(desk.see("relay", &relay).unwrap().readiness, failed);
    desk.delete("relay", &relay).unwrap();
    let deleted = Readiness::Failed("deleted".to_owned());
    assert_eq!(desk.see("relay", &relay).unwrap().readiness, deleted);
    desk.wait(3601);
    assert_eq!(desk.see("relay", &relay), None);
}

#[test]
fn tokens_and_natural_keys_prevent_twins() {
    let mut desk = Desk::new(Pace::INSTANT);
    let network = desk.made("network", &[("range", "10.0.0.0/16")]);
    let twin = desk.made("network", &[("range", "10.0.0.0/16")]);
    assert_ne!(network, twin);
    let range = [("network", network.as_str()), ("range", "10.0.1.0/24")];
    let segment = desk.made("segment", &range);
    assert_eq!(class(desk.create("segment", &range)), ErrorClass::AlreadyExists);
    desk.delete("segment", &segment).unwrap();
    desk.create("segment", &range).unwrap();

    let table = desk.create_with("table", &[("network", &network)], Some("token")).unwrap();
    assert_eq!(desk.create_with("table", &[("network", &network)], Some("token")).unwrap(), table);
    desk.delete("table", &table).unwrap();
    assert_eq!(desk.create_with("table", &[("network", &network)], Some("token")).unwrap(), table);
    assert!(desk.cloud.live().all(|object| object.id != table), "a token does not bring back what is gone");
}

#[test]
fn parts_are_listed_with_their_table_and_go_with_it() {
    let mut desk = Desk::new(Pace::INSTANT);
    let ids = with_relay(&mut desk);
    let table = desk.made("table", &[("network", &ids["network"])]);
    let other = desk.made("table", &[("network", &ids["network"])]);
    let entry = [("table", table.as_str()), ("destination", "0.0.0.0/0"), ("target", &ids["relay"])];
    let entry = desk.made("table_entry", &entry);
    let link = desk.made("table_link", &[("table", &table), ("segment", &ids["segment"])]);
    assert_eq!(entry, format!("{table}_0.0.0.0/0"));
    assert!(desk.see("table", &entry).is_some() && desk.see("table", &link).is_some());

    assert_eq!(class(desk.delete("table", &table)), ErrorClass::Dependency);
    let action = Action::Reissue { id: link.clone(), attributes: values(&[("table", &other)]) };
    let Ok(Answer::Id(moved)) = desk.call("table_link", action) else { panic!("the link was to move") };
    assert_ne!(moved, link);
    assert!(desk.see("table", &link).is_none());
    assert_eq!(desk.see("table", &moved).unwrap().text("table"), Some(other.as_str()));

    desk.delete("table", &table).unwrap();
    assert!(desk.see("table", &entry).is_none());
    assert!(desk.cloud.live().all(|object| object.id != entry));
}

#[test]
fn reads_lag_behind() {
    let pace = Pace { latency: Duration::ZERO, flapping: false, ..Pace::REAL };
    let (mut hidden, mut stale, mut undead) = (0, 0, 0);
    for _ in 0..20 {
        let mut desk = Desk::new(pace);
        desk.cloud = Cloud::new(hidden * 400 + stale * 20 + undead, pace);
        let gateway = desk.made("gateway", &[]);
        hidden += u64::from(desk.see("gateway", &gateway).is_none());
        desk.wait(20);
        let tags = BTreeMap::from([("name".to_owned(), "door".to_owned())]);
        desk.call("gateway", Action::SetTags { id: gateway.clone(), tags }).unwrap();
        stale += u64::from(!desk.see("gateway", &gateway).unwrap().values.contains_key("tags"));
        desk.wait(10);
        assert!(desk.see("gateway", &gateway).unwrap().values.contains_key("tags"));
        desk.delete("gateway", &gateway).unwrap();
        undead += u64::from(desk.see("gateway", &gateway).is_some());
        desk.wait(10);
        assert!(desk.see("gateway", &gateway).is_none());
    }
    assert!(hidden > 10 && stale > 10 && undead > 10, "{hidden} {stale} {undead}");
}

#[test]
fn what_is_made_is_pending_and_what_changes_is_busy() {
    let pace = Pace { work: 100, ..Pace::INSTANT };
    let mut desk = Desk::new(pace);
    let network = desk.made("network", &[("range", "10.0.0.0/16")]);
    desk.wait(5);
    let segment = desk.made("segment", &[("network", &network), ("range", "10.0.1.0/24")]);
    let segments = Value::List(vec![Value::from(segment.as_str())]);
    let unready = desk.call("host", create_host(&segments));
    assert_eq!(unready.unwrap_err().code, "IncorrectState");
    desk.wait(5);
    let Ok(Answer::Id(host)) = desk.call("host", create_host(&segments)) else { panic!("it was to be made") };
    assert_eq!(desk.see("host", &host).unwrap().readiness, Readiness::Pending("pending".to_owned()));
    desk.wait(600);
    assert_eq!(desk.see("host", &host).unwrap().readiness, Readiness::Ready);
    desk.change("host", &host, &[("labels", "x")]).unwrap();
    assert_eq!(class(desk.change("host", &host, &[("labels", "y")])), ErrorClass::Busy);
    assert_eq!(class(desk.delete("host", &host)), ErrorClass::Busy);
    desk.wait(300);
    desk.delete("host", &host).unwrap();
    assert_eq!(class(desk.delete("segment", &segment)), ErrorClass::Dependency);
    desk.wait(300);
    desk.delete("segment", &segment).unwrap();
}

fn create_host(segments: &Value) -> Action {
    let mut attributes = values(&[("image", "plain")]);
    attributes.insert("segments".to_owned(), segments.clone());
    Action::Create { attributes, tags: BTreeMap::new(), token: None }
}

#[test]
fn names_need_dns_and_quotas_end() {
    let mut desk = Desk::new(Pace::INSTANT);
    let network = desk.made("network", &[("range", "10.0.0.0/16")]);
    let switch = |name: &str, on: bool| Action::Change {
        id: network.clone(),
        attributes: ValueMap::from([(name.to_owned(), Value::Bool(on))]),
    };
    desk.call("network", switch("dns", false)).unwrap();
    assert_eq!(class(desk.call("network", switch("names", true))), ErrorClass::Rejected);
    desk.call("network", switch("dns", true)).unwrap();
    desk.call("network", switch("names", true)).unwrap();
    assert_eq!(class(desk.change("network", &network, &[("range", "10.1.0.0/16")])), ErrorClass::Rejected);
    for _ in 1..5 {
        desk.made("network", &[("range", "10.0.0.0/16")]);
    }
    assert_eq!(desk.create("network", &[("range", "10.0.0.0/16")]).unwrap_err().code, "LimitExceeded");
}

#[test]
fn secrets_are_never_told_and_versions_count() {
    let mut desk = Desk::new(Pace::INSTANT);
    let document = desk.made("document", &[("name", "plan"), ("body", "a"), ("secret", "canary")]);
    let seen = desk.see("document", &document).unwrap();
    assert_eq!(seen.values.get("secret"), None);
    assert_eq!(seen.values["version"], Value::Integer(1));
    desk.change("document", &document, &[("body", "b")]).unwrap();
    assert_eq!(desk.see("document", &document).unwrap().values["version"], Value::Integer(2));
}

#[test]
fn late_calls_arrive_without_their_caller() {
    let mut desk = Desk::new(Pace::INSTANT);
    let attributes = values(&[("range", "10.0.0.0/16")]);
    let action = Action::Create { attributes, tags: BTreeMap::new(), token: None };
    desk.cloud.deliver_late(Duration::from_secs(30), request(ACCOUNT, "network", action));
    desk.cloud.settle(Duration::from_secs(29));
    assert_eq!(desk.cloud.live().count(), 0);
    assert_eq!(desk.cloud.quiet_at(), Some(Duration::from_secs(30)));
    desk.cloud.settle(Duration::from_mins(1));
    let made: Vec<_> = desk.cloud.live().collect();
    assert_eq!((made.len(), made[0].created), (1, Duration::from_secs(30)));
    assert_eq!(desk.cloud.quiet_at(), None);
}

#[test]
fn calls_of_the_wrong_account_and_on_foreign_things_are_noted() {
    let mut desk = Desk::new(Pace::INSTANT);
    let network = desk.made("network", &[("range", "10.0.0.0/16")]);
    assert!(desk.cloud.violations().is_empty());
    let delete = Action::Delete { id: network };
    assert_eq!(
        class(desk.cloud.handle(Duration::ZERO, &request("222222222222", "network", delete))),
        ErrorClass::NotFound
    );
    assert_eq!(desk.cloud.violations().len(), 1);
    let foreign = desk.cloud.add_foreign(ACCOUNT, "gateway", &ValueMap::new());
    desk.delete("gateway", &foreign).unwrap();
    assert_eq!(desk.cloud.violations().len(), 2);
}

#[test]
fn others_can_delete_change_and_break_things() {
    let mut desk = Desk::new(Pace::INSTANT);
    let ids = with_relay(&mut desk);
    desk.cloud.tag(&ids["network"], "owner", "others");
    assert!(desk.see("network", &ids["network"]).unwrap().values.contains_key("tags"));
    desk.cloud.fail(&ids["relay"], "broken");
    let relay = desk.cloud.live().find(|object| object.id == ids["relay"]).unwrap();
    assert_eq!(relay.life(desk.cloud.now()), Life::Failed("broken".to_owned()));
    desk.cloud.vanish(&ids["network"]);
    let left: Vec<_> = desk.cloud.live().map(|object| object.id.clone()).collect();
    assert_eq!(left, [ids["address"].as_str()]);
}

#[test]
fn the_same_seed_makes_the_same_cloud() {
    let history = |seed| {
        let mut desk = Desk { cloud: Cloud::new(seed, Pace::REAL), now: Duration::ZERO };
        let network = desk.made("network", &[("range", "10.0.0.0/16")]);
        for _ in 0..50 {
            desk.wait(1);
            desk.see("network", &network);
        }
        desk.cloud
    };
    assert_eq!(history(3), history(3));
    assert_ne!(history(3), history(4));
}

#[test]
fn a_cloud_survives_json() {
    let mut desk = Desk::new(Pace::INSTANT);
    with_relay(&mut desk);
    let json = serde_json::to_string(&desk.cloud).unwrap();
    let restored: Cloud = serde_json::from_str(&json).unwrap();
    assert_eq!(
        restored.objects().iter().collect::<Vec<_>>(),
        desk.cloud.objects().iter().collect::<Vec<_>>()
    );
}
