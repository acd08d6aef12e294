//! What to do about a state that is not usable, as commands that can be copied.

use std::path::Path;

use crate::state::disk::Disk;
use crate::state::format::Defect;
use crate::state::{format, journal_file};

const NO_BACKUP: &str = "There is no usable backup beside it: restore it from a backup of your own.";

/// Says what to do about a damaged or missing state file.
pub(super) fn for_state(disk: &Disk, defect: &Defect) -> String {
    if let Defect::Newer { program, .. } = defect {
        return format!("Nothing was changed. Use straddle {program} or a later one.");
    }
    format!("Nothing was changed. {}", restore(disk))
}

/// Says what to do about a state file that is gone while other files of the stack are there.
pub(super) fn for_missing_state(disk: &Disk) -> String {
    let files = [&disk.names.state_backup, &disk.names.journal_backup, &disk.names.journal];
    let files = files.into_iter().filter(|path| read(disk, path).is_some()).map(|path| shell_quoted(path));
    format!(
        "Nothing was changed. {} If nothing of the stack exists any more and it shall start anew, move {} away.",
        restore(disk),
        files.collect::<Vec<_>>().join(" and ")
    )
}

fn restore(disk: &Disk) -> String {
    let names = &disk.names;
    let serial_of = |path: &Path| {
        let journal = read(disk, path).and_then(|bytes| journal_file::decode(&bytes).ok());
        journal.map(|journal| journal.header.serial)
    };
    let Some(backup) = read(disk, &names.state_backup).and_then(|bytes| format::decode(&bytes).ok()) else {
        // After the first run there is no state before, but the journal of that run is all there is.
        let first = serial_of(&names.journal_backup) == Some(0) && serial_of(&names.journal).is_none();
        return if first { restore_first(disk) } else { NO_BACKUP.to_owned() };
    };
    let state = command("cp -p", &names.state_backup, &names.state);
    if serial_of(&names.journal) == Some(backup.serial) {
        return format!(
            "Nothing is lost: the backup and the journal together are the whole state. Restore it with {state}."
        );
    }
    if serial_of(&names.journal_backup) != Some(backup.serial) {
        return format!(
            "The state of serial {} is kept; restore it with {state}. It does not know what has been made \
             since: look in the accounts for what has the tag `straddle:stack` with the value `{}`.",
            backup.serial, backup.lineage
        );
    }
    let journal = command("cp -p", &names.journal_backup, &names.journal);
    if serial_of(&names.journal).is_none() {
        return format!(
            "Nothing is lost: the backup and the backup of the journal together are the whole state. Restore \
             it with {journal} and {state}."
        );
    }
    let unfinished = names.journal.with_extension("jsonl.unfinished");
    let aside = command("mv", &names.journal, &unfinished);
    format!(
        "Put the journal of the run that did not end aside with {aside}: its last lines name what that run has \
         made. What was there before it is restored with {journal} and {state}."
    )
}

fn restore_first(disk: &Disk) -> String {
    let names = &disk.names;
    let journal = command("cp -p", &names.journal_backup, &names.journal);
    let aside = command("mv", &names.state, &names.state.with_extension("json.damaged"));
    let aside = if disk.files.read(&names.state).is_ok_and(|found| found.is_none()) {
        String::new()
    } else {
        format!("{aside} and ")
    };
    format!("Nothing is lost: the backup of the journal has everything. Restore it with {aside}{journal}.")
}

fn command(verb: &str, from: &Path, to: &Path) -> String {
    format!("`{verb} {} {}`", shell_quoted(from), shell_quoted(to))
}

/// Says what to do about a damaged journal.
pub(super) fn for_journal(disk: &Disk, defect: &Defect) -> String {
    if let Defect::Newer { program, .. } = defect {
        return format!("Nothing was changed. Use straddle {program} or a later one to finish its run.");
    }
    let journal = shell_quoted(&disk.names.journal);
    format!(
        "Nothing was changed. The journal says what a run that did not end has made, so do not delete it. \
         Restore it from a backup of your own. If there is none, keep the lines before the damage with \
         `cp -p {journal} {journal}.damaged` and `head -n LINES {journal}.damaged > {journal}`, and look in \
         the accounts for what the lost lines name."
    )
}

/// Says what to do about a file that belongs to another state.
pub(super) fn for_foreign(path: &Path) -> String {
    format!(
        "Nothing was changed. Files of two stacks, or of two copies of one, have been mixed up: put {} back to \
         where it came from.",
        shell_quoted(path)
    )
}

fn read(disk: &Disk, path: &Path) -> Option<Vec<u8>> {
    disk.files.read(path).ok().flatten()
}

/// Returns a path as a shell takes it.
pub(super) fn shell_quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |character: char| character.is_ascii_alphanumeric() || "/._-+=@:,".contains(character);
    if !text.is_empty() && text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}
