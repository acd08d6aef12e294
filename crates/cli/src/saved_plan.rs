//! Saved plans: what `plan --out` writes and `apply --plan` reads.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use straddle_engine::diagnostic::Diagnostic;
use straddle_engine::plan::Plan;
use straddle_engine::secrets::unreadable;

use crate::failure::Failure;

const FORMAT: &str = "straddle-plan";
/// The format that is written.
pub(crate) const VERSION: u32 = 1;

/// What stands before the plan in the file, also in files of other versions.
#[derive(Serialize, Deserialize)]
struct Header {
    format: String,
    version: u32,
}

#[derive(Serialize, Deserialize)]
struct SavedPlan<P> {
    #[serde(flatten)]
    header: Header,
    plan: P,
}

/// Writes a plan to a file that only its owner can read, since every value is in it. The file is
/// there as a whole or not at all; one that is no saved plan is not overwritten.
pub(crate) fn write(path: &Path, plan: &Plan) -> Result<(), Failure> {
    match fs::read(path) {
        Ok(bytes) if serde_json::from_slice::<Header>(&bytes).is_ok_and(|header| header.format == FORMAT) => {
        }
        Ok(_) => return Err(not_a_plan(path, "Another file is there, and it is not overwritten.")),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(Failure::file("read", path, &error)),
    }
    let header = Header { format: FORMAT.to_owned(), version: VERSION };
    let saved = serde_json::to_vec(&SavedPlan { header, plan }).expect("a plan has a JSON form");
    replace(path, &saved).map_err(|error| Failure::file("write", path, &error))
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Temporary files are made with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// Reads a plan back.
pub(crate) fn read(path: &Path) -> Result<Plan, Failure> {
    let bytes = fs::read(path).map_err(|error| Failure::file("read", path, &error))?;
    let header: Header = serde_json::from_slice(&bytes)
        .map_err(|_| not_a_plan(path, "It was not written by `straddle plan --out`."))?;
    if header.format != FORMAT {
        return Err(not_a_plan(path, "It was not written by `straddle plan --out`."));
    }
    if header.version != VERSION {
        let reason = format!("It has version {}, and this program reads version {VERSION}.", header.version);
        return Err(not_a_plan(path, &reason));
    }
    let saved: SavedPlan<Plan> = serde_json::from_slice(&bytes)
        .map_err(|error| not_a_plan(path, &format!("It is damaged: {}.", unreadable(&error))))?;
    Ok(saved.plan)
}

fn not_a_plan(path: &Path, reason: &str) -> Failure {
    let problem = Diagnostic::error("no-saved-plan", "the file is not a saved plan of this program")
        .with_detail(format!("{}: {reason}", path.display()))
        .with_hint("Make one with `straddle plan --out FILE`.");
    Failure::error(problem)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::render::tests::network_plan;

    #[test]
    fn a_plan_survives_and_nobody_else_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.plan");
        for _ in 0..2 {
            write(&path, &network_plan()).unwrap();
            assert_eq!(read(&path).unwrap(), network_plan());
        }
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[test]
    fn other_files_are_neither_overwritten_nor_taken_for_plans() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.txt");
        let newer = format!(r#"{{"format":"{FORMAT}","version":99,"plan":null}}"#);
        for (content, is_overwritten) in [("", false), ("{}", false), ("text", false), (&*newer, true)] {
            fs::write(&path, content).unwrap();
            assert!(read(&path).is_err(), "{content}");
            assert_eq!(write(&path, &network_plan()).is_ok(), is_overwritten, "{content}");
            assert_eq!(fs::read_to_string(&path).unwrap() != content, is_overwritten);
        }
    }
}
