//! What releases come to, now and after they were applied.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use straddle_engine::address::Address;
use straddle_engine::bundle::{Files, Standing};
use straddle_engine::resource::{Home, Resource};
use straddle_engine::spec::Tree;
use straddle_engine::supply::{Supplied, Supply};
use straddle_engine::yaml;

use super::*;
use crate::object::{Object, from_json, to_json};

const CHART: &str = "apiVersion: v2\nname: web\nversion: 1.2.3\nappVersion: \"1.27\"\n";

/// A chart in the folder `chart`, and other files.
#[derive(Default)]
struct Charts(BTreeMap<String, String>);

impl Charts {
    fn with(templates: &[(&str, &str)]) -> Self {
        let mut charts = Self::default();
        charts.put("chart/Chart.yaml", CHART);
        for (name, text) in templates {
            charts.put(&format!("chart/templates/{name}"), text);
        }
        charts
    }

    fn put(&mut self, path: &str, text: &str) {
        self.0.insert(path.to_owned(), text.to_owned());
    }
}

impl Files for Charts {
    fn read(&self, path: &str) -> Result<Arc<str>, String> {
        self.0
            .get(path)
            .map(|text| Arc::from(text.as_str()))
            .ok_or_else(|| "there is no such file".to_owned())
    }

    fn matching(&self, _: &str) -> Result<Vec<String>, String> {
        unreachable!("a release has no patterns")
    }

    fn tree(&self, path: &str) -> Result<Arc<Tree>, String> {
        let inside = |(name, text): (&String, &String)| {
            let name = name.strip_prefix(path)?.strip_prefix('/')?;
            Some((name.to_owned(), text.as_bytes().to_vec()))
        };
        Ok(Arc::new(self.0.iter().filter_map(inside).collect()))
    }

    fn supplied(&self, _: &Supply) -> Option<Supplied> {
        unreachable!("the chart is in the folder of the spec")
    }
}

fn address() -> Address {
    Address::new("helm_release", "web")
}

/// What the last apply left, by key.
#[derive(Clone, Default)]
struct Cluster(BTreeMap<String, ValueMap>);

impl Cluster {
    /// Plans a release.
    fn planned(&self, files: &Charts, inputs: &ValueMap) -> Result<Vec<Member>, Vec<Trouble>> {
        let standing = self.standing();
        HelmRelease::members(inputs, &Context { files, address: &address(), standing: &standing })
    }

    /// Works it out as an apply does, and says that the objects that are `chosen` were made.
    fn apply(&mut self, files: &Charts, inputs: &ValueMap, chosen: impl Fn(&str) -> bool) -> Vec<Member> {
        let now = "2026-05-01T00:00:00Z".parse().expect("it is a time");
        let standing = self.standing().carried_out_at(now);
        let context = Context { files, address: &address(), standing: &standing };
        let members = HelmRelease::members(inputs, &context).expect("it can be worked out");
        self.0.retain(|key, _| members.iter().any(|member| member.key == *key));
        for member in members.iter().filter(|member| chosen(&member.key)) {
            let inputs = Object::canonical(Home::default(), member.attributes.clone());
            self.0.insert(member.key.clone(), inputs.expect("it is an object"));
        }
        members
    }

    fn standing(&self) -> Standing {
        let address = |key: &String| address().with_key(key.as_str());
        Standing::new(self.0.iter().map(|(key, inputs)| (address(key), inputs.clone())).collect())
    }

    fn manifest(&self, key: &str) -> Json {
        lookups::standing_object(&self.0[key])
    }

    /// Checks that the next plan changes nothing.
    fn assert_settled(&self, files: &Charts, inputs: &ValueMap) {
        let planned = self.planned(files, inputs).expect("it can be worked out");
        assert_eq!(planned.len(), self.0.len());
        for member in planned {
            let wanted = Object::canonical(Home::default(), member.attributes).expect("it is an object");
            assert_eq!(wanted, self.0[&member.key], "{}", member.key);
        }
    }
}

fn inputs(text: &str) -> ValueMap {
    let mut inputs = ValueMap::from([
        ("cluster".to_owned(), Value::from("main")),
        ("chart".to_owned(), Value::from("chart")),
        ("namespace".to_owned(), Value::from("shop")),
    ]);
    let more = yaml::decode(text).expect("the inputs are YAML");
    inputs.extend(more.as_map().cloned().unwrap_or_default());
    inputs
}

fn unknown(attribute: &str) -> Value {
    Value::unknown(Address::new("iam_role", "a"), attribute)
}

fn planned(files: &Charts, inputs: &ValueMap) -> Vec<Member> {
    Cluster::default().planned(files, inputs).unwrap_or_else(|troubles| panic!("{troubles:?}"))
}

fn keys(members: &[Member]) -> Vec<&str> {
    members.iter().map(|member| member.key.as_str()).collect()
}

fn manifest(member: &Member) -> &ValueMap {
    member.attributes["manifest"].as_map().expect("it is a table")
}

fn troubles(files: &Charts, inputs: &ValueMap) -> Vec<String> {
    let troubles = Cluster::default().planned(files, inputs).expect_err("something is wrong");
    let line = |trouble: Trouble| format!("{}: {}: {}", trouble.input, trouble.message, trouble.detail);
    troubles.into_iter().map(line).collect()
}

const SETTINGS: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\ndata: {{ .Values | toJson }}\n";

#[test]
fn a_release_is_its_objects_with_definitions_and_hooks_in_order() {
    let mut files = Charts::with(&[
        ("a.yaml", SETTINGS),
        ("b.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: b, namespace: other}\n"),
        (
            "hook.yaml",
            "apiVersion: batch/v1\nkind: Job\nmetadata: {name: migrate, annotations: {helm.sh/hook: pre-upgrade}}\n",
        ),
        (
            "last.yaml",
            "apiVersion: batch/v1\nkind: Job\nmetadata: {name: last, annotations: {helm.sh/hook: post-install}}\n",
        ),
        (
            "test.yaml",
            "apiVersion: v1\nkind: Pod\nmetadata: {name: test, annotations: {helm.sh/hook: test}}\n",
        ),
        (
            "gone.yaml",
            "apiVersion: v1\nkind: Pod\nmetadata: {name: gone, annotations: {helm.sh/hook: pre-delete}}\n",
        ),
    ]);
    files.put("chart/values.yaml", "colour: blue\nsize: 1\n");
    files.put("more.yaml", "colour: green\n");
    files.put(
        "chart/crds/thing.yaml",
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.x.io}\nspec: {}\n",
    );
    let inputs =
        inputs("{create_namespace: true, values_files: [more.yaml], values: {size: null, more: [1]}}");
    let members = planned(&files, &inputs);
    let expected = [
        "Namespace/shop",
        "CustomResourceDefinition/things.x.io",
        "Job/shop/migrate",
        "Secret/other/b",
        "ConfigMap/shop/web",
        "Job/shop/last",
    ];
    assert_eq!(keys(&members), expected);
    let after: Vec<_> = members.iter().map(|member| member.after.join(" ")).collect();
    let definitions = "Namespace/shop CustomResourceDefinition/things.x.io";
    let objects = "Secret/other/b ConfigMap/shop/web";
    assert_eq!(after, ["", "", definitions, "Job/shop/migrate", "Job/shop/migrate", objects]);
    let data = to_json(&manifest(&members[4])["data"]);
    assert_eq!(data, json!({"colour": "green", "more": [1]}));
}

#[test]
fn what_a_chart_makes_of_something_unknown_is_unknown_in_its_place() {
    let files = Charts::with(&[(
        "a.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  role: {{ .Values.role }}\n  \
         hash: {{ sha256sum .Values.role }}\n  text: pre-{{ .Values.role }}\n  known: {{ .Values.known }}\n",
    )]);
    let mut inputs = inputs("{values: {known: x}}");
    let Some(Value::Map(values)) = inputs.get_mut("values") else { unreachable!("they are a table") };
    values.insert("role".to_owned(), unknown("arn"));
    let members = planned(&files, &inputs);
    let data = manifest(&members[0])["data"].as_map().expect("it is a table");
    assert_eq!(data["role"], unknown("arn"));
    for derived in ["hash", "text"] {
        let found = data[derived].first_unknown().expect("it is unknown");
        assert_eq!((found.origin.to_string().as_str(), found.exact), ("iam_role.a.arn", false), "{derived}");
    }
    assert_eq!(data["known"], Value::from("x"));

    let Some(Value::Map(values)) = inputs.get_mut("values") else { unreachable!("they are a table") };
    values.insert("role".to_owned(), Value::from("arn:x"));
    let mut cluster = Cluster::default();
    cluster.apply(&files, &inputs, |_| true);
    assert_eq!(cluster.manifest("ConfigMap/shop/a")["data"]["text"], "pre-arn:x");
    cluster.assert_settled(&files, &inputs);
}

#[test]
fn what_decides_which_objects_there_are_has_to_be_known() {
    let files = Charts::with(&[(
        "a.yaml",
        "{{ if eq .Values.a \"knownone00000later\" }}\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n{{ end }}\n",
    )]);
    let mut wanted = inputs("{}");
    wanted.insert("values".to_owned(), Value::Map(ValueMap::from([("a".to_owned(), unknown("id"))])));
    let told = troubles(&files, &wanted);
    assert_eq!(
        told,
        [
            "values: decide which objects there are, or what they are called: They are made of `iam_role.a.id`, \
          which is known only after apply."
        ]
    );
    for input in ["chart", "namespace", "values", "values_files", "release_name", "kubernetes_version"] {
        let mut wanted = inputs("{}");
        wanted.insert(input.to_owned(), unknown("id"));
        let told = troubles(&files, &wanted);
        assert!(told[0].starts_with(&format!("{input}: has to be known when planning")), "{told:?}");
    }
    let drawn = Charts::with(&[(
        "a.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ randAlpha 5 | lower }}}\n",
    )]);
    let told = troubles(&drawn, &inputs("{}"));
    assert!(told[0].starts_with("chart: the chart leaves to chance which objects there are"), "{told:?}");
}

#[test]
fn what_is_wrong_with_a_chart_is_told() {
    let broken = Charts::with(&[(
        "a.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ required \"say a\" .Values.a }}}\n",
    )]);
    let told = troubles(&broken, &inputs("{}"));
    assert!(
        told[0].starts_with("chart: the chart cannot be rendered: ") && told[0].ends_with("say a."),
        "{told:?}"
    );
    let nameless = Charts::with(&[("a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n")]);
    assert!(troubles(&nameless, &inputs("{}"))[0].contains("Its kind is `ConfigMap`"));
    let empty = Charts::default();
    let told = troubles(&empty, &inputs("{}"));
    assert_eq!(
        told,
        ["chart: `chart` cannot be read as a chart: the chart is refused: Chart.yaml file is missing."]
    );
    let told = troubles(&broken, &inputs("{values_files: [none.yaml]}"));
    assert_eq!(told, ["values_files[0]: there is no such file: "]);
}

/// A certificate in a Secret, and the authority of it in the configuration of a webhook.
const CERTIFICATES: &str = r#"
{{- $authority := genCA "authority" 3650 }}
{{- $certificate := genSignedCert .Values.name nil (list .Values.name) 365 $authority }}
apiVersion: v1
kind: Secret
metadata: {name: tls, labels: {version: "{{ .Values.version }}"}}
data:
  tls.crt: {{ $certificate.Cert | b64enc }}
  tls.key: {{ $certificate.Key | b64enc }}
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: hook}
webhooks:
- name: a.b.c
  clientConfig: {caBundle: {{ $authority.Cert | b64enc }}, url: {{ .Values.name }}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: plain}
data: {version: "{{ .Values.version }}"}
"#;

const SECRET: &str = "Secret/shop/tls";
const WEBHOOK: &str = "MutatingWebhookConfiguration/hook";

fn drawn(cluster: &Cluster) -> (Json, Json) {
    let webhook = &cluster.manifest(WEBHOOK)["webhooks"][0]["clientConfig"]["caBundle"];
    (cluster.manifest(SECRET)["data"]["tls.crt"].clone(), webhook.clone())
}

#[test]
fn what_is_drawn_by_chance_is_drawn_once_and_kept() {
    let files = Charts::with(&[("a.yaml", CERTIFICATES)]);
    let wanted = inputs("{values: {name: web.shop, version: a}}");
    let mut cluster = Cluster::default();
    let first = planned(&files, &wanted);
    assert_eq!(first, planned(&files, &wanted), "a plan is the same each time");
    let secret = first.iter().find(|member| member.key == SECRET).expect("it is planned");
    let data = manifest(secret)["data"].as_map().expect("it is a table");
    assert!(data.values().all(|value| !value.is_known()));

    cluster.apply(&files, &wanted, |_| true);
    let before = drawn(&cluster);
    let certificate = data_encoding::BASE64.decode(before.0.as_str().expect("it is text").as_bytes());
    let certificate = String::from_utf8(certificate.expect("it is encoded")).expect("it is text");
    assert!(certificate.starts_with("-----BEGIN CERTIFICATE-----\nMII"), "{certificate}");
    assert!(cluster.manifest("ConfigMap/shop/plain")["metadata"].get("annotations").is_none());
    cluster.assert_settled(&files, &wanted);

    // What is beside it changes, and it does not.
    let another = inputs("{values: {name: web.shop, version: b}}");
    cluster.apply(&files, &another, |_| true);
    assert_eq!(drawn(&cluster), before);
    cluster.assert_settled(&files, &another);

    // It is drawn for another name.
    let renamed = inputs("{values: {name: api.shop, version: b}}");
    let members = cluster.planned(&files, &renamed).expect("it can be worked out");
    let known = |key: &str| {
        let member = members.iter().find(|member| member.key == key).expect("it is planned");
        member.attributes["manifest"].is_known()
    };
    assert!(!known(SECRET) && !known(WEBHOOK) && known("ConfigMap/shop/plain"));
    cluster.apply(&files, &renamed, |_| true);
    let after = drawn(&cluster);
    assert!(after.0 != before.0 && after.1 != before.1);
    cluster.assert_settled(&files, &renamed);
}

#[test]
fn what_is_drawn_together_stays_together_however_a_run_ended() {
    let files = Charts::with(&[("a.yaml", CERTIFICATES)]);
    let wanted = inputs("{values: {name: web.shop, version: a}}");
    let mut cluster = Cluster::default();
    // The first run ends after the Secret.
    cluster.apply(&files, &wanted, |key| key == SECRET);
    let first = cluster.manifest(SECRET)["data"].clone();
    cluster.apply(&files, &wanted, |_| true);
    assert_ne!(cluster.manifest(SECRET)["data"], first);
    cluster.assert_settled(&files, &wanted);
    // A change of the name ends after the Secret: the webhook has another authority than it now.
    let renamed = inputs("{values: {name: api.shop, version: a}}");
    cluster.apply(&files, &renamed, |key| key == SECRET);
    let marks = [SECRET, WEBHOOK].map(|key| chance::mark_of(&cluster.manifest(key)).map(str::to_owned));
    assert_ne!(marks[0], marks[1]);
    cluster.apply(&files, &renamed, |_| true);
    let marks = [SECRET, WEBHOOK].map(|key| chance::mark_of(&cluster.manifest(key)).map(str::to_owned));
    assert_eq!(marks[0], marks[1]);
    cluster.assert_settled(&files, &renamed);
    // Somebody deletes the webhook.
    cluster.0.remove(WEBHOOK);
    cluster.apply(&files, &renamed, |_| true);
    cluster.assert_settled(&files, &renamed);
}

/// Takes the password that is there, as charts of databases do; another one is drawn at each rendering.
const PASSWORDS: &str = r#"
{{- $found := lookup "v1" "Secret" .Release.Namespace "db" }}
apiVersion: v1
kind: Secret
metadata: {name: db}
{{- if $found }}
data: {password: {{ index $found.data "password" }}}
{{- else }}
stringData: {password: {{ randAlphaNum 20 }}}
{{- end }}
---
apiVersion: v1
kind: Secret
metadata: {name: address}
stringData: {url: "db://me:{{ randAlphaNum 8 }}@{{ .Values.host }}/shop"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: checksum, annotations: {made: "{{ now | date "2006-01-02" }}"}}
data: {id: {{ uuidv4 }}, sum: {{ randAlphaNum 8 | sha256sum }}}
{{- if not (lookup "v1" "ConfigMap" .Release.Namespace "once") }}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: once}
data: {a: b}
{{- end }}
"#;

#[test]
fn lookups_find_what_the_last_apply_left() {
    let files = Charts::with(&[("a.yaml", PASSWORDS)]);
    let wanted = inputs("{values: {host: one}}");
    let mut cluster = Cluster::default();
    cluster.apply(&files, &wanted, |_| true);
    let password = |cluster: &Cluster| cluster.manifest("Secret/shop/db")["data"]["password"].clone();
    let before = password(&cluster);
    assert_eq!(cluster.manifest("ConfigMap/shop/checksum")["metadata"]["annotations"]["made"], "2026-05-01");
    cluster.assert_settled(&files, &wanted);
    // Where something else is drawn anew, what is looked up stays.
    let moved = inputs("{values: {host: two}}");
    let url = |cluster: &Cluster| {
        let url = cluster.manifest("Secret/shop/address")["data"]["url"].clone();
        let url = data_encoding::BASE64.decode(url.as_str().expect("it is text").as_bytes());
        String::from_utf8(url.expect("it is encoded")).expect("it is text")
    };
    assert!(url(&cluster).ends_with("@one/shop"));
    cluster.apply(&files, &moved, |_| true);
    assert!(url(&cluster).ends_with("@two/shop"));
    assert_eq!(password(&cluster), before);
    assert_eq!(cluster.manifest("ConfigMap/shop/once")["data"], json!({"a": "b"}));
    cluster.assert_settled(&files, &moved);
}

#[test]
fn what_somebody_else_has_drawn_is_kept_after_an_import() {
    let files = Charts::with(&[("a.yaml", CERTIFICATES)]);
    let wanted = inputs("{values: {name: web.shop, version: a}}");
    let mut cluster = Cluster::default();
    cluster.apply(&files, &wanted, |_| true);
    for inputs in cluster.0.values_mut() {
        let mut manifest = to_json(&inputs["manifest"]);
        if let Some(metadata) = manifest["metadata"].as_object_mut() {
            metadata.shift_remove("annotations");
        }
        inputs.insert("manifest".to_owned(), from_json(&manifest));
    }
    cluster.assert_settled(&files, &wanted);
}

#[test]
fn a_chart_is_told_the_version_of_its_cluster_and_what_that_serves() {
    let files = Charts::with(&[(
        "a.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {version: {{ .Capabilities.KubeVersion.Version }}, \
         has: \"{{ .Capabilities.APIVersions.Has \"x.io/v1\" }}\"}\n",
    )]);
    let data = |more: &str| {
        let members = planned(&files, &inputs(more));
        to_json(&manifest(&members[0])["data"])
    };
    assert_eq!(data("{}"), json!({"version": "v1.33", "has": "false"}));
    assert_eq!(
        data("{cluster: {version: '1.31'}, api_versions: [x.io/v1]}"),
        json!({"version": "v1.31", "has": "true"})
    );
    assert_eq!(data("{cluster: {version: '1.31'}, kubernetes_version: '1.30.2'}")["version"], "v1.30.2");
}
