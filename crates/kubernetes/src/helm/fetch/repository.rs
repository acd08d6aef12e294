//! Repositories: folders of archives on the web, with an `index.yaml` that lists them.
//!
//! Source: <https://helm.sh/docs/topics/chart_repository/#the-index-file>.

use serde_json::Value;
use straddle_web::{Answer, Url};

use super::visit::Visit;
use super::{FetchError, Offer, Reference, choose, newest};
use crate::helm::version::{Constraint, Version};
use crate::helm::yaml::document;

/// The most that an index may have, in bytes.
const LARGEST_INDEX: usize = 64 << 20;

/// Finds the newest version of a chart that is wanted.
pub(super) async fn offer(
    visit: &mut Visit<'_>,
    base: &Url,
    reference: &Reference,
    wanted: &str,
) -> Result<Offer, FetchError> {
    let address = base.join("index.yaml").map_err(|problem| FetchError::Address {
        address: reference.source().to_owned(),
        problem: problem.to_string(),
    })?;
    let answer = visit.get(&address, None, LARGEST_INDEX).await?;
    if is_page(&answer) {
        let problem = "is a page for people, and no index of a repository".to_owned();
        return Err(FetchError::Answer { address: address.to_string(), problem });
    }
    let index = document(&String::from_utf8_lossy(&answer.body))
        .map_err(|source| FetchError::Index { repository: reference.source().to_owned(), source })?;
    // Addresses in it are meant from where it came from in the end.
    find(&index, &answer.address, reference, wanted)
}

fn is_page(answer: &Answer) -> bool {
    let start = answer.body.iter().copied().find(|byte| !byte.is_ascii_whitespace());
    start == Some(b'<')
}

fn find(index: &Value, base: &Url, reference: &Reference, wanted: &str) -> Result<Offer, FetchError> {
    let (repository, chart) = (reference.source().to_owned(), reference.chart().to_owned());
    if !index["entries"].is_object() {
        let problem = "has no `entries`, as the index of a repository has".to_owned();
        return Err(FetchError::Answer { address: base.to_string(), problem });
    }
    let missing = || FetchError::Chart { repository: repository.clone(), chart: chart.clone() };
    let entries = index["entries"][&chart].as_array().ok_or_else(missing)?;
    let (versions, entries): (Vec<_>, Vec<_>) = entries
        .iter()
        .filter_map(|entry| Some((Version::parse(entry["version"].as_str()?).ok()?, entry)))
        .unzip();
    let newest = newest(&versions).ok_or_else(missing)?.original().to_owned();
    let constraint =
        Constraint::parse(wanted).map_err(|_| FetchError::Constraint { wanted: wanted.to_owned() })?;
    let Some(found) = choose(&versions, wanted, &constraint) else {
        return Err(FetchError::Version { repository, chart, wanted: wanted.to_owned(), newest });
    };
    let (version, entry) = (versions[found].original().to_owned(), entries[found]);
    let Some(written) = entry["urls"][0].as_str() else {
        let problem = format!("does not say where {chart} {version} is");
        return Err(FetchError::Answer { address: base.to_string(), problem });
    };
    let error = |problem: String| FetchError::Address { address: written.to_owned(), problem };
    let address = base.join(written).map_err(|problem| error(problem.to_string()))?;
    if !matches!((base.scheme(), address.scheme()), (_, "https") | ("http", "http")) {
        return Err(error(format!("the index came by {}", base.scheme())));
    }
    let sha256 = entry["digest"].as_str().map(|digest| digest.trim_start_matches("sha256:").to_lowercase());
    Ok(Offer { version, address, sha256: sha256.filter(|digest| !digest.is_empty()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const INDEX: &str = "\
apiVersion: v1
entries:
  web:
  - {version: 1.9.0, urls: [web-1.9.0.tgz], digest: 6A3A}
  - {version: 1.10.1, urls: ['https://other.example.com/web-1.10.1.tgz']}
  - {version: 2.0.0-rc.1, urls: [../web-2.0.0-rc.1.tgz]}
  - {version: nonsense, urls: [x]}
  - {version: 0.3.0}
  - {version: 0.2.0, urls: ['http://plain.example.com/web.tgz']}
  - {version: 0.1.0+a, urls: [a]}
  - {version: 0.1.0+b, urls: [b]}
";

    fn found(index: &str, chart: &str, wanted: &str) -> String {
        let base = Url::parse("https://charts.example.com/stable/index.yaml").unwrap();
        let reference = Reference::new(Some("https://charts.example.com/stable"), chart, None).unwrap();
        match find(&document(index).unwrap(), &base, &reference, wanted) {
            Ok(offer) => format!("{} {}", offer.version, offer.address),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_newest_version_that_is_allowed_is_found() {
        for (wanted, expected) in [
            ("1.9.0", "1.9.0 https://charts.example.com/stable/web-1.9.0.tgz"),
            ("^1.2", "1.10.1 https://other.example.com/web-1.10.1.tgz"),
            ("", "1.10.1 https://other.example.com/web-1.10.1.tgz"),
            (">=1.0-0", "2.0.0-rc.1 https://charts.example.com/web-2.0.0-rc.1.tgz"),
            ("2.0.0-rc.1", "2.0.0-rc.1 https://charts.example.com/web-2.0.0-rc.1.tgz"),
            ("0.1.0+b", "0.1.0+b https://charts.example.com/stable/b"),
            (
                "3.x",
                "https://charts.example.com/stable has no version of web that is 3.x; the newest is 2.0.0-rc.1",
            ),
            ("0.3.0", "https://charts.example.com/stable/index.yaml does not say where web 0.3.0 is"),
            ("0.2.0", "http://plain.example.com/web.tgz is no address of a chart: the index came by https"),
        ] {
            assert_eq!(found(INDEX, "web", wanted), expected, "{wanted}");
        }
    }

    #[test]
    fn what_is_not_there_is_named() {
        assert_eq!(found(INDEX, "db", "*"), "https://charts.example.com/stable has no chart db");
        for index in ["entries: []", "a: 1", "just text"] {
            let expected = "https://charts.example.com/stable/index.yaml has no `entries`, as the index of a repository has";
            assert_eq!(found(index, "web", "*"), expected, "{index}");
        }
    }
}
