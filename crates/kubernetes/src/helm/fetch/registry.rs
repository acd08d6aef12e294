//! Registries: what keeps images of containers keeps charts as well.
//!
//! Source: <https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pull> and
//! <https://helm.sh/docs/topics/registries/>.

use oci_client::manifest::{OCI_IMAGE_MEDIA_TYPE, OciImageManifest};
use serde::Deserialize;
use straddle_web::header::LINK;
use straddle_web::{Answer, Url};

use super::reference::Name;
use super::visit::Visit;
use super::{FetchError, Offer, Reference, choose, newest};
use crate::helm::version::{Constraint, Version};

/// The types that the archive of a chart has had.
const ARCHIVES: [&str; 2] = ["application/vnd.cncf.helm.chart.content.v1.tar+gzip", "application/tar+gzip"];
/// The most that a manifest or a list of tags may have, in bytes: what registries take.
const LARGEST_DOCUMENT: usize = 4 << 20;
/// How many pages a list of tags may have.
const MOST_PAGES: usize = 100;

#[derive(Deserialize)]
struct Tags {
    /// A registry without tags may answer null.
    tags: Option<Vec<String>>,
}

/// Finds the newest version of a chart that is wanted.
pub(super) async fn offer(
    visit: &mut Visit<'_>,
    name: &Name,
    reference: &Reference,
    wanted: &str,
) -> Result<Offer, FetchError> {
    // One that is named as such needs no list of what there is.
    let version = if Version::is_whole(wanted) {
        wanted.to_owned()
    } else {
        newest_tag(visit, name, reference, wanted).await?
    };
    // A tag can have no plus.
    let address = name.address(&format!("manifests/{}", version.replace('+', "_")))?;
    let Some(answer) = visit.find(&address, Some(OCI_IMAGE_MEDIA_TYPE), LARGEST_DOCUMENT).await? else {
        return Err(missing(visit, name, reference, &version).await);
    };
    let wrong = |problem: String| FetchError::Answer { address: address.to_string(), problem };
    let manifest: OciImageManifest =
        read(&answer).map_err(|problem| wrong(format!("is no manifest of a chart: {problem}")))?;
    let layer = manifest.layers.iter().find(|layer| ARCHIVES.contains(&layer.media_type.as_str()));
    let Some(layer) = layer else {
        let types: Vec<_> = manifest.layers.iter().map(|layer| layer.media_type.as_str()).collect();
        let found = if types.is_empty() { "nothing".to_owned() } else { types.join(", ") };
        return Err(wrong(format!("has no chart in it, but {found}")));
    };
    let Some(sha256) = layer.digest.strip_prefix("sha256:") else {
        return Err(wrong(format!("names its chart by {}, and not by its sha256", layer.digest)));
    };
    let address = name.address(&format!("blobs/{}", layer.digest))?;
    Ok(Offer { version, address, sha256: Some(sha256.to_owned()) })
}

impl Name {
    fn address(&self, what: &str) -> Result<Url, FetchError> {
        let written = format!("v2/{}/{what}", self.path);
        self.registry.join(&written).map_err(|problem| FetchError::Address {
            address: format!("{}{written}", self.registry),
            problem: problem.to_string(),
        })
    }
}

async fn newest_tag(
    visit: &mut Visit<'_>,
    name: &Name,
    reference: &Reference,
    wanted: &str,
) -> Result<String, FetchError> {
    let constraint =
        Constraint::parse(wanted).map_err(|_| FetchError::Constraint { wanted: wanted.to_owned() })?;
    let versions = versions(visit, name, reference).await?;
    match choose(&versions, wanted, &constraint) {
        Some(found) => Ok(versions[found].original().to_owned()),
        None => Err(none_of(&versions, reference, wanted)),
    }
}

/// Says what there is in the place of a version that is not there.
async fn missing(visit: &mut Visit<'_>, name: &Name, reference: &Reference, wanted: &str) -> FetchError {
    match versions(visit, name, reference).await {
        Ok(versions) => none_of(&versions, reference, wanted),
        Err(error) => error,
    }
}

fn none_of(versions: &[Version], reference: &Reference, wanted: &str) -> FetchError {
    let (repository, chart) = (reference.source().to_owned(), reference.chart().to_owned());
    match newest(versions) {
        None => FetchError::Chart { repository, chart },
        Some(newest) => {
            let newest = newest.original().to_owned();
            FetchError::Version { repository, chart, wanted: wanted.to_owned(), newest }
        }
    }
}

/// Returns the tags that are versions, page by page.
async fn versions(
    visit: &mut Visit<'_>,
    name: &Name,
    reference: &Reference,
) -> Result<Vec<Version>, FetchError> {
    let mut address = name.address("tags/list")?;
    let mut versions = Vec::new();
    for _ in 0..MOST_PAGES {
        let Some(answer) = visit.find(&address, None, LARGEST_DOCUMENT).await? else {
            let (repository, chart) = (reference.source().to_owned(), reference.chart().to_owned());
            return Err(FetchError::Chart { repository, chart });
        };
        let tags: Tags = read(&answer).map_err(|problem| FetchError::Answer {
            address: address.to_string(),
            problem: format!("is no list of tags: {problem}"),
        })?;
        let found = tags.tags.unwrap_or_default();
        versions.extend(found.iter().filter_map(|tag| Version::parse(&tag.replace('_', "+")).ok()));
        match next_page(&answer, &address) {
            Some(next) => address = next,
            None => return Ok(versions),
        }
    }
    let problem = format!("goes on after {MOST_PAGES} pages");
    Err(FetchError::Answer { address: address.to_string(), problem })
}

/// Returns where a list goes on: `</v2/web/tags/list?last=1.0.0>; rel="next"`.
fn next_page(answer: &Answer, address: &Url) -> Option<Url> {
    let link = answer.headers.get(LINK)?.to_str().ok()?;
    let (target, relation) = link.strip_prefix('<')?.split_once('>')?;
    let next = address.join(target).ok().filter(|_| relation.contains("next"))?;
    (next.origin() == address.origin()).then_some(next)
}

fn read<T: serde::de::DeserializeOwned>(answer: &Answer) -> Result<T, String> {
    serde_json::from_slice(&answer.body).map_err(|error| error.to_string())
}
