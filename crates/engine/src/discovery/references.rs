//! References in the place of ids: which thing a text is of, so that no two blocks need each other.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::address::{AccountName, Address, RemoteId};
use crate::discovery::Named;
use crate::provider::Account;
use crate::registry::Registry;
use crate::schema::{AttributeSchema, AttributeType};
use crate::value::Value;

/// What texts are of which things.
pub(super) struct References<'a> {
    things: &'a [Named],
    accounts: &'a BTreeMap<AccountName, Account>,
    /// By text: the things whose attribute it is.
    known: BTreeMap<String, Vec<(usize, &'static str)>>,
    /// By block: the blocks that it refers to so far.
    links: RefCell<BTreeMap<usize, BTreeSet<usize>>>,
}

impl<'a> References<'a> {
    /// Learns what everything is called. Ids go before other attributes of which no two things have the
    /// same.
    pub(super) fn of(
        things: &'a [Named],
        accounts: &'a BTreeMap<AccountName, Account>,
        registry: &Registry,
    ) -> Self {
        let mut known: BTreeMap<String, Vec<(usize, &'static str)>> = BTreeMap::new();
        let wholes = || things.iter().enumerate().filter(|(_, thing)| thing.part_of.is_none());
        for (position, thing) in wholes() {
            known.entry(thing.id.to_string()).or_default().push((position, "id"));
        }
        for (position, thing) in wholes() {
            let outputs = registry.kind(thing.kind.as_str()).map(|kind| kind.schema().outputs.as_slice());
            let texts = outputs
                .unwrap_or_default()
                .iter()
                .filter(|output| matches!(output.attribute_type, AttributeType::String) && !output.volatile);
            for output in texts {
                let text = thing.observed.outputs.get(output.name).and_then(Value::as_str);
                if let Some(text) = text.filter(|text| is_unique(text)) {
                    known.entry(text.to_owned()).or_default().push((position, output.name));
                }
            }
        }
        Self { things, accounts, known, links: RefCell::default() }
    }

    /// Returns the expression for what an attribute of the thing at `position` names, if that is something
    /// of the spec.
    pub(super) fn find(&self, position: usize, attribute: &AttributeSchema, text: &str) -> Option<String> {
        if text.len() == 12
            && let Some(account) = self.accounts.values().find(|account| account.id == text)
        {
            return Some(format!("account.{}.id", account.name));
        }
        let from = self.block(position);
        let found = self.candidates(attribute, text).find(|(thing, _)| self.may_refer(from, *thing))?;
        Some(format!("{}.{}", self.things[found.0].address, self.called(found, text)))
    }

    /// Returns the address of a thing of a kind that another one can wait for.
    pub(super) fn needed(&self, position: usize, kind: &str, id: &RemoteId) -> Option<&'a Address> {
        let mut found = self.known.get(id.as_str()).into_iter().flatten();
        let is_it =
            |(thing, output): &&(usize, &str)| *output == "id" && self.things[*thing].kind.as_str() == kind;
        let (thing, _) = found.find(is_it)?;
        self.may_refer(self.block(position), *thing).then(|| &self.things[*thing].address)
    }

    /// Returns the thing that an attribute names.
    pub(super) fn thing(&self, attribute: &AttributeSchema, text: &str) -> Option<&'a Named> {
        self.candidates(attribute, text).next().map(|(thing, _)| &self.things[thing])
    }

    fn candidates(
        &self,
        attribute: &AttributeSchema,
        text: &str,
    ) -> impl Iterator<Item = (usize, &'static str)> {
        let found = self.known.get(text).into_iter().flatten().copied();
        found.filter(move |(thing, output)| {
            let kind = self.things[*thing].kind.as_str();
            // A name could be anybody's.
            *output != "id"
                || attribute.refers_to.contains(&kind)
                || (attribute.refers_to.is_empty() && is_unique(text))
        })
    }

    /// Returns the attribute by which a person would write it.
    fn called(&self, (thing, output): (usize, &'static str), text: &str) -> &'static str {
        let observed = &self.things[thing].observed;
        let is = |value: Option<&Value>| value.and_then(Value::as_str) == Some(text);
        match output {
            "id" if is(observed.inputs.get("name")) => "name",
            "id" if is(observed.outputs.get("arn")) => "arn",
            other => other,
        }
    }

    fn block(&self, position: usize) -> usize {
        self.things[position].part_of.map_or(position, |(whole, _)| whole)
    }

    /// Tells whether a block can refer to another one, which then cannot refer back.
    fn may_refer(&self, from: usize, to: usize) -> bool {
        if from == to || self.reaches(to, from) {
            return false;
        }
        self.links.borrow_mut().entry(from).or_default().insert(to);
        true
    }

    fn reaches(&self, from: usize, to: usize) -> bool {
        let links = self.links.borrow();
        let mut seen = BTreeSet::from([from]);
        let mut waiting = vec![from];
        while let Some(next) = waiting.pop() {
            if next == to {
                return true;
            }
            waiting.extend(links.get(&next).into_iter().flatten().copied().filter(|it| seen.insert(*it)));
        }
        false
    }
}

/// Tells whether a text looks like one that no two things have: an ARN, the address of a service, or an id
/// such as `vpc-0a1b2c3d`.
fn is_unique(text: &str) -> bool {
    let is_id = |(_, digits): (&str, &str)| {
        digits.len() >= 8 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
    };
    text.starts_with("arn:") || text.starts_with("https://") || text.rsplit_once('-').is_some_and(is_id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Kind;
    use crate::erased::ObservedValues;
    use crate::provider::{BoxFuture, Connection, Provider, ProviderError};
    use crate::resource::Readiness;
    use crate::value::ValueMap;

    struct Cloud;

    impl Provider for Cloud {
        fn account_attributes(&self) -> Vec<AttributeSchema> {
            Vec::new()
        }

        fn connect<'a>(&'a self, _: &'a Account) -> BoxFuture<'a, Result<Connection, ProviderError>> {
            unreachable!("nothing is asked here")
        }
    }

    fn thing(kind: &str, name: &str, id: &str, part_of: Option<usize>) -> Named {
        let inputs = ValueMap::from([("name".to_owned(), Value::from(name))]);
        Named {
            address: Address::new(kind, name),
            kind: Kind::new(kind),
            account: AccountName::new("a"),
            id: RemoteId::new(id),
            file: "network",
            remark: None,
            needs: Vec::new(),
            observed: ObservedValues { inputs, outputs: ValueMap::new(), readiness: Readiness::Ready },
            part_of: part_of.map(|whole| (whole, "ingress")),
        }
    }

    fn attribute(refers_to: &'static [&'static str]) -> AttributeSchema {
        AttributeSchema { refers_to, ..AttributeSchema::new("x", "", AttributeType::String) }
    }

    #[test]
    fn no_two_blocks_need_each_other() {
        let things = [
            thing("group", "one", "sg-0a1b2c3d4e", None),
            thing("group", "two", "sg-1a1b2c3d4e", None),
            thing("group", "three", "sg-2a1b2c3d4e", None),
            thing("rule", "of_two", "sgr-1", Some(1)),
        ];
        let accounts = BTreeMap::new();
        let references = References::of(&things, &accounts, &Registry::new(Cloud));
        let find = |from: usize, id: &str| references.find(from, &attribute(&[]), id);
        assert_eq!(find(0, "sg-1a1b2c3d4e").as_deref(), Some("group.two.id"));
        assert_eq!(find(3, "sg-2a1b2c3d4e").as_deref(), Some("group.three.id"));
        // By way of the part of the second one.
        assert_eq!(find(2, "sg-0a1b2c3d4e"), None);
        assert_eq!(find(0, "sg-0a1b2c3d4e"), None, "nothing needs itself");
        assert_eq!(find(0, "sg-1a1b2c3d4e").as_deref(), Some("group.two.id"));
        let needed = |from: usize, id: &str| references.needed(from, "group", &RemoteId::new(id));
        assert_eq!(needed(0, "sg-2a1b2c3d4e"), Some(&Address::new("group", "three")));
        assert_eq!(needed(2, "sg-1a1b2c3d4e"), None, "it is needed by that");
    }

    #[test]
    fn names_are_taken_where_they_are_meant() {
        let things = [thing("cluster", "main", "main", None), thing("group", "main", "sg-0a1b2c3d4e", None)];
        let accounts = BTreeMap::new();
        let references = References::of(&things, &accounts, &Registry::new(Cloud));
        assert_eq!(
            references.find(1, &attribute(&["cluster"]), "main").as_deref(),
            Some("cluster.main.name")
        );
        assert_eq!(references.find(1, &attribute(&["role"]), "main"), None);
        assert_eq!(references.find(1, &attribute(&[]), "main"), None);
    }
}
