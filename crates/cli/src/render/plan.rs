//! A whole plan as text: what others changed, what will be done, the outputs, and a summary.

use std::collections::BTreeMap;

use straddle_engine::difference::Form;
use straddle_engine::plan::{
    ChangeAction, LeftOut, LeftOutBecause, LookedUp, Mode, OutputChange, Plan, Rename, likely_renames,
};
use straddle_engine::preflight::{Finding, Told, Verdict};

use crate::render::block::{self, Row};
use crate::render::change::{Look, change, drift, place, sensitive_row};
use crate::render::rounds::rounds;
use crate::render::value::key;
use crate::render::{Palette, difference, import, paint};
use crate::safe::Safe;

/// Renders a plan.
pub(crate) fn plan(plan: &Plan, palette: &Palette) -> String {
    let mut text = String::new();
    if !plan.drift.is_empty() {
        text += &heading("Changed outside of straddle since the last apply", palette);
        text.extend(plan.drift.iter().map(|item| drift(item, palette) + "\n"));
    }
    if !plan.renames.is_empty() {
        text += &heading("New names in the state; what they name stays", palette);
        text.extend(plan.renames.iter().map(|item| rename(item, palette)));
        text.push('\n');
    }
    if !plan.imports.is_empty() {
        text += &heading("Imports: what exists becomes part of the stack, as it is", palette);
        text.extend(plan.imports.iter().map(|item| import::line(item, palette)));
        text.push('\n');
    }
    let later: Vec<_> = plan.lookups.iter().filter(|lookup| lookup.outputs.is_none()).collect();
    if !later.is_empty() {
        text += &heading("Looked up while the plan is carried out, after what it needs", palette);
        text.extend(later.into_iter().map(|lookup| looked_up(lookup, palette)));
        text.push('\n');
    }
    if !plan.changes.is_empty() {
        text += &heading(&intention(plan), palette);
        text += &legend(plan, palette);
        text.extend(plan.changes.iter().map(|item| change(item, &plan.options, palette) + "\n"));
        text += &rounds(plan, palette);
    }
    if !plan.outputs.is_empty() {
        text += &heading("Outputs", palette);
        let rows: Vec<Row> = plan.outputs.iter().flat_map(|output| output_rows(output, palette)).collect();
        block::write(&mut text, &rows, 2, palette);
        text.push('\n');
    }
    text.extend(plan.told.iter().map(|told| beside(told, palette)));
    text += &left_out(plan, palette);
    text += &renamed(&likely_renames(plan), palette);
    if plan.options.from_state {
        text += &format!("{}\n\n", paint(palette.warning, FROM_STATE));
    }
    text + &format!("{}\n", paint(palette.strong, summary(plan)))
}

fn output_rows(output: &OutputChange, palette: &Palette) -> Vec<Row> {
    let OutputChange { name, before, after, sensitive } = output;
    if *sensitive {
        return vec![sensitive_row(key(name), before, after, palette)];
    }
    difference::rows(&key(name), before, after, Form::Data, palette)
}

/// Renders what is worth knowing beside what changes; what is not well is marked.
fn beside(told: &Told, palette: &Palette) -> String {
    let line = |finding: &Finding| {
        let account = finding.account.as_ref().map(|account| format!("[{}] ", Safe(account)));
        let text = format!("{}{}", account.unwrap_or_default(), Safe(&finding.message));
        let look = if finding.verdict == Verdict::Ok { palette.faint } else { palette.warning };
        format!("    {}\n", paint(look, text))
    };
    heading(&Safe(&told.heading).to_string(), palette)
        + &told.findings.iter().map(line).collect::<String>()
        + "\n"
}

/// Stands below a plan that nothing was read for.
const FROM_STATE: &str = "\
Planned from the state alone (--refresh=false): no account was called. What others changed, and what
services filled in by themselves, is not in it. An apply reads everything and plans anew.";

/// How many changes that are left out are listed.
const LISTED: usize = 20;

/// Renders what would change too and is left out.
fn left_out(plan: &Plan, palette: &Palette) -> String {
    if plan.left_out.is_empty() {
        return String::new();
    }
    let mut text = heading(&format!("Left out by {}", options(plan)), palette);
    for item in plan.left_out.iter().take(LISTED) {
        let look = Look::of(item.action);
        let place = place(&item.address, &item.account, &item.region, palette);
        text += &format!("{} {place}{}\n", look.padded(palette), because(item, palette));
    }
    let more = plan.left_out.len().saturating_sub(LISTED);
    if more > 0 {
        text += &format!("    and {more} more\n");
    }
    text + "\n"
}

fn because(item: &LeftOut, palette: &Palette) -> String {
    let why = match &item.because {
        LeftOutBecause::NotTargeted | LeftOutBecause::Excluded => return String::new(),
        LeftOutBecause::Needs { address } => format!("needs {}, which is excluded", Safe(address)),
        LeftOutBecause::NeededBy { address } => {
            format!("{}, which is left out too, stands on it", Safe(address))
        }
    };
    format!(": {}", paint(palette.faint, why))
}

/// Names the options that leave something out.
fn options(plan: &Plan) -> String {
    let given =
        [("--target", !plan.options.target.is_empty()), ("--exclude", !plan.options.exclude.is_empty())];
    let names: Vec<_> = given.into_iter().filter(|(_, given)| *given).map(|(name, _)| name).collect();
    names.join(" and ")
}

/// Says how much is left out; empty if that is nothing.
fn left_out_words(plan: &Plan) -> String {
    match plan.left_out.len() {
        0 => String::new(),
        1 => format!(" 1 change is left out by {}.", options(plan)),
        count => format!(" {count} changes are left out by {}.", options(plan)),
    }
}

/// Renders the heading of a section.
pub(crate) fn heading(words: &str, palette: &Palette) -> String {
    format!("{}\n\n", paint(palette.strong, words))
}

fn rename(rename: &Rename, palette: &Palette) -> String {
    let (from, to) = (Safe(&rename.from), paint(palette.strong, Safe(&rename.to)));
    format!("{} {from} becomes {to}\n", paint(palette.update, format!("{:>3}", ">")))
}

fn looked_up(lookup: &LookedUp, palette: &Palette) -> String {
    let place = place(&lookup.address, &lookup.account, &lookup.region, palette);
    format!("{} {place}\n", paint(palette.faint, format!("{:>3}", "?")))
}

/// Says which things only seem to have got another name, and how to say so.
fn renamed(renames: &[Rename], palette: &Palette) -> String {
    let Some(first) = renames.first() else { return String::new() };
    let (from, to) = (Safe(&first.from), Safe(&first.to));
    let others = match renames.len() - 1 {
        0 => String::new(),
        count => format!(", and {count} more like it"),
    };
    let hint = paint(palette.strong, "hint");
    format!(
        "{hint}: it looks like {from} became {to}{others}. To keep what is there, add\n\n  \
         [[moved]]\n  from = \"{from}\"\n  to = \"{to}\"\n\n"
    )
}

fn intention(plan: &Plan) -> String {
    match plan.mode {
        Mode::Apply => format!("Changes of the stack {}", Safe(&plan.stack)),
        Mode::Destroy => format!("Everything of the stack {} goes away", Safe(&plan.stack)),
        Mode::Refresh => format!("What is there of the stack {}", Safe(&plan.stack)),
    }
}

/// The symbols of changes in the order in which they are explained.
const ORDER: [&str; 10] = ["+", "~", "-/+", "+/-", "-", ".", "(+)", "(~)", "(/)", "(-)"];

/// Says what the symbols mean that occur.
fn legend(plan: &Plan, palette: &Palette) -> String {
    let mut looks: Vec<_> =
        plan.changes.iter().map(|change| Look::of_change(change, &plan.options)).collect();
    looks.sort_by_key(|look| (ORDER.iter().position(|symbol| *symbol == look.symbol), look.meaning));
    looks.dedup_by_key(|look| look.meaning);
    let mut text = String::new();
    for look in looks {
        text += &format!("{} {}\n", look.padded(palette), paint(palette.faint, look.meaning));
    }
    text + "\n"
}

/// How many changes of each sort a plan has.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) create: usize,
    pub(crate) update: usize,
    pub(crate) replace: usize,
    pub(crate) delete: usize,
    pub(crate) forget: usize,
    /// What others make, change or take away.
    pub(crate) await_others: usize,
    pub(crate) rename: usize,
    pub(crate) import: usize,
}

impl Counts {
    pub(crate) fn of(plan: &Plan) -> Self {
        let (rename, import) = (plan.renames.len(), plan.imports.len());
        let mut counts = Self { rename, import, ..Self::default() };
        for change in &plan.changes {
            if Look::of_change(change, &plan.options).waits {
                counts.await_others += 1;
                continue;
            }
            *match change.action {
                ChangeAction::Create => &mut counts.create,
                ChangeAction::Update => &mut counts.update,
                ChangeAction::Replace(_) => &mut counts.replace,
                ChangeAction::Delete | ChangeAction::DeleteDeposed => &mut counts.delete,
                ChangeAction::Forget => &mut counts.forget,
            } += 1;
        }
        counts
    }
}

/// How much others changed.
pub(crate) struct Drifted {
    pub(crate) changed: usize,
    pub(crate) gone: usize,
}

impl Drifted {
    pub(crate) fn of(plan: &Plan) -> Self {
        let gone = plan.drift.iter().filter(|drift| drift.gone).count();
        Self { changed: plan.drift.len() - gone, gone }
    }
}

/// Says in one line what others changed, and what an apply would do about it.
fn drift_summary(plan: &Plan) -> String {
    let Drifted { changed, gone } = Drifted::of(plan);
    if plan.drift.is_empty() {
        return match plan.unchanged {
            0 => format!("No drift. The stack {} has no resources.", Safe(&plan.stack)),
            1 => "No drift. The only resource is as it was applied.".to_owned(),
            count => format!("No drift. All {count} resources are as they were applied."),
        };
    }
    format!(
        "Drift: {changed} changed, {gone} gone, {} as applied. \
         `apply --refresh-only` records this and changes no thing; `apply` makes it as the spec says.",
        plan.unchanged
    )
}

/// Says in one line how much a plan does, and where.
fn summary(plan: &Plan) -> String {
    if plan.changes.is_empty() {
        return nothing_to_do(plan);
    }
    let Counts { create, update, replace, delete, forget, await_others, rename, import } = Counts::of(plan);
    let counts = [
        format!("{create} to create, {update} to change, {replace} to replace, {delete} to delete"),
        format!("{forget} to forget"),
        format!("{await_others} to wait for"),
        format!("{rename} to rename"),
        format!("{import} to import"),
    ];
    let shown = [true, forget > 0, await_others > 0, rename > 0, import > 0];
    let counts: Vec<_> =
        counts.into_iter().zip(shown).filter_map(|(text, shown)| shown.then_some(text)).collect();
    format!("Plan: {} ({}).{}", counts.join(", "), accounts(plan).join(", "), left_out_words(plan))
}

fn nothing_to_do(plan: &Plan) -> String {
    let besides = [
        (!plan.outputs.is_empty()).then(|| "of outputs".to_owned()),
        (!plan.renames.is_empty()).then(|| "of names in the state".to_owned()),
        (!plan.imports.is_empty()).then(|| format!("{} to import", plan.imports.len())),
    ];
    let change = match besides.into_iter().flatten().collect::<Vec<_>>().as_slice() {
        [] => "No changes.".to_owned(),
        [one] => format!("No changes but {one}."),
        [others @ .., last] => format!("No changes but {} and {last}.", others.join(", ")),
    };
    if !plan.left_out.is_empty() {
        return format!("{change}{}", left_out_words(plan));
    }
    let resources = match plan.unchanged {
        1 => "The only resource is".to_owned(),
        count => format!("All {count} resources are"),
    };
    match (plan.mode, plan.unchanged) {
        (Mode::Destroy, _) => format!("{change} Nothing of the stack {} is left.", Safe(&plan.stack)),
        (Mode::Refresh, _) => drift_summary(plan),
        (Mode::Apply, 0) => format!("{change} The stack {} has no resources.", Safe(&plan.stack)),
        (Mode::Apply, _) => format!("{change} {resources} as the spec says."),
    }
}

/// Returns how many changes there are in each account and region.
pub(crate) fn accounts(plan: &Plan) -> Vec<String> {
    let mut counts: BTreeMap<_, usize> = BTreeMap::new();
    for change in &plan.changes {
        let place =
            format!("{} {} {}", Safe(&change.account), Safe(&change.account_id), Safe(&change.region));
        *counts.entry(place).or_default() += 1;
    }
    counts.into_iter().map(|(place, count)| format!("{place}: {count}")).collect()
}
