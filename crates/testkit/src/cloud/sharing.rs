//! What accounts see of each other's things, and since when.

use std::collections::BTreeSet;

use straddle_engine::value::Value;

use crate::cloud::{Cloud, Object, texts};
use crate::kinds::{PRINCIPALS, RESOURCES};

/// A thing, and an account that it is shared with.
type Pair = (String, String);

impl Cloud {
    /// Tells whether an account can use a thing: its own, or one that it sees by now.
    pub(super) fn sees(&self, account: &str, object: &Object) -> bool {
        let seen = |share: &Object| {
            share.seen_since.get(&seen_by(account, &object.id)).is_some_and(|since| *since <= self.now)
        };
        object.account == account || self.shares(object).any(seen) || self.sees_part(account, object)
    }

    /// Tells whether a thing, or a part of it, is shared with an account, which may not see it yet.
    pub(super) fn is_shared(&self, account: &str, object: &Object) -> bool {
        let named = |share: &Object| share.seen_since.contains_key(&seen_by(account, &object.id));
        let parts = || self.segments(object).any(|segment| self.is_shared(account, segment));
        self.shares(object).any(named) || parts()
    }

    fn sees_part(&self, account: &str, object: &Object) -> bool {
        self.segments(object).any(|segment| self.sees(account, segment))
    }

    /// Returns the segments of a network.
    fn segments<'a>(&'a self, network: &'a Object) -> impl Iterator<Item = &'a Object> {
        let named = self.objects.naming(&network.id).filter(|_| network.kind == "network");
        named.filter(|object| {
            object.kind == "segment" && object.is_live(self.now) && object.names("network", &network.id)
        })
    }

    /// Returns the shares that hold a thing.
    fn shares<'a>(&'a self, object: &'a Object) -> impl Iterator<Item = &'a Object> {
        let named = self.objects.naming(&object.id).filter(|_| object.kind == "segment");
        named.filter(|share| {
            share.kind == "share" && share.gone.is_none() && share.names(RESOURCES, &object.id)
        })
    }

    /// Notes since when the accounts see what a share holds, after it has changed.
    pub(super) fn spread(&mut self, place: usize) {
        let share = &self.objects[place];
        if share.kind != "share" {
            return;
        }
        let now = self.now;
        let seen: BTreeSet<_> = pairs(share)
            .into_iter()
            .filter(|(thing, account)| self.latest(thing).is_some_and(|thing| self.sees(account, thing)))
            .map(|(thing, account)| seen_by(&account, &thing))
            .collect();
        let wanted: BTreeSet<_> =
            pairs(share).iter().map(|(thing, account)| seen_by(account, thing)).collect();
        let since = self.now.max(share.ready) + self.pace.sharing;
        self.objects.change(place, |share| {
            share.seen_since.retain(|pair, _| wanted.contains(pair));
            for pair in wanted {
                // Who sees it through another share goes on seeing it.
                let since = if seen.contains(&pair) { now } else { since };
                share.seen_since.entry(pair).or_insert(since);
            }
        });
    }

    /// Takes what is gone out of every share.
    pub(super) fn drop_from_shares(&mut self, id: &str) {
        let places = self.objects.places_naming(id);
        for place in places {
            if self.objects[place].kind == "share" {
                self.objects.change(place, |share| share.take(RESOURCES, id));
                self.spread(place);
            }
        }
    }

    /// Notes what an account still has in a thing that a call has just stopped sharing with it.
    /// Nobody can help what arrives late.
    pub(super) fn check_unshared(&mut self, before: &Object, operation: &str) {
        if before.kind != "share" || self.is_late {
            return;
        }
        for (thing, account) in pairs(before) {
            let shared = self.latest(&thing).is_none_or(|thing| self.is_shared(&account, thing));
            let inside = |object: &&Object| object.account == account && object.is_live(self.now);
            let left = self.objects.naming(&thing).filter(inside).find(|object| object.stands_in(&thing));
            let left = left.filter(|_| !shared).map(|object| object.id.clone());
            self.violations.extend(left.map(|left| {
                format!("{operation}: {thing} is not shared any more, and {left} of {account} is in it")
            }));
        }
    }

    /// Returns what other accounts have put into an account's things.
    pub(super) fn standing<'a>(
        &'a self,
        account: &'a str,
        ids: &'a BTreeSet<String>,
    ) -> impl Iterator<Item = &'a Object> {
        let owned =
            ids.iter().filter(move |id| self.latest(id).is_some_and(|thing| thing.account == account));
        owned.flat_map(move |id| {
            self.objects.naming(id).filter(move |object| object.account != account && object.stands_in(id))
        })
    }
}

impl Object {
    /// Tells whether this stands in a segment.
    fn stands_in(&self, segment: &str) -> bool {
        match self.kind.as_str() {
            "host" => self.names("segments", segment),
            "interface" => self.names("segment", segment),
            _ => false,
        }
    }

    /// Takes a text out of a list.
    pub(super) fn take(&mut self, attribute: &str, text: &str) {
        if let Some(Value::List(items)) = self.attributes.get_mut(attribute) {
            items.retain(|item| item.as_str() != Some(text));
        }
    }
}

fn pairs(share: &Object) -> Vec<Pair> {
    let items = |name: &str| share.attributes.get(name).into_iter().flat_map(texts).map(str::to_owned);
    let with_each = |thing: String| items(PRINCIPALS).map(move |account| (thing.clone(), account));
    items(RESOURCES).flat_map(with_each).collect()
}

fn seen_by(account: &str, thing: &str) -> String {
    format!("{thing} {account}")
}
