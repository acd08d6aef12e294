//! Charts of our own, rendered as helm has rendered them: `tests/helm/record` wrote down what it made.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::{Value, json};
use straddle_kubernetes::helm::{
    Answers, Capabilities, Chart, Event, Keys, Manifest, Query, Release, RenderError, Rendered, Surroundings,
    Values, render, yaml,
};

/// The release that charts are recorded with.
fn release() -> Release {
    Release { name: "trial".to_owned(), namespace: "kube-system".to_owned(), revision: 1, is_upgrade: false }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/charts")
}

fn rendered_with(chart: &str, values: &Values, answers: &Answers) -> Result<Rendered, RenderError> {
    let chart = Chart::open(&folder().join(chart).join("chart")).expect("it is a chart");
    let mut capabilities = Capabilities::of_version("1.33.1");
    capabilities.api_versions.push("custom.example.com/v1/Thing".to_owned());
    let random = |bytes: &mut [u8]| getrandom(bytes);
    let now = "2026-01-02T03:04:05Z".parse::<Timestamp>().expect("it is a time");
    let surroundings =
        Surroundings { capabilities: &capabilities, answers, now, random: &random, keys: Keys::Real };
    render(&chart, values, &release(), &surroundings)
}

/// Bytes that differ from call to call, and from place to place.
fn getrandom(bytes: &mut [u8]) {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0x9E37_79B9_7F4A_7C15);
    for byte in bytes {
        let state = NEXT.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        *byte = (mixed ^ (mixed >> 27)).to_le_bytes()[3];
    }
}

fn values_of(path: &Path) -> Values {
    let text = fs::read_to_string(path).expect("it is there");
    yaml::document(&text).expect("it is YAML").as_object().cloned().unwrap_or_default()
}

/// Returns every document that helm printed, with the template it names.
fn recorded(text: &str) -> Vec<Manifest> {
    let mut manifests: Vec<Manifest> = Vec::new();
    for part in format!("\n{text}").split("\n---\n").filter(|part| !part.trim().is_empty()) {
        let part = part.trim_start();
        let (first, rest) = part.split_once('\n').unwrap_or((part, ""));
        // Files with custom resource definitions are printed whole.
        let (source, rest) = match first.strip_prefix("# Source: ") {
            Some(source) => (source.to_owned(), rest),
            None => (manifests.last().map(|last| last.source.clone()).expect("one came before"), part),
        };
        match yaml::document(rest).expect("helm prints YAML") {
            Value::Object(object) if object.get("kind") == Some(&json!("List")) => {
                let items = object["items"].as_array().cloned().unwrap_or_default();
                manifests.extend(items.into_iter().map(|object| Manifest { source: source.clone(), object }));
            }
            Value::Null => {}
            object @ (Value::Object(_)
            | Value::Array(_)
            | Value::String(_)
            | Value::Number(_)
            | Value::Bool(_)) => {
                manifests.push(Manifest { source, object });
            }
        }
    }
    manifests
}

/// Replaces what is another one at each rendering, as the recording does.
fn without_secrets(value: &mut Value) {
    match value {
        Value::String(text) if text.starts_with("LS0tLS1CRUdJTi") => "<pem>".clone_into(text),
        Value::Array(items) => items.iter_mut().for_each(without_secrets),
        Value::Object(entries) => entries.values_mut().for_each(without_secrets),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn shown(manifests: &[Manifest]) -> String {
    let shown = |manifest: &Manifest| {
        let mut object = manifest.object.clone();
        without_secrets(&mut object);
        format!("# {}\n{}", manifest.source, yaml::write(&object, yaml::Lists::AtKey))
    };
    manifests.iter().map(shown).collect::<Vec<_>>().join("---\n")
}

/// Compares what this program makes of a case with what a version of helm made of it. Custom resource
/// definitions come first, and hooks are compared without their order.
fn compare(
    chart: &str,
    case: &Path,
    version: &str,
    made: &Result<Rendered, RenderError>,
) -> Result<(), String> {
    let name = case.file_stem().expect("it has a name").to_string_lossy();
    let file = folder().join(chart).join("recorded").join(format!("{name}.{version}.txt"));
    let recording = fs::read_to_string(&file).expect("every case is recorded");
    match (recording.strip_prefix("# failed\n"), made) {
        (Some(expected), Err(error)) if version.starts_with('3') && is_ours(error) => {
            if error.to_string().trim() == expected.trim() {
                return Ok(());
            }
            Err(format!("{chart}/{name}: helm says\n  {expected}and we say\n  {error}"))
        }
        (Some(_), Err(_)) => Ok(()),
        (Some(expected), Ok(_)) => Err(format!("{chart}/{name}: helm {version} fails: {expected}")),
        (None, Err(error)) => Err(format!("{chart}/{name}: helm {version} has no error, but: {error}")),
        (None, Ok(made)) => {
            let ours: Vec<Manifest> = made.crds.iter().chain(&made.objects).cloned().collect();
            let (hooks, plain): (Vec<_>, Vec<_>) = recorded(&recording)
                .into_iter()
                .partition(|manifest| !manifest.object["metadata"]["annotations"]["helm.sh/hook"].is_null());
            let mut our_hooks: Vec<Manifest> = made.hooks.iter().map(|hook| hook.manifest.clone()).collect();
            let by_name = |manifest: &Manifest| manifest.object["metadata"]["name"].to_string();
            our_hooks.sort_by_key(by_name);
            let mut hooks = hooks;
            hooks.sort_by_key(by_name);
            let (mut plain, mut ours) = (plain, ours);
            if version.starts_with('3') {
                // Helm 4 makes webhooks last of all, and so do we.
                let by_source = |manifest: &Manifest| (manifest.source.clone(), by_name(manifest));
                plain.sort_by_key(by_source);
                ours.sort_by_key(by_source);
            }
            let (expected, found) = (shown(&plain) + &shown(&hooks), shown(&ours) + &shown(&our_hooks));
            if expected == found {
                return Ok(());
            }
            let first = expected.lines().zip(found.lines()).position(|(one, other)| one != other);
            let around = |text: &str| {
                let from = first.unwrap_or_default().saturating_sub(3);
                text.lines().skip(from).take(8).collect::<Vec<_>>().join("\n  ")
            };
            Err(format!(
                "{chart}/{name} {version}: helm makes\n  {}\nand we make\n  {}",
                around(&expected),
                around(&found)
            ))
        }
    }
}

/// Whether an error is worded by templates, which charts' users know; others have words of their own.
fn is_ours(error: &RenderError) -> bool {
    matches!(error, RenderError::Template(_))
}

#[track_caller]
fn check(chart: &str) {
    let mut cases: Vec<PathBuf> = fs::read_dir(folder().join(chart).join("cases"))
        .expect("it has cases")
        .map(|entry| entry.expect("it can be read").path())
        .collect();
    cases.sort();
    assert!(!cases.is_empty(), "{chart} has no cases");
    let problems: Vec<String> = cases
        .iter()
        .flat_map(|case| {
            let made = rendered_with(chart, &values_of(case), &Answers::new());
            // Helm 4 words errors in lines, and takes fields of the chart that are not there for nothing.
            let versions: &[&str] = if chart == "errors" { &["3.17.2"] } else { &["3.17.2", "4.1.4"] };
            versions.iter().map(|version| compare(chart, case, version, &made)).collect::<Vec<_>>()
        })
        .filter_map(Result::err)
        .collect();
    assert!(problems.is_empty(), "{} cases differ:\n{}", problems.len(), problems.join("\n\n"));
}

#[test]
fn a_controller_with_webhooks_is_rendered_as_helm_does() {
    check("controller");
}

#[test]
fn charts_in_charts_are_rendered_as_helm_does() {
    check("umbrella");
}

#[test]
fn every_function_does_what_it_does_in_helm() {
    check("functions");
}

#[test]
fn yaml_is_written_as_helm_does() {
    check("yaml");
}

#[test]
fn hooks_and_orders_are_those_of_helm() {
    check("hooks");
}

#[test]
fn values_are_checked_against_a_schema() {
    check("schema");
}

#[test]
fn errors_are_worded_as_helm_does() {
    check("errors");
}

#[test]
fn hooks_come_in_the_order_of_their_weights() {
    let made = rendered_with("hooks", &Values::new(), &Answers::new()).expect("it is right");
    let weights: Vec<i64> = made.hooks.iter().map(|hook| hook.weight).collect();
    assert_eq!(weights, [-5, -1, 0, 1, 2]);
    assert!(
        made.hooks[0].events.contains(&Event::PreInstall)
            && made.hooks[0].events.contains(&Event::PreUpgrade)
    );
    assert_eq!(made.hooks[3].delete.len(), 2, "{:?}", made.hooks[3]);
}

/// What the cluster has is taken, so that a second rendering makes nothing new.
#[test]
fn a_certificate_that_is_there_is_kept() {
    let values = values_of(&folder().join("controller/cases/mission.yaml"));
    let first = rendered_with("controller", &values, &Answers::new()).expect("it is right");
    let query = Query {
        api_version: "v1".to_owned(),
        kind: "Secret".to_owned(),
        namespace: "kube-system".to_owned(),
        name: "traffic-tls".to_owned(),
    };
    assert!(first.lookups.contains(&query), "{:?}", first.lookups);
    let secret =
        first.objects.iter().find(|manifest| manifest.object["kind"] == "Secret").expect("it is made");
    let answers = Answers::from([(query, secret.object.clone())]);
    let second = rendered_with("controller", &values, &answers).expect("it is right");
    assert_eq!(second.objects, first.objects);
    let other = rendered_with("controller", &values, &Answers::new()).expect("it is right");
    assert_ne!(other.objects, first.objects);
    assert_eq!(first.notes.as_deref(), Some("traffic-controller v2.3.4 runs in kube-system.\n"));
    assert_eq!(first.crds.len(), 2);
}

#[test]
fn what_never_ends_is_ended() {
    for (template, expected) in [
        ("{{ define \"a\" }}{{ include \"a\" . }}{{ end }}{{ include \"a\" . }}", "nested reference name"),
        ("{{ range until 1000000 }}{{ range until 1000000 }}x{{ end }}{{ end }}", "have not ended after"),
        ("{{ repeat 100000000 \"abc\" }}", "the text would have more than"),
    ] {
        let mut chart = Chart::open(&folder().join("hooks/chart")).expect("it is a chart");
        chart.templates[0].data = template.as_bytes().to_vec();
        let surroundings = Surroundings {
            capabilities: &Capabilities::of_version("1.33"),
            answers: &Answers::new(),
            now: Timestamp::UNIX_EPOCH,
            random: &|bytes| bytes.fill(1),
            keys: Keys::Real,
        };
        let error =
            render(&chart, &Values::new(), &release(), &surroundings).expect_err(template).to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_function_that_is_not_supported_is_named() {
    for (template, expected) in [
        (
            "a: 1\nb: {{ noSuchThing 1 }}",
            "parse error at (hooks/templates/hooks.yaml:2): function \"noSuchThing\" not defined",
        ),
        (
            "{{ getHostByName \"a\" }}",
            "template: hooks/templates/hooks.yaml:1:3: executing \"hooks/templates/hooks.yaml\" at \
             <getHostByName \"a\">: error calling getHostByName: the function getHostByName is not supported: \
             it has no result that could be planned",
        ),
    ] {
        let mut chart = Chart::open(&folder().join("hooks/chart")).expect("it is a chart");
        chart.templates[0].data = template.as_bytes().to_vec();
        let surroundings = Surroundings {
            capabilities: &Capabilities::of_version("1.33"),
            answers: &Answers::new(),
            now: Timestamp::UNIX_EPOCH,
            random: &|bytes| bytes.fill(1),
            keys: Keys::Real,
        };
        let error = render(&chart, &Values::new(), &release(), &surroundings).expect_err(template);
        assert_eq!(error.to_string(), expected);
    }
}
