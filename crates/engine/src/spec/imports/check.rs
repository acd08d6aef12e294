//! Checks imports against what the spec has and how the ids of kinds look.

use std::collections::BTreeMap;

use crate::address::Address;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::erased::AnyResource;
use crate::registry::Registry;
use crate::spec::imports::ImportNode;
use crate::spec::{Spec, suggest};

/// Reports imports into what the spec does not have, of things that cannot be, and those that
/// contradict each other.
pub(crate) fn check_imports(spec: &Spec, registry: &Registry, diagnostics: &mut Diagnostics) {
    let mut targets = BTreeMap::new();
    let mut things = BTreeMap::new();
    for import in &spec.imports {
        if let Err(problem) = check_import(spec, registry, import) {
            diagnostics.push(*problem);
            continue;
        }
        let node = &spec.resources[&import.to];
        if let Some(first) = targets.insert(&import.to, import) {
            diagnostics.push(twice(import, first, &format!("`{}` is imported again", import.to)));
        } else if let Some(first) = things.insert((&node.account, &node.kind, &import.id), import) {
            let label = format!("{} becomes `{}` already", import.id, first.to);
            diagnostics.push(twice(import, first, &label));
        }
    }
}

/// Checks that the spec has the resource that something is to become, and that the id is one that
/// the resource's kind can have.
///
/// # Errors
/// With what is wrong, and what to write.
pub fn check_import(spec: &Spec, registry: &Registry, import: &ImportNode) -> Result<(), Box<Diagnostic>> {
    let to = &import.to;
    let Some(node) = spec.resources.get(to) else { return Err(not_in_spec(spec, import).into()) };
    let Some(kind) = registry.kind(node.kind.as_str()) else {
        let problem = Diagnostic::error("unknown-block", format!("{to} is a lookup, which nothing becomes"));
        return Err(placed(problem.with_address(to.clone()), import, "is no resource").into());
    };
    if fits(kind.schema().id_form, import.id.as_str()) {
        return Ok(());
    }
    let problem = Diagnostic::error("wrong-id", format!("`{}` is no id of a `{}`", import.id, node.kind));
    let problem = problem.with_address(to.clone()).with_hint(wanted(&**kind, import.id.as_str()));
    Err(placed(problem, import, "cannot become this").into())
}

/// Says which ids a kind has, and which one was probably meant, in whole sentences.
fn wanted(kind: &dyn AnyResource, id: &str) -> String {
    let form = kind.schema().id_form;
    let hint = format!("The id of a `{}` looks like `{form}`.", kind.schema().kind);
    match id.rsplit('/').next().filter(|name| form == NAME && fits(NAME, name)) {
        Some(name) => format!("{hint} Write `{name}`."),
        None => hint,
    }
}

fn not_in_spec(spec: &Spec, import: &ImportNode) -> Diagnostic {
    let to = &import.to;
    let instance = spec.resources.range(to..).next().map(|(first, _)| first);
    if let Some(first) = instance.filter(|first| to.key().is_none() && first.whole_block() == *to) {
        let problem = Diagnostic::error("missing-key", "missing key").with_hint(format!(
            "`{to}` has `for_each` and is several resources; say which one is meant, such as `{first}`."
        ));
        return placed(problem, import, "is several resources");
    }
    let problem = Diagnostic::error("unknown-block", format!("the spec has no `{to}`"))
        .with_address(to.clone())
        .with_detail(
            "An import makes something that exists a resource of the spec, and this one is not in it.",
        );
    let names: Vec<_> = spec.resources.keys().map(Address::to_string).collect();
    let problem = match suggest::closest(&to.to_string(), names.iter().map(String::as_str)) {
        Some(name) => problem.with_hint(format!("Did you mean `{name}`?")),
        None => problem.with_hint(format!(
            "Write its block first, with `{}` as the id of the import; `straddle import-setup` writes the blocks of \
             what belongs together.",
            import.id
        )),
    };
    placed(problem, import, "is not in the spec")
}

fn placed(problem: Diagnostic, import: &ImportNode, label: &str) -> Diagnostic {
    match import.span {
        Some(span) => problem.with_span(span, label),
        None => problem,
    }
}

fn twice(import: &ImportNode, first: &ImportNode, label: &str) -> Diagnostic {
    let problem = placed(Diagnostic::error("imported-twice", "imported twice"), import, label);
    match first.span {
        Some(span) => problem.with_related(span, "first imported here"),
        None => problem,
    }
}

/// What stands in a form for text without `/` and `:`.
const NAME: &str = "NAME";

/// Tells whether an id has a form, in which `*` stands for any text that is not empty, and `NAME` for such
/// text without `/` and `:`, as much of it as there is.
fn fits(form: &str, id: &str) -> bool {
    if let Some((head, rest)) = form.split_once(NAME).filter(|(head, _)| !head.contains('*')) {
        let Some(id) = id.strip_prefix(head) else { return false };
        let name = id.find(['/', ':']).unwrap_or(id.len());
        return name > 0 && fits(rest, &id[name..]);
    }
    let Some((head, mut rest)) = form.split_once('*') else { return form == id };
    let Some(mut id) = id.strip_prefix(head) else { return false };
    while let Some((piece, after)) = rest.split_once('*') {
        // What is matched may not be empty.
        let Some(tail) = id.chars().next().map(|first| &id[first.len_utf8()..]) else { return false };
        let Some(found) = tail.find(piece) else { return false };
        id = &tail[found + piece.len()..];
        rest = after;
    }
    id.len() > rest.len() && id.ends_with(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_fit_forms() {
        for (form, id, expected) in [
            ("*", "anything", true),
            ("*", "", false),
            ("vpc-*", "vpc-1", true),
            ("vpc-*", "vpc-", false),
            ("vpc-*", "subnet-1", false),
            ("rtb-*_*", "rtb-1_0.0.0.0/0", true),
            ("rtb-*_*", "rtb-1", false),
            ("rtb-*_*", "rtb-_x", false),
            ("rtb-*/rtbassoc-*", "rtb-1/rtbassoc-2", true),
            ("arn:*:ram:*:*:resource-share/*", "arn:aws:ram:us-east-1:1:resource-share/a", true),
            ("*:end", "x:end", true),
            ("*:end", ":end", false),
            ("é*", "é", false),
            ("*-*", "é-é", true),
            ("exact", "exact", true),
            ("NAME", "cluster", true),
            ("NAME", "", false),
            ("NAME", "arn:aws:iam::111111111111:role/cluster", false),
            ("NAME", "main/coredns", false),
            ("NAME/NAME", "main/coredns", true),
            ("NAME/NAME", "main/", false),
            ("NAME:NAME", "role:inline", true),
            ("NAME/a-*", "main/a-1", true),
            ("NAME/a-*", "main/b-1", false),
            ("NAME/arn:*:iam::*:policy/*", "role/arn:aws:iam::aws:policy/A", true),
            ("NAME/arn:*:iam::*:policy/*", "role/policy", false),
        ] {
            assert_eq!(fits(form, id), expected, "{form} {id}");
        }
    }
}
