//! Charts from repositories and registries that answer as a test says.

#[path = "../../../../web/tests/support/host.rs"]
mod host;

use std::collections::BTreeMap;
use std::fs;

use flate2::Compression;
use flate2::write::GzEncoder;

use self::host::{Asked, Host, Reply};
use super::*;

const REPOSITORY: &str = "http://charts.example.com/stable";

/// A folder for what is kept, and a host in the place of all others.
struct Trial {
    host: Host,
    folder: tempfile::TempDir,
}

impl Trial {
    async fn new() -> Self {
        Self { host: Host::new().await, folder: tempfile::tempdir().unwrap() }
    }

    fn charts(&self) -> Charts {
        let logins = [self.folder.path().join("config.json")];
        Charts::new(self.folder.path(), &self.host.outside(), &logins).unwrap()
    }

    async fn obtain(
        &self,
        reference: &Reference,
        locked: Option<&LockedChart>,
        answer: impl Fn(&Asked) -> Reply,
    ) -> Result<Obtained, String> {
        let charts = self.charts();
        let obtained = self.host.during(charts.obtain(reference, locked), answer).await;
        obtained.map_err(|error| error.to_string())
    }

    async fn newest(
        &self,
        reference: &Reference,
        answer: impl Fn(&Asked) -> Reply,
    ) -> Result<Obtained, String> {
        let charts = self.charts();
        let obtained = self.host.during(charts.newest(reference), answer).await;
        obtained.map_err(|error| error.to_string())
    }
}

/// Packs a chart.
fn packed(version: &str) -> Vec<u8> {
    let text = format!("apiVersion: v2\nname: web\nversion: {version}\n");
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    header.set_mode(0o644);
    archive.append_data(&mut header, "web/Chart.yaml", text.as_bytes()).unwrap();
    archive.into_inner().and_then(GzEncoder::finish).unwrap()
}

/// A repository with some versions of a chart.
fn repository(versions: &[&str]) -> BTreeMap<String, Vec<u8>> {
    let mut index = "entries:\n  web:\n".to_owned();
    let mut files = BTreeMap::new();
    for version in versions {
        let archive = packed(version);
        let digest = sha256(&archive);
        let entry = format!("  - {{version: {version}, urls: [web-{version}.tgz], digest: {digest}}}\n");
        index.push_str(&entry);
        files.insert(format!("{REPOSITORY}/web-{version}.tgz"), archive);
    }
    files.insert(format!("{REPOSITORY}/index.yaml"), index.into_bytes());
    files
}

fn answer(files: &BTreeMap<String, Vec<u8>>) -> impl Fn(&Asked) -> Reply {
    move |asked| match files.get(&asked.address) {
        Some(bytes) => Reply::new(200, bytes.clone()),
        None => Reply::new(404, "not here"),
    }
}

fn web(wanted: &str) -> Reference {
    Reference::new(Some(REPOSITORY), "web", Some(wanted)).unwrap()
}

fn locked(reference: &Reference, version: &str, archive: &[u8]) -> LockedChart {
    LockedChart {
        source: reference.source().to_owned(),
        chart: reference.chart().to_owned(),
        wanted: reference.wanted().to_owned(),
        version: version.to_owned(),
        sha256: sha256(archive),
    }
}

fn nobody(asked: &Asked) -> Reply {
    panic!("nothing is to be asked, but {} was", asked.address)
}

#[tokio::test]
async fn a_version_that_is_named_is_fetched_once() {
    let trial = Trial::new().await;
    let files = repository(&["1.0.0", "1.1.0"]);
    let obtained = trial.obtain(&web("1.0.0"), None, answer(&files)).await.unwrap();
    assert_eq!((obtained.version.as_str(), &obtained.sha256), ("1.0.0", &sha256(&packed("1.0.0"))));
    assert_eq!(fs::read(&obtained.path).unwrap(), packed("1.0.0"));
    assert_eq!(
        trial.host.addresses(),
        ["index.yaml", "web-1.0.0.tgz"].map(|name| format!("{REPOSITORY}/{name}"))
    );
    let again = trial.obtain(&web("1.0.0"), None, nobody).await;
    assert_eq!(again, Ok(obtained.clone()));
    fs::write(&obtained.path, "somebody was here").unwrap();
    let mended = trial.obtain(&web("1.0.0"), None, answer(&files)).await;
    assert_eq!(mended, Ok(obtained));
}

#[tokio::test]
async fn what_is_locked_is_what_is_taken() {
    let trial = Trial::new().await;
    let files = repository(&["1.0.0", "1.1.0"]);
    let reference = web("^1");
    let error = trial.obtain(&reference, None, nobody).await.unwrap_err();
    assert_eq!(error, "the version of the chart web is not locked: `^1` allows several");
    let lock = locked(&reference, "1.0.0", &packed("1.0.0"));
    let obtained = trial.obtain(&reference, Some(&lock), answer(&files)).await.unwrap();
    assert_eq!(obtained.version, "1.0.0");
    assert_eq!(trial.obtain(&reference, Some(&lock), nobody).await, Ok(obtained));
    assert_eq!(trial.newest(&reference, answer(&files)).await.unwrap().version, "1.1.0");
}

#[tokio::test]
async fn an_archive_that_is_another_one_is_refused() {
    let trial = Trial::new().await;
    let mut files = repository(&["1.0.0"]);
    let lock = locked(&web("1.0.0"), "1.0.0", b"another one");
    let error = trial.obtain(&web("1.0.0"), Some(&lock), answer(&files)).await.unwrap_err();
    let expected = format!(
        "the chart web 1.0.0 of {REPOSITORY} has the sha256 {}, but charts.lock says {}",
        sha256(&packed("1.0.0")),
        sha256(b"another one")
    );
    assert_eq!(error, expected);
    assert_eq!(trial.host.addresses().len(), 1, "the index says so already");
    files.insert(format!("{REPOSITORY}/web-1.0.0.tgz"), packed("6.6.6"));
    let error = trial.obtain(&web("1.0.0"), None, answer(&files)).await.unwrap_err();
    let (found, promised) = (sha256(&packed("6.6.6")), sha256(&packed("1.0.0")));
    assert_eq!(
        error,
        format!("{REPOSITORY}/web-1.0.0.tgz has the sha256 {found}, but {promised} is promised")
    );
    assert!(!trial.folder.path().join("sha256").exists(), "nothing of it is kept");
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let trial = Trial::new().await;
    for (status, body, expected) in [
        (404, "", "could not be read: 404 Not Found"),
        (410, "", "could not be read: 404 Not Found"),
        (500, "", "could not be read: 500 Internal Server Error"),
        (418, "{\"message\": \"short and stout\"}", "could not be read: 418 I'm a teapot, short and stout"),
        (200, "\n<!doctype html>", "is a page for people, and no index of a repository"),
        (200, "", "has no `entries`, as the index of a repository has"),
    ] {
        let error = trial.obtain(&web("1.0.0"), None, |_| Reply::new(status, body)).await.unwrap_err();
        assert_eq!(error, format!("{REPOSITORY}/index.yaml {expected}"));
    }
    let broken = trial.obtain(&web("1.0.0"), None, |_| Reply::new(200, "entries: [")).await.unwrap_err();
    assert!(broken.starts_with(&format!("the index of {REPOSITORY} cannot be read: ")), "{broken}");
    let files = BTreeMap::from([
        (format!("{REPOSITORY}/index.yaml"), b"entries: {web: [{version: 1.0.0, urls: [x]}]}".to_vec()),
        (format!("{REPOSITORY}/x"), b"<!doctype html>".to_vec()),
    ]);
    let error = trial.obtain(&web("1.0.0"), None, answer(&files)).await.unwrap_err();
    assert!(error.starts_with(&format!("{REPOSITORY}/x is no chart: ")), "{error}");
}

#[tokio::test]
async fn an_archive_without_a_repository_is_fetched_by_its_address() {
    let trial = Trial::new().await;
    let address = "http://files.example.com/web.tgz";
    let files = BTreeMap::from([(address.to_owned(), packed("2.0.0"))]);
    let reference = Reference::new(None, address, None).unwrap();
    let obtained = trial.obtain(&reference, None, answer(&files)).await.unwrap();
    assert_eq!(obtained.version, "2.0.0");
    let lock = locked(&reference, "2.0.0", b"another one");
    let error = trial.obtain(&reference, Some(&lock), answer(&files)).await.unwrap_err();
    assert!(error.contains("but charts.lock says"), "{error}");
}

#[tokio::test]
async fn of_a_download_that_breaks_off_nothing_is_kept() {
    let trial = Trial::new().await;
    let files = repository(&["1.0.0"]);
    let breaks = |asked: &Asked| {
        let reply = answer(&files)(asked);
        if asked.address.contains("/web-") { reply.broken_after(20) } else { reply }
    };
    let error = trial.obtain(&web("1.0.0"), None, breaks).await.unwrap_err();
    assert!(error.contains("web-1.0.0.tgz could not be read: the answer broke off: "), "{error}");
    assert!(!trial.folder.path().join("sha256").exists());
    let once = std::cell::Cell::new(true);
    let breaks_once = |asked: &Asked| {
        if asked.address.contains("/web-") && once.replace(false) {
            breaks(asked)
        } else {
            answer(&files)(asked)
        }
    };
    assert_eq!(trial.obtain(&web("1.0.0"), None, breaks_once).await.unwrap().version, "1.0.0");
}

#[tokio::test]
async fn two_programs_at_once_get_the_same() {
    let trial = Trial::new().await;
    let files = repository(&["1.0.0"]);
    let (one, other) = (trial.charts(), trial.charts());
    let reference = web("1.0.0");
    let both = async { tokio::join!(one.obtain(&reference, None), other.obtain(&reference, None)) };
    let (one, other) = trial.host.during(both, answer(&files)).await;
    assert_eq!(one.unwrap(), other.unwrap());
}

#[tokio::test]
async fn a_repository_that_wants_a_password_gets_it_only_where_nobody_listens() {
    let trial = Trial::new().await;
    let logins =
        "{\"auths\": {\"charts.example.com\": {\"auth\": \"YTpi\"}, \"localhost\": {\"auth\": \"YTpi\"}}}";
    fs::write(trial.folder.path().join("config.json"), logins).unwrap();
    let secret = |asked: &Asked| match asked.header("authorization") {
        Some("Basic YTpi") => answer(&here(&repository(&["1.0.0"])))(asked),
        _ => Reply::new(401, "").with("www-authenticate", "Basic realm=\"x\""),
    };
    let error = trial.obtain(&web("1.0.0"), None, secret).await.unwrap_err();
    assert_eq!(
        error,
        "charts.example.com does not let anybody in: it wants a password, and is not asked by TLS"
    );
    let reference = Reference::new(Some("http://localhost/stable"), "web", Some("1.0.0")).unwrap();
    assert_eq!(trial.obtain(&reference, None, secret).await.unwrap().version, "1.0.0");
    let other = Reference::new(Some("http://other.example.com"), "web", Some("1.0.0")).unwrap();
    let error = trial.obtain(&other, None, secret).await.unwrap_err();
    assert_eq!(error, "other.example.com does not let anybody in: 401 Unauthorized");
}

/// The same repository on this machine.
fn here(files: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    let moved = |address: &String| address.replace("charts.example.com", "localhost");
    files.iter().map(|(address, bytes)| (moved(address), bytes.clone())).collect()
}

/// A registry with some versions of a chart, two tags a page, for who has a token.
fn registry(versions: &'static [&'static str]) -> impl Fn(&Asked) -> Reply {
    move |asked| {
        let path = asked.address.strip_prefix("http://localhost:5000").expect("only the registry is asked");
        if path.starts_with("/token") {
            assert_eq!(path, "/token?service=registry&scope=repository%3Acharts%2Fweb%3Apull");
            return Reply::new(200, "{\"access_token\": \"t0\"}");
        }
        if asked.header("authorization") != Some("Bearer t0") {
            let wanted = "Bearer realm=\"http://localhost:5000/token\",service=\"registry\",\
                          scope=\"repository:charts/web:pull\"";
            return Reply::new(401, "{\"errors\": []}").with("www-authenticate", wanted);
        }
        let path = path.strip_prefix("/v2/charts/web/").expect("only the chart is asked for");
        if let Some(rest) = path.strip_prefix("tags/list") {
            let start = versions.iter().position(|tag| rest.ends_with(tag)).map_or(0, |last| last + 1);
            let page: Vec<_> = versions.iter().skip(start).take(2).collect();
            let reply = Reply::new(200, serde_json::json!({"name": "charts/web", "tags": page}).to_string());
            return match page.last().filter(|_| start + 2 < versions.len()) {
                Some(last) => {
                    reply.with("link", &format!("</v2/charts/web/tags/list?n=2&last={last}>; rel=\"next\""))
                }
                None => reply,
            };
        }
        if let Some(tag) = path.strip_prefix("manifests/").filter(|tag| versions.contains(tag)) {
            assert_eq!(asked.header("accept"), Some("application/vnd.oci.image.manifest.v1+json"));
            return Reply::new(200, manifest(&packed(&tag.replace('_', "+"))));
        }
        let blob = path.strip_prefix("blobs/sha256:").and_then(|digest| {
            let archives = versions.iter().map(|tag| packed(&tag.replace('_', "+")));
            archives.into_iter().find(|archive| sha256(archive) == digest)
        });
        blob.map_or_else(|| Reply::new(404, "{\"errors\": []}"), |archive| Reply::new(200, archive))
    }
}

fn manifest(archive: &[u8]) -> String {
    serde_json::json!({
        "schemaVersion": 2,
        "config": {"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": "sha256:0", "size": 2},
        "layers": [
            {"mediaType": "application/vnd.cncf.helm.chart.provenance.v1.prov", "digest": "sha256:1", "size": 1},
            {
                "mediaType": "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
                "digest": format!("sha256:{}", sha256(archive)),
                "size": archive.len(),
            },
        ],
    })
    .to_string()
}

fn registered(wanted: &str) -> Reference {
    Reference::new(None, "oci://localhost:5000/charts/web", Some(wanted)).unwrap()
}

const TAGS: &[&str] = &["1.0.0", "latest", "1.2.0_b1", "1.3.0-rc.1", "sha256-0.sig", "0.9.0"];

#[tokio::test]
async fn a_registry_is_asked_with_a_token() {
    let trial = Trial::new().await;
    let obtained = trial.obtain(&registered("1.0.0"), None, registry(TAGS)).await.unwrap();
    assert_eq!((obtained.version.as_str(), obtained.sha256), ("1.0.0", sha256(&packed("1.0.0"))));
    let asked = trial.host.addresses();
    assert_eq!(asked.len(), 4, "the refusal, the token, the manifest, the archive: {asked:?}");
    assert_eq!(trial.obtain(&registered("1.0.0"), None, nobody).await.unwrap().version, "1.0.0");
    let newest = trial.newest(&registered("~1.2-0"), registry(TAGS)).await.unwrap();
    assert_eq!((newest.version.as_str(), newest.sha256), ("1.2.0+b1", sha256(&packed("1.2.0+b1"))));
    assert_eq!(trial.newest(&registered("<1"), registry(TAGS)).await.unwrap().version, "0.9.0");
}

#[tokio::test]
async fn what_a_registry_does_not_have_is_named() {
    let trial = Trial::new().await;
    let error = trial.obtain(&registered("7.0.0"), None, registry(TAGS)).await.unwrap_err();
    assert_eq!(
        error,
        "oci://localhost:5000/charts has no version of web that is 7.0.0; the newest is 1.3.0-rc.1"
    );
    let error = trial.newest(&registered("^7"), registry(&[])).await.unwrap_err();
    assert_eq!(error, "oci://localhost:5000/charts has no chart web");
    let part = serde_json::json!({"mediaType": "application/x-layer", "digest": "sha256:0", "size": 1});
    let image = serde_json::json!({"schemaVersion": 2, "config": &part, "layers": [&part]});
    let empty = serde_json::json!({"schemaVersion": 2, "config": &part, "layers": []});
    for (body, expected) in [
        (image.to_string(), "has no chart in it, but application/x-layer"),
        (empty.to_string(), "has no chart in it, but nothing"),
        ("{}".to_owned(), "is no manifest of a chart: "),
        (manifest(b"").replace("sha256:e3", "sha512:e3"), "names its chart by sha512:e3"),
    ] {
        let error = trial.obtain(&registered("1.0.0"), None, |_| Reply::new(200, body.as_str())).await;
        let error = error.unwrap_err();
        let start = format!("http://localhost:5000/v2/charts/web/manifests/1.0.0 {expected}");
        assert!(error.starts_with(&start), "{error}");
    }
}

#[tokio::test]
async fn a_tag_that_was_moved_is_told() {
    let trial = Trial::new().await;
    let lock = locked(&registered("^1"), "1.0.0", b"what it was");
    let error = trial.obtain(&registered("^1"), Some(&lock), registry(TAGS)).await.unwrap_err();
    assert!(error.ends_with(&format!("but charts.lock says {}", sha256(b"what it was"))), "{error}");
}

#[tokio::test]
async fn a_blob_that_is_another_one_is_refused() {
    let trial = Trial::new().await;
    let answer = |asked: &Asked| {
        let is_manifest = asked.address.contains("/manifests/");
        Reply::new(200, if is_manifest { manifest(&packed("1.0.0")).into_bytes() } else { packed("6.6.6") })
    };
    let error = trial.obtain(&registered("1.0.0"), None, answer).await.unwrap_err();
    assert!(error.contains(&sha256(&packed("6.6.6"))) && error.ends_with("is promised"), "{error}");
}
