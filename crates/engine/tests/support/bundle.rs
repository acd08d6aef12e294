//! A block that brings in groups.

use std::collections::BTreeMap;

use straddle_engine::bundle::{Bundle, Context, Member, Place, Trouble};
use straddle_engine::schema::Attributes;
use straddle_engine::value::{Value, ValueMap};

/// Groups that are described in files: a line is `name: note`, or `name after other: note`.
#[derive(Attributes)]
pub(crate) struct GroupListInputs {
    /// The files, or patterns of their names.
    pub(crate) files: Vec<String>,
    /// Other notes, by name.
    pub(crate) patch: Option<BTreeMap<String, String>>,
}

/// Groups in files.
pub(crate) struct GroupList;

impl Bundle for GroupList {
    const KIND: &'static str = "group_list";
    const MEMBER_KIND: &'static str = "group";
    type Inputs = GroupListInputs;

    fn members(inputs: &ValueMap, context: &Context<'_>) -> Result<Vec<Member>, Vec<Trouble>> {
        let patch = inputs.get("patch").and_then(Value::as_map).cloned().unwrap_or_default();
        let (mut members, mut troubles) = (Vec::new(), Vec::new());
        let patterns = inputs.get("files").and_then(Value::as_list).unwrap_or_default();
        for (index, pattern) in patterns.iter().enumerate() {
            let input = format!("files[{index}]");
            let Some(pattern) = pattern.as_str() else {
                troubles.push(Trouble::new(input, "has to be known when planning"));
                continue;
            };
            let names = match context.files.matching(pattern) {
                Ok(names) => names,
                Err(problem) => {
                    troubles.push(Trouble::new(input, problem));
                    continue;
                }
            };
            for file in names {
                match context.files.read(&file) {
                    Ok(text) => group_lines(&input, &file, &text, &patch, &mut members, &mut troubles),
                    Err(problem) => troubles.push(Trouble::new(input.clone(), problem)),
                }
            }
        }
        if troubles.is_empty() { Ok(members) } else { Err(troubles) }
    }
}

fn group_lines(
    input: &str,
    file: &str,
    text: &str,
    patch: &ValueMap,
    members: &mut Vec<Member>,
    troubles: &mut Vec<Trouble>,
) {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let place = Place { file: file.to_owned(), range: start..start + line.trim_end().len() };
        start += line.len();
        let Some((name, note)) = line.trim_end().split_once(": ") else {
            troubles.push(Trouble::new(input, "has no name").at(place).with_hint("Write `name: note`."));
            continue;
        };
        let (name, after) =
            name.split_once(" after ").map_or((name, None), |(name, after)| (name, Some(after)));
        let note = patch.get(name).cloned().unwrap_or_else(|| Value::from(note));
        members.push(Member {
            key: name.to_owned(),
            attributes: ValueMap::from_iter([("note".to_owned(), note)]),
            after: after.map(str::to_owned).into_iter().collect(),
            place: Some(place),
        });
    }
}
