//! `collection`: like files of manifests, it brings in documents.

use std::collections::BTreeMap;

use straddle_engine::bundle::{Bundle, Context, Member, Place, Trouble};
use straddle_engine::schema::Attributes;
use straddle_engine::value::{Value, ValueMap};

/// A collection, as [`Bundle`].
#[derive(Debug)]
pub struct Collection;

/// Documents in files, of which a line is `name: text`, or `name after other: text`.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub struct Inputs {
    /// The files, by path or pattern.
    files: Vec<String>,
    /// What is to be in documents besides, by name.
    patch: Option<BTreeMap<String, Value>>,
}

impl Bundle for Collection {
    const KIND: &'static str = "collection";
    const MEMBER_KIND: &'static str = "document";

    type Inputs = Inputs;

    fn members(inputs: &ValueMap, context: &Context<'_>) -> Result<Vec<Member>, Vec<Trouble>> {
        let patch = inputs.get("patch").and_then(Value::as_map).cloned().unwrap_or_default();
        let mut members = Vec::new();
        for pattern in inputs.get("files").and_then(Value::as_list).unwrap_or_default() {
            let unreadable = |problem: String| vec![Trouble::new("files", problem)];
            let known =
                pattern.as_str().ok_or_else(|| unreadable("has to be known when planning".to_owned()))?;
            for file in context.files.matching(known).map_err(unreadable)? {
                let text = context.files.read(&file).map_err(unreadable)?;
                let mut start = 0;
                for line in text.split_inclusive('\n') {
                    let place = Place { file: file.clone(), range: start..start + line.trim_end().len() };
                    start += line.len();
                    members.push(document(line.trim_end(), &patch, place)?);
                }
            }
        }
        Ok(members)
    }
}

/// Reads one line.
fn document(line: &str, patch: &ValueMap, place: Place) -> Result<Member, Vec<Trouble>> {
    let (name, text) =
        line.split_once(": ").ok_or_else(|| vec![Trouble::new("files", "has no name").at(place.clone())])?;
    let (name, after) = name.split_once(" after ").map_or((name, None), |(name, after)| (name, Some(after)));
    let mut body = ValueMap::from([("text".to_owned(), Value::from(text))]);
    body.extend(patch.get(name).and_then(Value::as_map).cloned().unwrap_or_default());
    let attributes = [("name".to_owned(), Value::from(name)), ("body".to_owned(), Value::Map(body))];
    Ok(Member {
        key: name.to_owned(),
        attributes: attributes.into(),
        after: after.map(str::to_owned).into_iter().collect(),
        place: Some(place),
    })
}
