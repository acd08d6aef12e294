//! What is said about a thing of another account that no share covers.

use std::collections::{BTreeMap, VecDeque};

use crate::address::{AccountName, Address, Kind};
use crate::diagnostic::{Diagnostic, Span};
use crate::sharing::{Cover, Sharing};
use crate::spec::boundary::shares::Gap;
use crate::spec::evaluator::{Draft, Evaluator};
use crate::spec::expression::evaluate::Evaluation;
use crate::spec::model::Crossing;
use crate::value::Value;

/// How many things a message names.
const SHOWN: usize = 5;

/// Things of another account that a resource uses and no share covers, for one reason.
pub(super) struct Uncovered {
    pub(super) resource: Address,
    attribute: &'static str,
    gap: Gap,
    things: Vec<Address>,
}

impl Uncovered {
    /// Adds a thing to those that the same attribute uses and the same reason holds for.
    pub(super) fn add(all: &mut Vec<Self>, draft: &Draft, attribute: &'static str, gap: Gap, thing: Address) {
        let same = |other: &&mut Self| {
            other.resource == draft.address && other.attribute == attribute && other.gap == gap
        };
        // What belongs together was found together.
        match all.last_mut().filter(same) {
            Some(uncovered) => uncovered.things.push(thing),
            None => all.push(Self { resource: draft.address.clone(), attribute, gap, things: vec![thing] }),
        }
    }
}

/// What to do about a thing that is not shared.
struct Remedy {
    /// The place that lacks something, and what.
    place: Option<(Span, String)>,
    hint: String,
}

impl Evaluator<'_> {
    /// Describes a thing that no share covers: where it is used, where it belongs, what to write.
    pub(super) fn describe(&self, sharing: &Sharing, uncovered: &Uncovered) -> Diagnostic {
        let Uncovered { resource, attribute, things, .. } = uncovered;
        let (user, thing) = (&self.drafts[resource], &self.drafts[&things[0]]);
        let (here, there) = (&user.account, &thing.account);
        let span = self.place_of_use(user, attribute, &things[0]);
        let diagnostic = Diagnostic::error(
            "not-shared",
            "use of another account's resource that is not shared",
        )
        .with_span(span, format!("`{resource}` is in account `{here}`"))
        .with_related(thing.span, format!("`{}` belongs to account `{there}`", things[0]))
        .with_detail(format!(
            "Account `{here}` can use {} only while a `{}` of account `{there}` holds {} and names `{here}`.",
            shown(things.iter()),
            sharing.share,
            held(sharing, &thing.kind),
        ));
        let Remedy { place, hint } = self.remedy(sharing, uncovered, here, there);
        let diagnostic = diagnostic.with_hint(hint);
        match place {
            Some((span, label)) => diagnostic.with_related(span, label),
            None => diagnostic,
        }
    }

    fn remedy(
        &self,
        sharing: &Sharing,
        uncovered: &Uncovered,
        here: &AccountName,
        there: &AccountName,
    ) -> Remedy {
        let Sharing { share: kind, resources, principals, .. } = *sharing;
        let things = &uncovered.things;
        let items = self.references(sharing, things);
        let id = format!("\"${{account.{here}.id}}\"");
        match &uncovered.gap {
            Gap::Unshared => {
                let items = if items.is_empty() { "..." } else { &items };
                let hint = format!(
                    "Write `[{kind}.NAME]` with `account = \"{there}\"`, `{resources} = [{items}]` and `{principals} = [{id}]`."
                );
                Remedy { place: None, hint }
            }
            Gap::Unnamed(share) => Remedy {
                place: Some((
                    self.attribute_span(share, principals),
                    format!("does not name account `{here}`"),
                )),
                hint: format!("Add `{id}` to the `{principals}` of `{share}`."),
            },
            Gap::Omitted(share) => Remedy {
                place: Some((
                    self.attribute_span(share, resources),
                    format!("does not hold {}", shown(things.iter())),
                )),
                hint: format!("Add `{items}` to the `{resources}` of `{share}`."),
            },
            Gap::Elsewhere(share) => {
                let elsewhere = &self.drafts[share];
                let label = format!(
                    "is in account `{}` and cannot share what belongs to `{there}`",
                    elsewhere.account
                );
                let hint = format!("Write `account = \"{there}\"` in `[{}]`.", share.block());
                Remedy { place: Some((elsewhere.span, label)), hint }
            }
        }
    }

    /// Describes a share that needs what waits for it.
    pub(super) fn describe_cycle(&self, crossing: &Crossing, share: &Address) -> Diagnostic {
        let Crossing { resource, thing, .. } = crossing;
        let way: Vec<_> = self.way(share, resource).iter().map(|address| format!("`{address}`")).collect();
        let detail = format!(
            "`{resource}` is made only once `{share}` shares `{thing}` with its account, but the share itself waits: {}.",
            way.join(" needs ")
        );
        Diagnostic::error("share-cycle", "share that waits for what it is needed for")
            .with_span(self.drafts[share].span, format!("needs `{resource}`"))
            .with_related(self.drafts[resource].span, format!("needs `{share}`, which holds `{thing}`"))
            .with_detail(detail)
            .with_hint(format!(
                "Take what refers to `{resource}` out of `{share}`, and share that separately."
            ))
    }

    /// Returns the shortest way from a resource to one that it needs.
    fn way<'a>(&'a self, from: &'a Address, to: &'a Address) -> Vec<&'a Address> {
        let mut found_from = BTreeMap::from([(from, None)]);
        let mut queue = VecDeque::from([from]);
        while let Some(address) = queue.pop_front().filter(|address| *address != to) {
            for next in self.drafts.get(address).into_iter().flat_map(|draft| &draft.dependencies) {
                found_from.entry(next).or_insert_with(|| {
                    queue.push_back(next);
                    Some(address)
                });
            }
        }
        let mut way: Vec<_> =
            std::iter::successors(Some(to), |address| found_from.get(*address).copied().flatten()).collect();
        way.reverse();
        way
    }

    /// Returns where a resource names a thing: the item of a list, if it has a place of its own.
    fn place_of_use(&self, user: &Draft, attribute: &str, thing: &Address) -> Span {
        let Some(pattern) = user.attributes.get(attribute) else { return user.span };
        let value = Evaluation::new(&self.world, user.each.as_deref(), &self.scope).pattern(pattern);
        let path = value.ok().and_then(|value| path_to(&value, thing)).unwrap_or_default();
        pattern.locate(&path)
    }

    fn attribute_span(&self, address: &Address, attribute: &str) -> Span {
        let draft = &self.drafts[address];
        draft.attributes.get(attribute).map_or(draft.span, |pattern| pattern.span)
    }

    /// Returns what to write into a share for these things.
    fn references(&self, sharing: &Sharing, things: &[Address]) -> String {
        let references: Vec<_> =
            things.iter().filter_map(|thing| self.reference(sharing, thing)).take(SHOWN).collect();
        references.join(", ")
    }

    fn reference(&self, sharing: &Sharing, thing: &Address) -> Option<String> {
        match sharing.of(self.drafts[thing].kind.as_str())?.cover {
            Cover::Itself { attribute } => Some(format!("\"${{{thing}.{attribute}}}\"")),
            Cover::Part { kind, attribute } => {
                let is_part = |draft: &&Draft| {
                    let inputs = self.scope.inputs.get(&draft.address);
                    let whole = inputs.and_then(|inputs| inputs.get(attribute));
                    draft.kind.as_str() == kind
                        && matches!(whole, Some(Value::Unknown(whole)) if whole.origin.address == *thing)
                };
                self.reference(sharing, &self.drafts.values().find(is_part)?.address)
            }
        }
    }
}

/// Returns what a share has to hold for a thing of a kind, in words.
fn held(sharing: &Sharing, kind: &Kind) -> String {
    match sharing.of(kind.as_str()).map(|shareable| shareable.cover) {
        Some(Cover::Part { kind, .. }) => format!("a `{kind}` of it"),
        Some(Cover::Itself { .. }) | None => "it".to_owned(),
    }
}

/// Names things for a message.
fn shown<'a>(things: impl ExactSizeIterator<Item = &'a Address>) -> String {
    let more = things.len().saturating_sub(SHOWN);
    let names: Vec<_> = things.take(SHOWN).map(|thing| format!("`{thing}`")).collect();
    let names = names.join(", ");
    if more == 0 { names } else { format!("{names} and {more} more") }
}

/// Returns the path inside a value to where a thing is named.
fn path_to(value: &Value, thing: &Address) -> Option<String> {
    match value {
        Value::Unknown(unknown) => (unknown.origin.address == *thing).then(String::new),
        Value::List(items) => items
            .iter()
            .enumerate()
            .find_map(|(index, item)| path_to(item, thing).map(|inner| joined(format!("[{index}]"), &inner))),
        Value::Map(entries) => entries
            .iter()
            .find_map(|(key, item)| path_to(item, thing).map(|inner| joined(key.clone(), &inner))),
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::String(_) => None,
    }
}

fn joined(outer: String, inner: &str) -> String {
    let separator = if inner.is_empty() || inner.starts_with('[') { "" } else { "." };
    outer + separator + inner
}
