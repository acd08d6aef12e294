//! Loading a spec with everything that it is made of: its files, and charts from elsewhere.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use straddle_engine::diagnostic::{Diagnostic, Diagnostics, Severity};
use straddle_engine::outside::Outside;
use straddle_engine::spec::{LoadFailure, LoadRequest, Loaded, Spec, load};
use straddle_engine::supply::{Market, Supplier, Supply, Unsupplied};
use tempfile::TempDir;

use crate::arguments::ValueArguments;
use crate::commands::{Program, no_resources, runtime};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::own_sandbox::outside_of_environment;
use crate::stack::{show_warnings, variables};

/// A spec that is loaded as far as its own files go.
#[derive(Clone)]
pub(crate) struct Begun {
    pub(crate) request: LoadRequest,
    /// Without what is made of charts that are lacking. Its accounts are complete.
    pub(crate) spec: Spec,
    warnings: Diagnostics,
    /// What has to be fetched.
    pub(crate) lacking: BTreeSet<Supply>,
}

/// Loads a spec, fetches what it is made of, and shows warnings unless a program reads the output.
pub(crate) fn load_spec(
    program: &Program,
    path: &Path,
    values: &ValueArguments,
) -> Result<(Spec, Diagnostics), Failure> {
    begin(program, path, values)?.finish(program, outside_of_environment)
}

/// Loads a spec without fetching anything.
pub(crate) fn begin(program: &Program, path: &Path, values: &ValueArguments) -> Result<Begun, Failure> {
    let request = LoadRequest {
        path: path.to_owned(),
        environment: values.environment.clone(),
        variable_files: values.variable_files.clone(),
        variables: variables(values)?,
        ..LoadRequest::default()
    };
    Begun::new(program, request)
}

impl Begun {
    pub(crate) fn new(program: &Program, request: LoadRequest) -> Result<Self, Failure> {
        let LoadFailure { sources, diagnostics, lacking } = match load(&request, &program.registry) {
            Ok(Loaded { spec, warnings }) => {
                return Ok(Self { request, spec, warnings, lacking: BTreeSet::new() });
            }
            Err(failure) => *failure,
        };
        let Some(lacking) = lacking else {
            return Err(Failure { exit: Exit::Error, sources, diagnostics });
        };
        Ok(Self { request, spec: lacking.spec, warnings: diagnostics, lacking: lacking.supplies })
    }

    /// As [`Self::finish`], for who takes everything away: what cannot be had is left out, since the state knows all
    /// of it that has to be deleted.
    pub(crate) fn finish_to_end(
        self,
        program: &Program,
        outside: impl FnOnce() -> Result<Outside, Failure>,
    ) -> Result<(Spec, Diagnostics), Failure> {
        let whole = self.clone().finish(program, outside);
        let Err(failure) = whole else { return whole };
        if self.lacking.is_empty() {
            return Err(failure);
        }
        let is_warning = |diagnostic: &Diagnostic| diagnostic.severity == Severity::Warning;
        let mut warnings = Diagnostics::default();
        warnings.extend(self.warnings.into_iter().filter(is_warning));
        warnings.push(
            Diagnostic::warning("unfetched", "charts are left out").with_detail(format!(
                "{} What was made of them is deleted as the state has it.",
                why(&failure)
            )),
        );
        if !program.is_json {
            show_warnings(program, &self.spec.sources, &warnings);
        }
        Ok((self.spec, warnings))
    }

    /// Fetches what the spec lacks. With that it may turn out to lack more, so that this goes on until it lacks
    /// nothing; each round knows more than the one before.
    pub(crate) fn finish(
        self,
        program: &Program,
        outside: impl FnOnce() -> Result<Outside, Failure>,
    ) -> Result<(Spec, Diagnostics), Failure> {
        let Self { spec, warnings, .. } = self.complete(program, outside)?;
        Ok((spec, warnings))
    }

    /// As [`Self::finish`]. Its request has everything then that the spec is made of.
    pub(crate) fn complete(
        self,
        program: &Program,
        outside: impl FnOnce() -> Result<Outside, Failure>,
    ) -> Result<Self, Failure> {
        let mut begun = self;
        if !begun.lacking.is_empty() {
            let outside = outside()?;
            let storehouse = Storehouse::open(&outside)?;
            let supplier = supplier(program)?;
            let lock = read_lock(supplier, &begun.request.path)?;
            let market = storehouse.market(&outside, lock.as_deref());
            while !begun.lacking.is_empty() {
                let fetched = runtime()?.block_on(supplier.fetch(market, &begun.lacking));
                let fetched = fetched.map_err(|unsupplied| nothing_fetched(&unsupplied))?;
                begun.request.supplies.extend(fetched);
                begun = Self::new(program, begun.request)?;
            }
        }
        if !program.is_json {
            show_warnings(program, &begun.spec.sources, &begun.warnings);
        }
        Ok(begun)
    }
}

/// Returns why there are no charts, in sentences.
fn why(failure: &Failure) -> String {
    let details: BTreeSet<_> = failure.diagnostics.iter().map(|problem| problem.detail.as_str()).collect();
    details.into_iter().collect::<Vec<_>>().join(" ")
}

/// Returns who fetches charts.
pub(crate) fn supplier(program: &Program) -> Result<&dyn Supplier, Failure> {
    program.registry.supplier().ok_or_else(|| {
        Failure::error(
            Diagnostic::error("unfetched", "something has to be fetched first")
                .with_detail("This program was built without anything that fetches."),
        )
    })
}

/// Returns where the lock file of a spec is.
pub(crate) fn lock_path(supplier: &dyn Supplier, spec: &Path) -> PathBuf {
    let folder = if spec.is_dir() { spec } else { spec.parent().unwrap_or(Path::new("")) };
    folder.join(supplier.lock_file())
}

/// Returns the text of the lock file of a spec, if it has one.
pub(crate) fn read_lock(supplier: &dyn Supplier, spec: &Path) -> Result<Option<String>, Failure> {
    let path = lock_path(supplier, spec);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::file("read", &path, &error)),
    }
}

/// Describes what keeps anything from being fetched.
pub(crate) fn nothing_fetched(unsupplied: &Unsupplied) -> Failure {
    let problem = Diagnostic::error("fetch", "no charts can be fetched")
        .with_detail(format!("{}.", unsupplied.reason.trim_end_matches('.')));
    Failure::error(match &unsupplied.remedy {
        Some(remedy) => problem.with_hint(remedy),
        None => problem,
    })
}

/// Where what was fetched is kept, and the keys to where it comes from.
pub(crate) struct Storehouse {
    folder: PathBuf,
    logins: Vec<PathBuf>,
    /// Taken away at the end.
    _passing: Option<TempDir>,
}

impl Storehouse {
    /// Opens the storehouse of the user. What a sandbox has in the place of charts is kept for this run only, so
    /// that it is never taken for one.
    pub(crate) fn open(outside: &Outside) -> Result<Self, Failure> {
        let variable =
            |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        match (outside, cache_folder(variable)) {
            (Outside::Direct, Some(folder)) => Ok(Self { folder, logins: logins(variable), _passing: None }),
            (Outside::Direct, None) => Self::passing(logins(variable)),
            (Outside::Substitute(_), _) => Self::passing(Vec::new()),
        }
    }

    fn passing(logins: Vec<PathBuf>) -> Result<Self, Failure> {
        let passing =
            tempfile::tempdir().map_err(|error| no_resources("make a folder for charts", &error))?;
        Ok(Self { folder: passing.path().to_owned(), logins, _passing: Some(passing) })
    }

    pub(crate) fn market<'a>(&'a self, outside: &'a Outside, lock: Option<&'a str>) -> Market<'a> {
        Market { outside, cache: &self.folder, logins: &self.logins, lock }
    }
}

/// Returns the folder for what can be fetched again (XDG Base Directory Specification); `None` if the user has none.
fn cache_folder(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let of_user = || variable("XDG_CACHE_HOME").filter(|folder| folder.is_absolute());
    let at_home = || variable("HOME").map(|home| home.join(".cache"));
    of_user().or_else(at_home).map(|folder| folder.join("straddle").join("charts"))
}

/// Returns the files with names and passwords, as Helm and Docker find them.
fn logins(variable: impl Fn(&str) -> Option<PathBuf>) -> Vec<PathBuf> {
    let home = || variable("HOME");
    let settings = || variable("XDG_CONFIG_HOME").or_else(|| home().map(|home| home.join(".config")));
    let of_helm = variable("HELM_REGISTRY_CONFIG")
        .or_else(|| settings().map(|folder| folder.join("helm").join("registry").join("config.json")));
    let docker = variable("DOCKER_CONFIG").or_else(|| home().map(|home| home.join(".docker")));
    of_helm.into_iter().chain(docker.map(|folder| folder.join("config.json"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charts_are_kept_where_the_user_keeps_what_can_be_fetched_again() {
        let of = |variables: &[(&str, &str)]| {
            let variable = |name: &str| {
                let found = variables.iter().find(|(variable, _)| *variable == name);
                found.map(|(_, value)| PathBuf::from(value))
            };
            (cache_folder(variable), logins(variable))
        };
        assert_eq!(of(&[]), (None, Vec::new()));
        let (cache, files) = of(&[("HOME", "/h")]);
        assert_eq!(cache, Some("/h/.cache/straddle/charts".into()));
        let expected = ["/h/.config/helm/registry/config.json", "/h/.docker/config.json"];
        assert_eq!(files, expected.map(PathBuf::from));
        let named = [
            ("HOME", "/h"),
            ("XDG_CACHE_HOME", "/c"),
            ("HELM_REGISTRY_CONFIG", "/r"),
            ("DOCKER_CONFIG", "/d"),
        ];
        let (cache, files) = of(&named);
        assert_eq!(cache, Some("/c/straddle/charts".into()));
        assert_eq!(files, ["/r", "/d/config.json"].map(PathBuf::from));
        assert_eq!(
            of(&[("HOME", "/h"), ("XDG_CACHE_HOME", "c")]).0,
            Some("/h/.cache/straddle/charts".into())
        );
    }
}
