//! Accounts and resources for tests of checks.

use straddle_engine::address::{AccountName, Address, Kind};
use straddle_engine::outside::Outside;
use straddle_engine::preflight::{Fate, Item};
use straddle_engine::provider::Account;
use straddle_engine::value::{Value, ValueMap};

/// Makes an account with an id of its own.
pub(crate) fn account(name: &'static str) -> Account {
    let id = if name == "network" { "111122223333" } else { "444455556666" };
    Account {
        name: AccountName::new(name),
        id: id.to_owned(),
        region: "us-east-1".to_owned(),
        settings: ValueMap::new(),
        stack: "shop".to_owned(),
        sandbox: None,
        outside: Outside::Direct,
    }
}

/// Makes a resource `KIND.main` of the account `network` that is to be made.
pub(crate) fn item(kind: &'static str, values: &[(&str, Value)]) -> Item {
    Item {
        address: Address::new(kind, "main"),
        kind: Kind::new(kind),
        account: AccountName::new("network"),
        fate: Fate::Made,
        values: values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
    }
}

/// Reads a document.
pub(crate) fn json(text: &str) -> Value {
    straddle_engine::json::decode(text).expect("it is JSON")
}
