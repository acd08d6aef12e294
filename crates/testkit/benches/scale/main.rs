//! How processor time, memory and writing grow with the number of resources.
//!
//! `cargo bench -p straddle-testkit --bench scale -- [--sizes N,N,..] [--shapes NAME,..] [--program]`
//!
//! Each figure is from a process of its own, which measures itself. No figure is checked: what
//! is aimed at is in `tests/README.md`. The cloud is in memory and answers at once; the state is
//! in real files, and every record is durable before the next step.

mod cost;
mod memory;
mod shapes;
mod stage;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use peak_alloc::PeakAlloc;

use crate::cost::Cost;
use crate::shapes::Shape;
use crate::stage::Folder;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// The first argument of a process that measures one case.
const CHILD: &str = "--measure";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [first, sort, stage, folder] = arguments.as_slice()
        && first == CHILD
    {
        let folder = Folder(PathBuf::from(folder));
        let measure = if sort == "program" { stage::program } else { stage::engine };
        print(&serde_json::to_string(&measure(stage, &folder)).expect("numbers have a JSON form"));
    } else if arguments.iter().any(|argument| argument == "--bench") {
        measure_all(&arguments);
    } else {
        print("Run this with `cargo bench`.");
    }
}

fn measure_all(arguments: &[String]) {
    let sizes = listed(arguments, "--sizes").unwrap_or_else(|| vec!["1000".to_owned(), "10000".to_owned()]);
    let sizes: Vec<usize> = sizes.iter().map(|size| size.parse().expect("sizes are numbers")).collect();
    let names = listed(arguments, "--shapes");
    let wanted =
        |shape: &Shape| names.as_ref().is_none_or(|names| names.iter().any(|name| name == shape.name()));
    let is_program = arguments.iter().any(|argument| argument == "--program");
    let (sort, stages): (_, &[&str]) =
        if is_program { ("program", &stage::PROGRAM) } else { ("engine", &stage::ENGINE) };
    for shape in Shape::ALL.into_iter().filter(wanted) {
        print(&format!("\n{} ({sort})", shape.name()));
        let mut before: Option<Vec<Cost>> = None;
        for size in &sizes {
            let folder =
                tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("there is a place for files");
            shape.write(*size, &folder.path().join("spec")).expect("a spec can be written");
            print(&format!("  {size} resources\n    {HEADINGS}"));
            let costs: Vec<_> = stages.iter().map(|stage| measure(sort, stage, folder.path())).collect();
            for (position, (stage, cost)) in stages.iter().zip(&costs).enumerate() {
                let smaller = before.as_ref().map(|costs| &costs[position]);
                print(&format!("    {}", line(stage, cost, smaller)));
            }
            before = Some(costs);
        }
    }
}

const HEADINGS: &str = "stage                             cpu s   wall s   peak MB   heap MB   syncs    \
                        bytes   grows (cpu, heap or peak)";

#[expect(clippy::cast_precision_loss, reason = "rounded figures are shown")]
fn line(stage: &str, cost: &Cost, smaller: Option<&Cost>) -> String {
    let megabytes = |bytes: u64| format!("{:.1}", bytes as f64 / 1e6);
    let memory = |cost: &Cost| if cost.heap > 0 { cost.heap } else { cost.resident };
    let growth = smaller.map(|smaller| {
        let memory = memory(cost) as f64 / memory(smaller).max(1) as f64;
        format!("{:.1} {memory:.1}", cost.cpu / smaller.cpu.max(1e-6))
    });
    format!(
        "{stage:<32} {:>7.3} {:>8.3} {:>9} {:>9} {:>7} {:>8}   {}",
        cost.cpu,
        cost.wall,
        megabytes(cost.resident),
        megabytes(cost.heap),
        cost.syncs,
        cost.written,
        growth.unwrap_or_default(),
    )
}

fn measure(sort: &str, stage: &str, folder: &Path) -> Cost {
    let program = std::env::current_exe().expect("a program knows where it is");
    let output =
        Command::new(program).args([CHILD, sort, stage]).arg(folder).stderr(Stdio::inherit()).output();
    let output = output.expect("this program can be started");
    assert!(output.status.success(), "{stage} failed");
    serde_json::from_slice(&output.stdout).expect("a measurement is JSON")
}

/// Returns the items of an option's comma-separated list.
fn listed(arguments: &[String], option: &str) -> Option<Vec<String>> {
    let position = arguments.iter().position(|argument| argument == option)?;
    let list = arguments.get(position + 1).expect("an option has a value");
    Some(list.split(',').map(str::to_owned).collect())
}

#[expect(clippy::print_stdout, reason = "a benchmark shows what it finds")]
fn print(line: &str) {
    println!("{line}");
}
