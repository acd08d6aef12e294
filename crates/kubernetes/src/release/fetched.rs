//! Whole specs with charts that have to be fetched.

use std::sync::Arc;

use straddle_engine::address::Address;
use straddle_engine::spec::Tree;
use straddle_engine::supply::{Supplied, Supplies, Supply, Unsupplied};

use crate::loading::load_with;

const SPEC: &str = r#"
[helm_release.web]
cluster    = "demo"
chart      = "web"
repository = "https://charts.example.com"
version    = "1.2.3"
[kubernetes_object.after]
cluster    = "demo"
depends_on = ["helm_release.web"]
manifest   = "{apiVersion: v1, kind: ConfigMap, metadata: {name: after, namespace: default}}"
[output.web]
value = "${helm_release.web['ConfigMap/default/web'].uid}"
"#;

fn web() -> Supply {
    let repository = Some("https://charts.example.com".to_owned());
    Supply { repository, name: "web".to_owned(), version: Some("1.2.3".to_owned()) }
}

fn with(supplied: Supplied) -> Supplies {
    Supplies::from([(web(), supplied)])
}

fn chart(value: &str) -> Arc<Tree> {
    let template =
        format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: web}}, data: {{a: {value}}}}}");
    let files =
        [("Chart.yaml", "{apiVersion: v2, name: web, version: 1.2.3}"), ("templates/a.yaml", &template)];
    let files = files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()));
    Arc::new(Tree::from(files))
}

#[test]
fn what_a_spec_lacks_is_named_and_nothing_else_is_wrong() {
    let failure = load_with(SPEC, &[], Supplies::new()).expect_err("the chart is not there");
    let problems: Vec<_> = failure.diagnostics.iter().map(|problem| problem.label.as_str()).collect();
    assert_eq!(problems, ["web 1.2.3 of https://charts.example.com was not fetched"]);
    let lacking = failure.lacking.expect("nothing else is wrong");
    assert_eq!(lacking.supplies.into_iter().collect::<Vec<_>>(), [web()]);
    assert_eq!(lacking.spec.accounts.len(), 1);
    let there: Vec<_> = lacking.spec.resources.keys().map(ToString::to_string).collect();
    assert_eq!(there, ["kubernetes_object.after"]);

    let failure =
        load_with(&format!("{SPEC}\nnothing = 1"), &[], Supplies::new()).expect_err("more is wrong");
    assert!(failure.lacking.is_none(), "what is wrong anyway is said before anything is fetched");
    let codes: Vec<_> = failure.diagnostics.iter().map(|problem| problem.code).collect();
    assert!(!codes.contains(&"unfetched"), "{codes:?}");
}

#[test]
fn what_was_fetched_is_part_of_the_spec() {
    let spec = load_with(SPEC, &[], with(Ok(chart("1")))).unwrap_or_else(|failure| panic!("{failure:#?}"));
    let member: Address = "helm_release.web['ConfigMap/default/web']".parse().expect("it is an address");
    let after: Address = "kubernetes_object.after".parse().expect("it is an address");
    assert!(spec.resources[&after].dependencies.contains(&member));
    let same = load_with(SPEC, &[], with(Ok(chart("1")))).unwrap_or_else(|failure| panic!("{failure:#?}"));
    let other = load_with(SPEC, &[], with(Ok(chart("2")))).unwrap_or_else(|failure| panic!("{failure:#?}"));
    assert_eq!(spec.digest, same.digest);
    assert_ne!(spec.digest, other.digest, "a saved plan is for the chart that it was made with");
}

#[test]
fn what_cannot_be_fetched_is_an_error_where_it_is_named() {
    let unsupplied = Unsupplied { reason: "nothing answers".to_owned(), remedy: None };
    let failure = load_with(SPEC, &[], with(Err(unsupplied))).expect_err("there is no chart");
    assert!(failure.lacking.is_none());
    let problem = failure.diagnostics.iter().next().expect("there is a problem");
    assert_eq!(
        (problem.label.as_str(), problem.detail.as_str()),
        ("the chart cannot be had", "Nothing answers.")
    );
    let place = problem.span.map(|span| failure.sources.location(span).to_string());
    assert_eq!(place.as_deref(), Some("main.toml:9:14"));
}

#[test]
fn what_is_said_of_a_chart_has_to_be_true_of_it() {
    let said = |repository: &str, version: &str| {
        let spec = SPEC.replace("https://charts.example.com", repository).replace("1.2.3", version);
        let (repository, version) = (Some(repository.to_owned()), Some(version.to_owned()));
        let supply = Supply { repository, version, ..web() };
        let loaded = load_with(&spec, &[], Supplies::from([(supply, Ok(chart("1")))]));
        let problem = loaded.err().and_then(|failure| {
            let problem = failure.diagnostics.iter().next()?.clone();
            Some(format!("{}: {}", failure.sources.location(problem.span?), problem.label))
        });
        problem.unwrap_or_default()
    };
    let here = "https://charts.example.com";
    assert_eq!([said(here, "1.2.3"), said(here, "^1")], ["", ""]);
    assert_eq!(said(here, "2.0.0"), "main.toml:11:14: the chart is not in this version, but in 1.2.3");
    let neither = "main.toml:11:14: `newest` is neither a version nor a constraint on versions";
    assert_eq!(said(here, "newest"), neither);
    let nowhere = "main.toml:10:14: nowhere is no address of a chart: relative URL without a base";
    assert_eq!(said("nowhere", "1.2.3"), nowhere);
}
