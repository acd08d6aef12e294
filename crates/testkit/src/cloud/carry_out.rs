//! How the cloud carries out calls, and why it refuses some.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use straddle_engine::provider::ErrorClass;
use straddle_engine::value::{Value, ValueMap};

use crate::cloud::object::Stale;
use crate::cloud::{
    Action, Answer, Cloud, Deed, Filter, IdScheme, Life, Object, Refusal, Request, Rules, Seen, Situation,
    texts,
};
use crate::kinds::rules_of;
use crate::random::Random;

impl Cloud {
    /// Carries out a call that has arrived, or refuses it.
    pub(super) fn arrive(&mut self, request: &Request) -> Result<Answer, Refusal> {
        let rules = rules_of(&request.kind);
        let (deed, result) = match &request.action {
            Action::Create { attributes, tags, token } => {
                if let Some(id) = self.made_with(request, token.as_deref()) {
                    (Deed::MakeAgain, Ok(Answer::Id(id)))
                } else {
                    let object = self.new_object(request, rules, attributes, tags, token.as_deref());
                    (Deed::Make, self.make(request, rules, object))
                }
            }
            Action::Delete { id } => (Deed::Delete, self.delete(request, rules, id)),
            Action::Change { id, .. }
            | Action::Reissue { id, .. }
            | Action::Add { id, .. }
            | Action::Take { id, .. }
            | Action::SetTags { id, .. }
            | Action::RemoveTags { id, .. } => (Deed::Change, self.change(request, rules, id)),
            Action::List { filter } => (Deed::Read, Ok(Answer::List(self.list(request, rules, filter)))),
        };
        self.record(request, deed, &result);
        if let (Ok(Answer::Id(id)), true) = (&result, request.action.is_mutating()) {
            self.notify_controller(id);
        }
        result
    }

    /// Returns what an earlier create with the same token made, also if that is gone.
    fn made_with(&self, request: &Request, token: Option<&str>) -> Option<String> {
        let token = token.filter(|_| rules_of(&request.kind).takes_token)?;
        let made = self.objects.with_token(token).find(|object| {
            object.account == request.account
                && object.kind == request.kind
                && object.token.as_deref() == Some(token)
        });
        made.map(|object| object.id.clone())
    }

    pub(super) fn new_object(
        &mut self,
        request: &Request,
        rules: &Rules,
        attributes: &ValueMap,
        tags: &BTreeMap<String, String>,
        token: Option<&str>,
    ) -> Object {
        let mut attributes = attributes.clone();
        for (name, value) in rules.defaults {
            attributes.entry((*name).to_owned()).or_insert(Value::Bool(*value));
        }
        let id = match rules.id {
            IdScheme::Number(prefix) => {
                self.numbers += 1;
                format!("{prefix}-{}", self.numbers)
            }
            IdScheme::NaturalKey => key_values(&attributes, rules).join("_"),
        };
        (rules.fill)(&mut attributes, &id);
        Object {
            account: request.account.clone(),
            kind: request.kind.clone(),
            id,
            attributes,
            tags: tags.clone(),
            foreign: false,
            created: self.now,
            token: token.map(str::to_owned),
            visible: self.now + self.random.duration(self.pace.discovery),
            ready: self.now + self.work(rules.pending),
            doom: None,
            gone: None,
            seen_since: BTreeMap::new(),
            stale: None,
        }
    }

    fn make(&mut self, request: &Request, rules: &Rules, mut object: Object) -> Result<Answer, Refusal> {
        if !rules.taggable && !object.tags.is_empty() {
            return Err(Refusal::new(ErrorClass::Rejected, "InvalidParameter", "this has no tags"));
        }
        self.check_references(request, rules, &object.attributes)?;
        self.check_natural_key(rules, &object)?;
        let alike = |other: &&Object| other.kind == object.kind && other.account == object.account;
        if self.has_quotas && self.live().filter(alike).count() >= rules.quota {
            return Err(Refusal::new(ErrorClass::Rejected, "LimitExceeded", "the account has too many"));
        }
        let situation =
            Situation { cloud: self, action: &request.action, object: None, attributes: &object.attributes };
        (rules.refuse)(&situation)?;
        object.doom = (rules.doom)(&situation);
        let id = object.id.clone();
        self.objects.push(object);
        self.spread(self.objects.all().len() - 1);
        Ok(Answer::Id(id))
    }

    fn change(&mut self, request: &Request, rules: &Rules, id: &str) -> Result<Answer, Refusal> {
        let index = self.changeable(request, id)?;
        let object = &self.objects[index];
        if object.life(self.now) == Life::Pending {
            return Err(Refusal::new(ErrorClass::Busy, "ResourceInUse", format!("{id} is being changed")));
        }
        let mut changed = object.clone();
        changed.ready = self.now;
        match &request.action {
            Action::Change { attributes, .. } | Action::Reissue { attributes, .. } => {
                self.check_change(request, rules, object, attributes)?;
                changed.attributes.extend(attributes.clone());
                changed.attributes.retain(|_, value| !value.is_null());
                changed.ready += self.work(rules.updating);
            }
            Action::Add { attribute, item, .. } => {
                let mut items: BTreeSet<_> =
                    changed.attributes.get(attribute).into_iter().flat_map(texts).collect();
                items.insert(item);
                let items = Value::from(items.into_iter().collect::<Vec<_>>());
                self.check_change(
                    request,
                    rules,
                    object,
                    &ValueMap::from([(attribute.clone(), items.clone())]),
                )?;
                changed.attributes.insert(attribute.clone(), items);
                changed.ready += self.work(rules.updating);
            }
            Action::Take { attribute, item, .. } => {
                changed.take(attribute, item);
                changed.ready += self.work(rules.updating);
            }
            Action::SetTags { tags, .. } => changed.tags.extend(tags.clone()),
            Action::RemoveTags { keys, .. } => changed.tags.retain(|key, _| !keys.contains(key)),
            Action::Create { .. } | Action::Delete { .. } | Action::List { .. } => {
                unreachable!("only changes come here")
            }
        }
        if let Action::Reissue { .. } = request.action {
            return Ok(Answer::Id(self.reissue(index, changed, rules)));
        }
        (rules.fill)(&mut changed.attributes, id);
        changed.stale = Some(self.stale(index));
        let before = self.objects[index].clone();
        self.objects.change(index, |object| *object = changed);
        self.spread(index);
        self.check_unshared(&before, &request.operation);
        Ok(Answer::Id(id.to_owned()))
    }

    /// Puts `changed` in the place of a thing, with a new id.
    fn reissue(&mut self, index: usize, mut changed: Object, rules: &Rules) -> String {
        let IdScheme::Number(prefix) = rules.id else {
            unreachable!("an id made of the natural key does not change")
        };
        self.numbers += 1;
        changed.id = format!("{prefix}-{}", self.numbers);
        changed.visible = self.now + self.random.duration(self.pace.discovery);
        changed.stale = None;
        let stale = self.stale(index);
        let id = changed.id.clone();
        let now = self.now;
        self.objects.change(index, |object| {
            object.gone = Some(now);
            object.stale = Some(stale);
        });
        self.objects.push(changed);
        id
    }

    fn check_change(
        &self,
        request: &Request,
        rules: &Rules,
        object: &Object,
        attributes: &ValueMap,
    ) -> Result<(), Refusal> {
        if let Some(fixed) = attributes.keys().find(|name| rules.fixed.contains(&name.as_str())) {
            let message = format!("{fixed} cannot be changed");
            return Err(Refusal::new(ErrorClass::Rejected, "InvalidParameter", message));
        }
        self.check_references(request, rules, attributes)?;
        let mut after = object.attributes.clone();
        after.extend(attributes.clone());
        (rules.refuse)(&Situation {
            cloud: self,
            action: &request.action,
            object: Some(object),
            attributes: &after,
        })
    }

    fn delete(&mut self, request: &Request, rules: &Rules, id: &str) -> Result<Answer, Refusal> {
        let index = self.changeable(request, id)?;
        let object = &self.objects[index];
        if object.gone.is_some() {
            return Ok(Answer::Id(id.to_owned()));
        }
        if let Some(holder) = self.holder(id) {
            let message = format!("{} needs {id}", holder.id);
            return Err(Refusal::new(ErrorClass::Dependency, "DependencyViolation", message));
        }
        if self.now < object.ready && rules.updating > Duration::ZERO {
            return Err(Refusal::new(ErrorClass::Busy, "ResourceInUse", format!("{id} is being changed")));
        }
        let situation = Situation {
            cloud: self,
            action: &request.action,
            object: Some(object),
            attributes: &object.attributes,
        };
        (rules.refuse)(&situation)?;
        let gone = self.now + self.work(rules.deleting);
        let parts: Vec<_> = self.parts(id).map(|part| part.id.clone()).collect();
        let ids = parts.iter().map(String::as_str).chain([id]);
        let places: Vec<_> = ids.flat_map(|id| self.objects.with_id(id)).collect();
        for place in places {
            self.objects.change(place, |object| object.gone = object.gone.or(Some(gone)));
        }
        let stale = self.stale(index);
        self.objects.change(index, |object| object.stale = Some(stale));
        let deleted = self.objects[index].clone();
        self.check_unshared(&deleted, &request.operation);
        self.drop_from_shares(id);
        Ok(Answer::Id(id.to_owned()))
    }

    fn list(&mut self, request: &Request, rules: &Rules, filter: &Filter) -> Vec<Seen> {
        let mut random = self.random.clone();
        if let Filter::Ids(ids) = filter {
            for id in ids {
                let shared = self.latest(id).is_some_and(|thing| self.is_shared(&request.account, thing));
                if !shared {
                    self.check_account(request, id);
                }
            }
        }
        if let Filter::Standing { ids } = filter {
            let standing = self.standing(&request.account, ids);
            return standing.filter_map(|object| object.seen_now(self.now)).collect();
        }
        // An account sees the things that are shared with it, but not their tags.
        let may_see = |object: &Object| {
            object.account == request.account
                || !matches!(filter, Filter::Tag { .. }) && self.sees(&request.account, object)
        };
        let wanted =
            |object: &&Object| object.kind == request.kind && may_see(object) && self.passes(object, filter);
        let mut seen = Vec::new();
        for object in self.candidates(filter).filter(wanted) {
            let Some(mut shown) = self.seen(object, rules, &mut random) else { continue };
            if object.account != request.account {
                shown.values.remove("tags");
            }
            let parts = self.objects.naming(&object.id).filter(|part| is_part(part, &object.id));
            let parts: Vec<_> =
                parts.filter_map(|part| self.seen(part, rules_of(&part.kind), &mut random)).collect();
            seen.push(shown);
            seen.extend(parts);
        }
        self.random = random;
        seen
    }

    /// Returns the things that may pass a filter, oldest first.
    fn candidates<'a>(&'a self, filter: &Filter) -> Box<dyn Iterator<Item = &'a Object> + 'a> {
        let Filter::Ids(ids) = filter else { return Box::new(self.objects.all().iter()) };
        let named = ids.iter().flat_map(|id| self.objects.with_id(id));
        let wholes = |place: usize| {
            let part_of = rules_of(&self.objects[place].kind).part_of;
            let whole = part_of.and_then(|attribute| self.objects[place].text(attribute));
            std::iter::once(place).chain(whole.into_iter().flat_map(|id| self.objects.with_id(id)))
        };
        let places: BTreeSet<_> = named.flat_map(wholes).collect();
        Box::new(places.into_iter().map(|place| &self.objects[place]))
    }

    fn passes(&self, object: &Object, filter: &Filter) -> bool {
        match filter {
            Filter::Ids(ids) => {
                // A part that has just gone may still be shown.
                let mut parts = self.objects.naming(&object.id).filter(|part| is_part(part, &object.id));
                ids.contains(&object.id)
                    || parts
                        .any(|part| ids.contains(&part.id) && part.seen(self.now, Duration::ZERO).is_some())
            }
            Filter::All => true,
            Filter::Standing { .. } => false,
            Filter::Tag { key, value } => object.tags.get(key) == Some(value),
            Filter::Part { attribute, value } => {
                self.parts(&object.id).any(|part| part.text(attribute) == Some(value))
            }
        }
    }

    fn seen(&self, object: &Object, rules: &Rules, random: &mut Random) -> Option<Seen> {
        let flaps = self.pace.flapping && self.now < object.visible && random.chance(50);
        let now = if flaps { object.visible } else { self.now };
        let mut seen = object.seen(now, rules.lingers)?;
        seen.values.retain(|name, _| !rules.hidden.contains(&name.as_str()));
        Some(seen)
    }

    /// Returns the place of a thing that the caller may change.
    fn changeable(&mut self, request: &Request, id: &str) -> Result<usize, Refusal> {
        self.check_account(request, id);
        let found = self.objects.with_id(id).rfind(|place| {
            let object = &self.objects[*place];
            object.account == request.account
                && object.kind == request.kind
                && object.is_live(self.now)
                && object.visible <= self.now
        });
        let index = found.ok_or_else(|| not_found(id))?;
        if self.objects[index].foreign {
            self.violations.push(format!("{} of {id}, which somebody else made", request.operation));
        }
        Ok(index)
    }

    /// Notes a call about a thing of another account than the caller's.
    fn check_account(&mut self, request: &Request, id: &str) {
        let Some(owner) = self.latest(id).map(|object| object.account.clone()) else { return };
        if owner != request.account {
            let Request { account, operation, .. } = request;
            self.violations.push(format!("{operation} of {id} of account {owner} as account {account}"));
        }
    }

    fn check_references(
        &self,
        request: &Request,
        rules: &Rules,
        attributes: &ValueMap,
    ) -> Result<(), Refusal> {
        let named = rules.references.iter().filter_map(|reference| attributes.get(reference.attribute));
        for id in named.flat_map(texts) {
            let usable = |target: &&Object| !is_shareable(target) || self.sees(&request.account, target);
            let target = self.latest(id).filter(|target| target.visible <= self.now).filter(usable);
            match target.map(|target| target.life(self.now)) {
                None | Some(Life::Gone) => return Err(not_found(id)),
                Some(Life::Ready) => {}
                Some(Life::Pending | Life::Deleting | Life::Failed(_)) => {
                    let message = format!("{id} cannot be used in this state");
                    return Err(Refusal::new(ErrorClass::Rejected, "IncorrectState", message));
                }
            }
        }
        Ok(())
    }

    fn check_natural_key(&self, rules: &Rules, object: &Object) -> Result<(), Refusal> {
        let key = key_values(&object.attributes, rules);
        let twin = self.objects.alike(object).find(|other| {
            other.is_live(self.now)
                && other.kind == object.kind
                && other.account == object.account
                && key_values(&other.attributes, rules) == key
        });
        twin.map_or(Ok(()), |twin| {
            let message = format!("{} is the same", twin.id);
            Err(Refusal::new(ErrorClass::AlreadyExists, "AlreadyExists", message))
        })
    }

    /// Returns something that keeps a thing from being deleted.
    fn holder(&self, id: &str) -> Option<&Object> {
        self.objects.naming(id).filter(|object| object.is_live(self.now)).find(|object| {
            let mut references = rules_of(&object.kind).references.iter();
            references.any(|reference| reference.holds && object.names(reference.attribute, id))
        })
    }

    fn parts<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a Object> {
        let named = self.objects.naming(id);
        named.filter(move |object| object.is_live(self.now) && is_part(object, id))
    }

    fn stale(&mut self, index: usize) -> Stale {
        let until = self.now + self.random.duration(self.pace.staleness);
        let object = &self.objects[index];
        Stale { until, attributes: object.attributes.clone(), tags: object.tags.clone() }
    }

    pub(super) fn work(&mut self, limit: Duration) -> Duration {
        self.random.duration(limit * self.pace.work / 100)
    }
}

/// Tells whether other accounts can use a thing only if it is shared with them.
fn is_shareable(object: &Object) -> bool {
    matches!(object.kind.as_str(), "segment" | "network")
}

fn is_part(object: &Object, id: &str) -> bool {
    rules_of(&object.kind).part_of.is_some_and(|attribute| object.text(attribute) == Some(id))
}

pub(super) fn key_values<'a>(attributes: &'a ValueMap, rules: &Rules) -> Vec<&'a str> {
    let values = rules.natural_key.iter().map(|name| attributes.get(*name));
    values.map(|value| value.and_then(Value::as_str).unwrap_or_default()).collect()
}

fn not_found(id: &str) -> Refusal {
    Refusal::new(ErrorClass::NotFound, "NotFound", format!("{id} does not exist"))
}
