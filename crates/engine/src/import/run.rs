//! Imports that the user asks for by a command: recorded at once, and nothing else is done.

use crate::import::Imports;
use crate::plan::{Change, Import, Mode, Options};
use crate::refresh::Depth;
use crate::run::{Engine, RunError};
use crate::spec::{ImportNode, Spec};
use crate::stages::Prepared;
use crate::state::{Record, State};

/// What came of imports that the user asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportReport {
    /// What is in the state now and was not before, sorted by address.
    pub imports: Vec<Import>,
    /// What the next apply would do with the resources that were named, also with those that the
    /// state had already.
    pub changes: Vec<Change>,
}

impl Engine<'_> {
    /// Takes things that exist into the state, as they are. No call is made that changes anything:
    /// what differs from the spec, and the tags of the stack, are left to the next apply.
    ///
    /// The resources have to be in the spec, see [`crate::spec::check_import`].
    ///
    /// # Errors
    /// As [`Engine::plan`], and if one of the things is not there or somebody else's. Then none is
    /// imported.
    pub async fn import(&self, spec: &Spec, imports: &[ImportNode]) -> Result<ImportReport, RunError> {
        let _lock = self.lock("import").await?;
        let prepared =
            self.prepare(spec, Mode::Apply, &Options::default(), imports, None, Depth::Full).await?;
        let Prepared { recovered, mut state, renames, imports: found, planned, .. } = prepared;
        if recovered {
            state.serial += 1;
            self.backend.replace(state.serial - 1, &state).await?;
        }
        if !found.told.is_empty() {
            let renaming = (!renames.is_empty()).then_some(Record::Renamed { names: renames });
            self.record_imports(state, renaming, &found).await?;
        }
        let asked = |change: &Change| imports.iter().any(|import| import.to == change.address);
        let changes = planned.plan.changes.into_iter().filter(asked).collect();
        Ok(ImportReport { imports: found.told, changes })
    }

    /// Records imports, and the new names that what they need has in the spec.
    async fn record_imports(
        &self,
        state: State,
        renaming: Option<Record>,
        imports: &Imports,
    ) -> Result<(), RunError> {
        let serial = state.serial;
        let header = Record::Run(self.header(&state, None));
        let recorder = crate::apply::Recorder::new(self.backend, state);
        let records: Vec<_> = std::iter::once(header).chain(renaming).chain(imports.records()).collect();
        recorder.append(&records).await?;
        self.save(serial, recorder, Vec::new()).await?;
        Ok(())
    }
}
