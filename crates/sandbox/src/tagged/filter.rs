//! Which things are asked for: by tags, by types, or by their ARNs.

use super::invalid;
use crate::call::{Parameters, Refusal};
use crate::ec2::tags::Tags;

/// What a call asks for.
pub(super) struct Filters {
    /// Keys, with the values of which a thing has to have one; none stand for any value.
    tags: Vec<(String, Vec<String>)>,
    /// Services, with the type if only one is asked for.
    types: Vec<(String, Option<String>)>,
    arns: Vec<String>,
}

impl Filters {
    /// Reads the filters of a call.
    ///
    /// # Errors
    /// If there are too many, or some that exclude each other (API reference, `GetResources`).
    pub(super) fn read(parameters: &Parameters) -> Result<Self, Refusal> {
        let texts =
            |name: &str| -> Vec<String> { parameters.texts(name).into_iter().map(str::to_owned).collect() };
        let mut tags = Vec::new();
        for filter in parameters.tables("TagFilters") {
            let key = filter.text("Key").filter(|key| !key.is_empty());
            let key = key.ok_or_else(|| invalid("A tag filter needs a key."))?.to_owned();
            let values: Vec<_> = filter.texts("Values").into_iter().map(str::to_owned).collect();
            if values.len() > 20 {
                return Err(invalid("A tag filter has at most 20 values."));
            }
            tags.push((key, values));
        }
        let types: Vec<_> = texts("ResourceTypeFilters").iter().map(|text| resource_type(text)).collect();
        let arns = texts("ResourceARNList");
        if tags.len() > 50 || types.len() > 100 || arns.len() > 100 {
            return Err(invalid("There are too many filters."));
        }
        let has_others = !tags.is_empty() || !types.is_empty();
        if has_others && !arns.is_empty() {
            return Err(invalid("ResourceARNList cannot be combined with other filters."));
        }
        Ok(Self { tags, types, arns })
    }

    /// Tells whether a thing is asked for: every tag filter has to match, and any type.
    pub(super) fn choose(&self, arn: &str, tags: &Tags) -> bool {
        let has = |(key, values): &(String, Vec<String>)| {
            tags.get(key).is_some_and(|value| values.is_empty() || values.contains(value))
        };
        (self.arns.is_empty() || self.arns.iter().any(|other| other == arn))
            && self.tags.iter().all(has)
            && (self.types.is_empty() || self.types.iter().any(|wanted| is_of(arn, wanted)))
    }
}

/// Reads `service[:resourceType]`, such as `ec2` or `ec2:vpc`.
fn resource_type(text: &str) -> (String, Option<String>) {
    match text.split_once(':') {
        Some((service, kind)) => (service.to_owned(), Some(kind.to_owned())),
        None => (text.to_owned(), None),
    }
}

/// Tells whether an ARN is of a type: "the string for each service name and resource type is the same as
/// that embedded in a resource's Amazon Resource Name".
fn is_of(arn: &str, (service, kind): &(String, Option<String>)) -> bool {
    let mut parts = arn.splitn(6, ':').skip(2);
    let (found, resource) = (parts.next().unwrap_or_default(), parts.nth(2).unwrap_or_default());
    let is_of_kind = |kind: &String| {
        let rest = resource.strip_prefix(kind.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', ':']))
    };
    found == service && kind.as_ref().is_none_or(is_of_kind)
}
