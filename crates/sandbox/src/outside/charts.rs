//! The repository of charts that the chart of the load balancer controller comes from: a stand-in of it, in several
//! versions.

use std::fmt::Write;
use std::sync::LazyLock;

use data_encoding::HEXLOWER;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use crate::server::Outgoing;

/// Where the repository is.
pub(super) const HOST: &str = "aws.github.io";
/// What its paths begin with.
const PATH: &str = "/eks-charts/";
/// The chart's name.
const CHART: &str = "aws-load-balancer-controller";

/// The versions of the chart with those of the controller, which belong together so ("Chart versions", eks-charts).
const VERSIONS: [(&str, &str); 6] = [
    ("3.5.0", "v3.5.0"),
    ("3.0.0", "v3.0.0"),
    ("1.14.1", "v2.14.1"),
    ("1.13.4", "v2.13.4"),
    ("1.8.2", "v2.8.2"),
    ("1.5.5", "v2.5.4"),
];

/// The files of the chart that are the same in all versions.
const FILES: &[(&str, &str)] = &[
    ("values.yaml", include_str!("../../chart/values.yaml")),
    ("values.schema.json", include_str!("../../chart/values.schema.json")),
    ("templates/_helpers.tpl", include_str!("../../chart/templates/_helpers.tpl")),
    ("templates/serviceaccount.yaml", include_str!("../../chart/templates/serviceaccount.yaml")),
    ("templates/rbac.yaml", include_str!("../../chart/templates/rbac.yaml")),
    ("templates/service.yaml", include_str!("../../chart/templates/service.yaml")),
    ("templates/deployment.yaml", include_str!("../../chart/templates/deployment.yaml")),
    ("templates/webhook.yaml", include_str!("../../chart/templates/webhook.yaml")),
    ("templates/ingressclass.yaml", include_str!("../../chart/templates/ingressclass.yaml")),
    ("templates/pdb.yaml", include_str!("../../chart/templates/pdb.yaml")),
    ("templates/NOTES.txt", include_str!("../../chart/templates/NOTES.txt")),
];

/// The kinds that the chart defines, with marks at what came later.
const DEFINITIONS: &str = include_str!("../../chart/crds/crds.yaml");

/// A packed chart.
struct Packed {
    file: String,
    bytes: Vec<u8>,
    version: &'static str,
    of_controller: &'static str,
}

/// The packed charts.
static PACKED: LazyLock<Vec<Packed>> = LazyLock::new(|| {
    let packed = |(version, of_controller)| {
        let (file, bytes) = (format!("{CHART}-{version}.tgz"), pack(version, of_controller));
        Packed { file, bytes, version, of_controller }
    };
    VERSIONS.into_iter().map(packed).collect()
});

/// Answers a request to the repository; `None` if it has nothing there.
pub(super) fn answer(path: &str) -> Option<Outgoing> {
    let file = path.strip_prefix(PATH)?;
    if file == "index.yaml" {
        return Some(Outgoing::new(200, "text/yaml", index().into_bytes()));
    }
    let packed = PACKED.iter().find(|packed| packed.file == file)?;
    Some(Outgoing::new(200, "application/gzip", packed.bytes.clone()))
}

/// Returns the index, the newest version first.
fn index() -> String {
    let mut index = format!("apiVersion: v1\nentries:\n  {CHART}:\n");
    for Packed { file, bytes, version, of_controller } in PACKED.iter() {
        let digest = HEXLOWER.encode(&Sha256::digest(bytes));
        let entry = format!(
            "  - apiVersion: v2\n    appVersion: {of_controller}\n    created: \"2026-01-01T00:00:00Z\"\n    description: \
             A stand-in of the AWS Load Balancer Controller for the sandbox\n    digest: {digest}\n    name: {CHART}\n    \
             type: application\n    urls:\n    - https://{HOST}{PATH}{file}\n    version: {version}\n"
        );
        index.push_str(&entry);
    }
    index.push_str("generated: \"2026-01-01T00:00:00Z\"\n");
    index
}

/// Packs a version of the chart; the same files give the same bytes.
fn pack(version: &str, of_controller: &str) -> Vec<u8> {
    let mut head = String::from("apiVersion: v2\n");
    write!(
        head,
        "name: {CHART}\ndescription: A stand-in of the AWS Load Balancer Controller for the sandbox\ntype: application\n\
         version: {version}\nappVersion: {of_controller}\n"
    )
    .expect("a text can be written to");
    let definitions = definitions(of_controller);
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    let own = [("Chart.yaml", head.as_str()), ("crds/crds.yaml", definitions.as_str())];
    for (path, text) in own.into_iter().chain(FILES.iter().copied()) {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        archive
            .append_data(&mut header, format!("{CHART}/{path}"), text.as_bytes())
            .expect("it is written to memory");
    }
    let packed = archive.into_inner().and_then(GzEncoder::finish);
    packed.expect("it is written to memory")
}

/// Returns the definitions without what came after a version of the controller.
fn definitions(of_controller: &str) -> String {
    let number = |text: &str| {
        let mut parts =
            text.trim_start_matches('v').split('.').map(|part| part.parse::<u64>().unwrap_or_default());
        (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
    };
    let (mut kept, mut is_in) = (String::new(), true);
    for line in DEFINITIONS.lines() {
        match line.trim().strip_prefix("# ") {
            Some("end") => is_in = true,
            Some(mark) => {
                let since = mark.strip_prefix("since ");
                is_in = since.is_none_or(|since| number(since) <= number(of_controller));
            }
            None if is_in => kept.extend([line, "\n"]),
            None => {}
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Read;

    use flate2::read::GzDecoder;
    use serde_json::Value;

    use super::*;

    fn files(packed: &[u8]) -> BTreeMap<String, String> {
        let mut archive = tar::Archive::new(GzDecoder::new(packed));
        let entries = archive.entries().expect("it is an archive");
        let read = |entry: Result<tar::Entry<'_, _>, _>| {
            let mut entry: tar::Entry<'_, GzDecoder<&[u8]>> = entry.expect("it has entries");
            let mut text = String::new();
            entry.read_to_string(&mut text).expect("it is text");
            let path = entry.path().expect("it has a path").display().to_string();
            (path.trim_start_matches(&format!("{CHART}/")).to_owned(), text)
        };
        entries.map(read).collect()
    }

    #[test]
    fn the_index_names_what_is_there() {
        let index = answer("/eks-charts/index.yaml").expect("it has an index");
        let index: Value = serde_saphyr::from_slice(&index.body).expect("it is YAML");
        let entries = index["entries"][CHART].as_array().expect("it has the chart");
        assert_eq!(entries.len(), VERSIONS.len());
        for entry in entries {
            let url = entry["urls"][0].as_str().expect("it has an address");
            let path = url.strip_prefix("https://aws.github.io").expect("it is in the repository");
            let chart = answer(path).expect("it is there").body;
            assert_eq!(entry["digest"], HEXLOWER.encode(&Sha256::digest(&chart)));
            let files = files(&chart);
            let head: Value = serde_saphyr::from_str(&files["Chart.yaml"]).expect("it is YAML");
            assert_eq!((&head["version"], &head["appVersion"]), (&entry["version"], &entry["appVersion"]));
            assert!(serde_json::from_str::<Value>(&files["values.schema.json"]).is_ok());
        }
        assert_eq!(answer("/eks-charts/other-1.0.0.tgz"), None);
        assert_eq!(answer("/"), None);
    }

    #[test]
    fn kinds_have_what_their_version_has() {
        let has = |version: &str, field: &str| definitions(version).contains(field);
        assert!(!has("v2.8.2", "multiClusterTargetGroup") && has("v2.10.0", "multiClusterTargetGroup"));
        assert!(!has("v2.11.0", "iamRoleArnToAssume") && has("v3.0.0", "iamRoleArnToAssume"));
        for (_, of_controller) in VERSIONS {
            let all: Vec<Value> =
                serde_saphyr::from_multiple(&definitions(of_controller)).expect("it is YAML");
            assert_eq!(all.len(), 2);
        }
    }
}
