//! The files of a folder.

use std::fs;
use std::path::{Path, PathBuf};

use straddle_engine::spec::Tree;

use super::ignore::Ignored;
use super::{ChartError, ChartFile, LARGEST_CHART, LARGEST_FILE, MOST_FILES};

/// The file that says what is no part of a chart.
const IGNORED: &str = ".helmignore";

/// How many folders may be inside of each other.
const DEEPEST: usize = 32;

/// Reads the files of a chart's folder, but for what `.helmignore` leaves out.
pub(super) fn files(folder: &Path) -> Result<Vec<ChartFile>, ChartError> {
    let root = folder.canonicalize().map_err(|source| read_error(folder, source))?;
    let rules = match fs::read_to_string(root.join(IGNORED)) {
        Ok(rules) => rules,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(source) => return Err(read_error(&root.join(IGNORED), source)),
    };
    let mut walk = Walk { root: &root, ignored: rules_of(&rules)?, files: Vec::new(), size: 0 };
    walk.folder(&root, "", 0)?;
    Ok(walk.files)
}

/// Returns the files of a chart's folder that was read already, but for what `.helmignore` leaves out.
pub(super) fn kept(tree: &Tree) -> Result<Vec<ChartFile>, ChartError> {
    let rules = tree.get(IGNORED).map(|rules| String::from_utf8_lossy(rules)).unwrap_or_default();
    let ignored = rules_of(&rules)?;
    let mut files = Vec::new();
    for (name, data) in tree {
        let mut folders = name.match_indices('/').map(|(end, _)| &name[..end]);
        if ignored.has(name, false) || folders.any(|folder| ignored.has(folder, true)) {
            continue;
        }
        if data.len() as u64 > LARGEST_FILE {
            return Err(ChartError::Refused(format!("{name} has more than {LARGEST_FILE} bytes")));
        }
        files.push(ChartFile { name: name.clone(), data: data.clone() });
    }
    if files.len() > MOST_FILES {
        return Err(ChartError::Refused(format!("it has more than {MOST_FILES} files")));
    }
    Ok(files)
}

fn rules_of(text: &str) -> Result<Ignored, ChartError> {
    Ignored::read(text).map_err(|problem| ChartError::Content { file: IGNORED.to_owned(), problem })
}

fn read_error(path: &Path, source: std::io::Error) -> ChartError {
    ChartError::Read { path: path.display().to_string(), source }
}

struct Walk<'a> {
    root: &'a Path,
    ignored: Ignored,
    files: Vec<ChartFile>,
    size: u64,
}

impl Walk<'_> {
    /// Reads what is in a folder, in order of the names.
    fn folder(&mut self, folder: &Path, name: &str, depth: usize) -> Result<(), ChartError> {
        if depth == DEEPEST {
            return Err(ChartError::Refused(format!(
                "there are more than {DEEPEST} folders inside of each other"
            )));
        }
        let mut paths: Vec<PathBuf> = fs::read_dir(folder)
            .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
            .map_err(|source| read_error(folder, source))?;
        paths.sort();
        for path in paths {
            let Some(own) = path.file_name().and_then(|own| own.to_str()) else {
                return Err(ChartError::Refused(format!("{} has a name that is no text", path.display())));
            };
            let name = if name.is_empty() { own.to_owned() } else { format!("{name}/{own}") };
            let real = path.canonicalize().map_err(|source| read_error(&path, source))?;
            let metadata = real.metadata().map_err(|source| read_error(&path, source))?;
            if self.ignored.has(&name, metadata.is_dir()) {
                continue;
            }
            if !real.starts_with(self.root) {
                return Err(ChartError::Refused(format!("the link {name} leads out of the chart's folder")));
            }
            if metadata.is_dir() {
                self.folder(&path, &name, depth + 1)?;
            } else if metadata.is_file() {
                self.file(&path, name, metadata.len())?;
            } else {
                return Err(ChartError::Refused(format!("{name} is neither a file nor a folder")));
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, name: String, size: u64) -> Result<(), ChartError> {
        self.size += size;
        if size > LARGEST_FILE {
            return Err(ChartError::Refused(format!("{name} has more than {LARGEST_FILE} bytes")));
        }
        if self.size > LARGEST_CHART || self.files.len() == MOST_FILES {
            return Err(ChartError::Refused(format!(
                "it has more than {LARGEST_CHART} bytes or {MOST_FILES} files"
            )));
        }
        let data = fs::read(path).map_err(|source| read_error(path, source))?;
        self.files.push(ChartFile { name, data });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::helm::chart::Chart;

    #[test]
    fn a_folder_is_a_chart_without_what_it_leaves_out() {
        let folder = tempfile::tempdir().expect("there is room");
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("it has one")).expect("there is room");
            fs::write(path, text).expect("there is room");
        };
        write("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n");
        write(".helmignore", "*.bak\nold/\n");
        write("templates/a.yaml", "a: 1");
        write("a.bak", "");
        write("old/b", "");
        write("charts/db/Chart.yaml", "apiVersion: v2\nname: db\nversion: 1.0.0\n");
        symlink(folder.path().join("templates/a.yaml"), folder.path().join("link")).expect("there is room");
        let chart = Chart::open(folder.path()).expect("it is a chart");
        let names: Vec<&str> = chart.files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, [".helmignore", "link"]);
        assert_eq!(chart.charts[0].name(), "db");
        let mut tree = Tree::new();
        for name in ["Chart.yaml", ".helmignore", "templates/a.yaml", "a.bak", "charts/db/Chart.yaml"] {
            tree.insert(name.to_owned(), fs::read(folder.path().join(name)).expect("it is there"));
        }
        tree.insert("old/b".to_owned(), Vec::new());
        let same = Chart::from_tree(&tree).expect("it is a chart");
        let names: Vec<&str> = same.files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!((names, same.charts[0].name(), same.templates.len()), (vec![".helmignore"], "db", 1));
        symlink("/etc", folder.path().join("outside")).expect("there is room");
        let problem = Chart::open(folder.path()).expect_err("a link leads out").to_string();
        assert_eq!(problem, "the chart is refused: the link outside leads out of the chart's folder");
    }
}
