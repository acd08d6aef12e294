//! Where the memory goes: how much each part of a run that changes nothing takes.

use std::collections::BTreeMap;

use straddle_engine::erased::ObservedValues;
use straddle_engine::observation::{Observation, Observations};
use straddle_engine::plan::{self, Mode, Options, Request};
use straddle_engine::registry::Registry;
use straddle_engine::resource::Readiness;
use straddle_engine::spec::Spec;
use straddle_engine::state::{Backend, LocalBackend, ResourceState, recovered};

use crate::HEAP;
use crate::shapes::STACK;
use crate::stage::Folder;

/// Shows how many bytes each part takes, per resource.
pub(crate) fn show(spec: &Spec, registry: &Registry, folder: &Folder) {
    let count = spec.resources.len();
    let mut parts = BTreeMap::new();
    let mut measure = |name: &'static str, before: usize| {
        parts.insert(name, HEAP.current_usage().saturating_sub(before) / count);
    };
    let before = HEAP.current_usage();
    let copy = spec.clone();
    measure("spec (what a copy of it does not share)", before);
    drop(copy);

    let before = HEAP.current_usage();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("there is memory");
    let stored = runtime.block_on(LocalBackend::new(folder.state(), STACK).read());
    let state = recovered(stored.expect("the state can be read")).expect("it fits");
    let state = state.expect("something was applied");
    measure("state", before);

    let before = HEAP.current_usage();
    let observations: Observations =
        state.resources.iter().map(|(address, resource)| (address.clone(), as_applied(resource))).collect();
    measure("observations", before);

    let before = HEAP.current_usage();
    let (renames, mode) = (BTreeMap::new(), Mode::Destroy);
    let options = Options::default();
    let request = Request {
        registry,
        spec,
        state: &state,
        renames: &renames,
        imports: &[],
        foreseen: &straddle_engine::plan::Foretold::new(),
        lookups: &BTreeMap::new(),
        observations: &observations,
        mode,
        options: &options,
    };
    let planned = plan::make(&request, String::new()).expect("nothing is protected");
    measure("plan that destroys everything, its values and graph", before);
    drop(planned);

    let before = HEAP.current_usage();
    let request = Request { mode: Mode::Apply, ..request };
    let planned = plan::make(&request, String::new()).expect("nothing is protected");
    measure("plan that changes nothing, its values and graph", before);
    drop(planned);
    for (name, bytes) in parts {
        eprintln_bytes(name, bytes);
    }
}

#[expect(clippy::print_stderr, reason = "a benchmark shows what it finds")]
fn eprintln_bytes(name: &str, bytes: usize) {
    eprintln!("        {bytes:>6} bytes per resource: {name}");
}

fn as_applied(resource: &ResourceState) -> Observation {
    let object = resource.object.as_ref().map(|object| ObservedValues {
        inputs: object.inputs.clone(),
        outputs: object.outputs.clone(),
        readiness: Readiness::Ready,
    });
    Observation { object, ..Observation::default() }
}
