//! The protocol of EKS: an operation is a method and a path with parameters in it.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::json::body;
use crate::call::{Parameters, Refusal};
use crate::server::Incoming;

/// An operation's method, its path, such as `/clusters/{name}/updates`, and its name.
pub(crate) type Route = (&'static str, &'static str, &'static str);

/// Finds the operation in a request, and its parameters in path, query string and body. Those of
/// the query string that are named in `lists` may come several times.
pub(super) fn read(
    routes: &[Route],
    lists: &[&str],
    request: &Incoming,
) -> Result<(String, Parameters), Refusal> {
    let parts: Vec<_> = request.path.trim_matches('/').split('/').map(decoded).collect();
    let found = routes.iter().filter(|(method, _, _)| *method == request.method).find_map(|route| {
        let (_, path, operation) = route;
        Some((*operation, in_path(path, &parts)?))
    });
    let Some((operation, in_path)) = found else {
        let message = format!("The service has no operation {} {}.", request.method, request.path);
        return Err(Refusal { status: 404, ..Refusal::new("UnknownOperationException", message) });
    };
    let mut parameters = body(request)?;
    for (name, value) in request.query() {
        if lists.contains(&name.as_str()) {
            let list = parameters.0.entry(name).or_insert_with(|| json!([]));
            if let Some(list) = list.as_array_mut() {
                list.push(Value::String(value));
            }
        } else {
            parameters.0.insert(name, Value::String(value));
        }
    }
    parameters.0.extend(in_path.into_iter().map(|(name, value)| (name.to_owned(), Value::String(value))));
    Ok((operation.to_owned(), parameters))
}

fn decoded(part: &str) -> Cow<'_, str> {
    percent_decode_str(part).decode_utf8_lossy()
}

/// Returns the parameters in a path, if it has this form.
fn in_path(form: &'static str, parts: &[Cow<'_, str>]) -> Option<Vec<(&'static str, String)>> {
    let form: Vec<_> = form.trim_matches('/').split('/').collect();
    if form.len() != parts.len() {
        return None;
    }
    let mut parameters = Vec::new();
    for (expected, part) in form.into_iter().zip(parts) {
        match expected.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) => parameters.push((name, part.to_string())),
            None if expected == part => {}
            None => return None,
        }
    }
    Some(parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTES: &[Route] = &[
        ("GET", "/clusters", "ListClusters"),
        ("GET", "/clusters/{name}", "DescribeCluster"),
        ("DELETE", "/tags/{resourceArn}", "UntagResource"),
    ];

    fn read(method: &str, path: &str, query: &str) -> Result<(String, Value), String> {
        let (method, path, query_text) = (method.to_owned(), path.to_owned(), query.to_owned());
        let request = Incoming { method, path, query_text, ..Incoming::post(b"") };
        let read = super::read(ROUTES, &["tagKeys"], &request);
        read.map(|(operation, parameters)| (operation, Value::Object(parameters.0)))
            .map_err(|refusal| refusal.code)
    }

    #[test]
    fn parameters_are_in_the_path_and_in_the_query_string() {
        let found = read("GET", "/clusters/a%2Bb", "");
        assert_eq!(found, Ok(("DescribeCluster".to_owned(), json!({ "name": "a+b" }))));
        let found = read("DELETE", "/tags/arn%3Aaws%3Aeks%3A%3A%3Acluster%2Fa", "tagKeys=x&tagKeys=y");
        let expected = json!({ "resourceArn": "arn:aws:eks:::cluster/a", "tagKeys": ["x", "y"] });
        assert_eq!(found, Ok(("UntagResource".to_owned(), expected)));
    }

    #[test]
    fn other_methods_and_paths_are_refused() {
        for (method, path) in [("POST", "/clusters"), ("GET", "/"), ("GET", "/clusters/a/b")] {
            assert_eq!(read(method, path, ""), Err("UnknownOperationException".to_owned()), "{path}");
        }
    }
}
