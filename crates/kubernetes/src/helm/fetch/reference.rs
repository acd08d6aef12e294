//! What a spec says of where a chart comes from.

use straddle_web::Url;

use super::FetchError;
use crate::helm::lock::LockedChart;
use crate::helm::version::{Constraint, Version};

/// A chart as a spec names it: where it comes from, what it is called, and which versions will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    source: String,
    chart: String,
    wanted: String,
    place: Place,
}

/// Where a chart is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In a repository, with an `index.yaml` under this address, which ends with a slash.
    Repository(Url),
    /// In a registry.
    Registry(Name),
    /// There, without anybody who lists it.
    Archive(Url),
}

/// The name of a chart in a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    /// Where the registry is, with a slash at the end.
    pub(super) registry: Url,
    /// What the chart is called there: `charts/web`.
    pub(super) path: String,
}

impl Reference {
    /// Reads what a spec says. A chart in a registry has its address as its name, or that of the folder as its
    /// repository; one that has no repository but an address of its own is an archive. A spec that names no
    /// version takes any.
    ///
    /// # Errors
    /// It is no address, or no version.
    pub fn new(repository: Option<&str>, chart: &str, version: Option<&str>) -> Result<Self, FetchError> {
        let wanted = version.unwrap_or_default().trim().to_owned();
        if Constraint::parse(&wanted).is_err() {
            return Err(FetchError::Constraint { wanted });
        }
        let (source, chart) = match repository {
            Some(repository) => (repository.trim_end_matches('/').to_owned(), chart.to_owned()),
            None if chart.starts_with("oci://") => {
                let (source, name) = chart["oci://".len()..].trim_end_matches('/').rsplit_once('/').unzip();
                let source = source.map_or_else(|| chart.to_owned(), |source| format!("oci://{source}"));
                (source, name.unwrap_or_default().to_owned())
            }
            None => {
                let name = chart.rsplit('/').next().unwrap_or_default();
                (chart.to_owned(), name.split('?').next().unwrap_or_default().to_owned())
            }
        };
        let place = place(&source, &chart, repository.is_some());
        let place = place.map_err(|problem| FetchError::Address { address: source.clone(), problem })?;
        Ok(Self { source, chart, wanted, place })
    }

    /// Whether a chart is somewhere else than in a folder, by what a spec says of it.
    #[must_use]
    pub fn is_remote(repository: Option<&str>, chart: &str) -> bool {
        repository.is_some() || chart.contains("://")
    }

    /// Returns where it comes from, as the lock file says it.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Returns what it is called.
    #[must_use]
    pub fn chart(&self) -> &str {
        &self.chart
    }

    /// Returns the versions that will do, as the spec says it; empty if all will.
    #[must_use]
    pub fn wanted(&self) -> &str {
        &self.wanted
    }

    /// Whether one version is named, and not what a version has to be like.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        matches!(self.place, Place::Archive(_)) || Version::is_whole(&self.wanted)
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Returns who is asked.
    pub(super) fn origin(&self) -> &Url {
        match &self.place {
            Place::Repository(address) | Place::Archive(address) => address,
            Place::Registry(name) => &name.registry,
        }
    }

    pub(super) fn not_locked(&self) -> FetchError {
        FetchError::NotLocked { chart: self.chart.clone(), wanted: self.wanted.clone() }
    }

    /// Says that a lock file does not have it.
    #[must_use]
    pub fn absent(&self) -> FetchError {
        FetchError::Absent { chart: self.chart.clone(), wanted: self.wanted.clone() }
    }

    /// Whether an archive with this sha256 is the one that was locked.
    pub(super) fn compare(&self, locked: &LockedChart, sha256: &str) -> Result<(), FetchError> {
        if locked.sha256 == sha256 {
            return Ok(());
        }
        Err(FetchError::Changed {
            chart: self.chart.clone(),
            version: locked.version.clone(),
            repository: self.source.clone(),
            expected: locked.sha256.clone(),
            found: sha256.to_owned(),
        })
    }
}

fn place(source: &str, chart: &str, is_listed: bool) -> Result<Place, String> {
    if chart.is_empty() {
        return Err("it names no chart".to_owned());
    }
    if chart.contains('/') {
        return Err(format!("`{chart}` is no name of a chart"));
    }
    let registry = source.strip_prefix("oci://");
    let (host, path) = registry.map_or(("", ""), |rest| rest.split_once('/').unwrap_or((rest, "")));
    let path = if path.is_empty() { chart.to_owned() } else { format!("{path}/{chart}") };
    let written = match registry {
        Some(_) => {
            let problem = || format!("`{path}` is no name of a chart in a registry");
            let image: oci_client::Reference = format!("{host}/{path}").parse().map_err(|_| problem())?;
            if image.registry() != host || image.repository() != path {
                return Err(problem());
            }
            let host = image.resolve_registry();
            format!("{}://{host}/", if is_here(host) { "http" } else { "https" })
        }
        // Without the slash, the last part of the address would be replaced and not followed.
        None if is_listed => format!("{source}/"),
        None => source.to_owned(),
    };
    let address = Url::parse(&written).map_err(|problem| problem.to_string())?;
    if !matches!(address.scheme(), "http" | "https") {
        return Err(format!("{} is none of http, https and oci", address.scheme()));
    }
    if !address.username().is_empty() || address.password().is_some() {
        return Err("a name or a password does not belong into it".to_owned());
    }
    Ok(match registry {
        None if is_listed => Place::Repository(address),
        None => Place::Archive(address),
        Some(_) => Place::Registry(Name { registry: address, path }),
    })
}

/// Whether a host is this machine: what is said to it nobody else can hear.
pub(super) fn is_here(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name == "localhost" || name.parse().is_ok_and(|address: std::net::Ipv4Addr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(repository: Option<&str>, chart: &str) -> String {
        match Reference::new(repository, chart, Some("^1")) {
            Ok(reference) => format!("{} {} {:?}", reference.source, reference.chart, reference.place),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_chart_is_where_the_spec_says() {
        let registry = Reference::new(Some("oci://public.ecr.aws/aws/"), "web", None).unwrap();
        assert_eq!(Reference::new(None, "oci://public.ecr.aws/aws/web", None).unwrap(), registry);
        let Place::Registry(name) = registry.place() else { panic!("{registry:?}") };
        assert_eq!((name.registry.as_str(), name.path.as_str()), ("https://public.ecr.aws/", "aws/web"));
        let here = Reference::new(Some("oci://127.0.0.1:5000"), "web", None).unwrap();
        assert_eq!(here.origin().as_str(), "http://127.0.0.1:5000/");
        let listed = Reference::new(Some("https://charts.example.com/stable/"), "web", None).unwrap();
        assert_eq!(listed.origin().as_str(), "https://charts.example.com/stable/");
        let hub = Reference::new(Some("oci://docker.io/somebody"), "web", None).unwrap();
        assert_eq!(hub.origin().as_str(), "https://index.docker.io/");
        let archive = Reference::new(None, "https://example.com/a/web-1.0.0.tgz?raw=1", None).unwrap();
        assert_eq!((archive.chart(), archive.is_exact()), ("web-1.0.0.tgz", true));
    }

    #[test]
    fn what_is_no_address_is_told() {
        for (repository, chart, expected) in [
            (Some("ftp://x"), "web", "ftp://x is no address of a chart: ftp is none of http, https and oci"),
            (Some("nowhere"), "web", "nowhere is no address of a chart: relative URL without a base"),
            (
                Some("https://u:p@x.example.com"),
                "web",
                "https://u:p@x.example.com is no address of a chart: a name or a password does not belong into it",
            ),
            (
                None,
                "oci://x/Web",
                "oci://x is no address of a chart: `Web` is no name of a chart in a registry",
            ),
            (None, "oci://x", "oci://x is no address of a chart: it names no chart"),
            (
                None,
                "oci://x.example.com/web:1",
                "oci://x.example.com is no address of a chart: `web:1` is no name of a chart in a registry",
            ),
            (Some("https://x"), "a/b", "https://x is no address of a chart: `a/b` is no name of a chart"),
        ] {
            assert_eq!(read(repository, chart), expected);
        }
    }

    #[test]
    fn one_version_is_told_from_what_it_has_to_be_like() {
        for (wanted, is_exact) in
            [("1.2.3", true), ("v1.2.3-rc.1+x", true), ("1.2", false), ("^1.2.3", false), ("", false)]
        {
            let reference = Reference::new(Some("https://x"), "web", Some(wanted)).unwrap();
            assert_eq!(reference.is_exact(), is_exact, "{wanted}");
        }
        let error = Reference::new(Some("https://x"), "web", Some("soon")).unwrap_err().to_string();
        assert_eq!(error, "`soon` is neither a version nor a constraint on versions");
    }
}
