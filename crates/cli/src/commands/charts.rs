//! `straddle charts`: which versions of charts a spec takes from elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value as Json, json};
use straddle_engine::diagnostic::Diagnostic;
use straddle_engine::outside::Outside;
use straddle_engine::supply::{LockOrder, Locked, Supply, Unsupplied};

use crate::arguments::{
    ChartsCommand, ChartsListArguments, ChartsLockArguments, ChartsUpdateArguments, ChartsWriteArguments,
    SpecArguments,
};
use crate::commands::{Program, runtime};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::loading::{Begun, Storehouse, begin, lock_path, nothing_fetched, read_lock, supplier};
use crate::render;
use crate::replace_file::{create_file, replace_file};
use crate::safe::Safe;

/// Charts are locked as they really are: what a sandbox has in their place is no use to anybody else.
const OUTSIDE: Outside = Outside::Direct;

/// Lists or locks the charts of a spec.
pub(crate) fn run(program: &Program, command: &ChartsCommand) -> Result<Exit, Failure> {
    match command {
        ChartsCommand::List(arguments) => list(program, arguments),
        ChartsCommand::Lock(arguments) => lock(program, arguments),
        ChartsCommand::Update(arguments) => update(program, arguments),
    }
}

fn list(program: &Program, arguments: &ChartsListArguments) -> Result<Exit, Failure> {
    let supplier = supplier(program)?;
    let named = begin(program, &arguments.spec.path, &arguments.spec.values)?.lacking;
    let lock = read_lock(supplier, &arguments.spec.path)?;
    let locked = supplier.locked(lock.as_deref().unwrap_or_default(), &named);
    let locked = locked.map_err(|unsupplied| nothing_fetched(&unsupplied))?;
    let newest = if arguments.newest { Some(newest(program, &named)?) } else { None };
    let stdout = &program.terminal.stdout;
    if arguments.json {
        let charts: Vec<_> = named.iter().map(|supply| listed(supply, &locked, newest.as_ref())).collect();
        stdout.line(&format!("{:#}", json!({ "type": "charts", "charts": charts })));
        return Ok(Exit::Success);
    }
    for supply in &named {
        let locked =
            locked.get(supply).map_or("not locked".to_owned(), |locked| format!("locked {}", locked.version));
        let newest = newest.as_ref().and_then(|newest| newest.get(supply));
        let newest = newest.map_or_else(String::new, |newest| format!(", newest {newest}"));
        stdout.line(&Safe(&format!("{supply}: {locked}{newest}")).to_string());
    }
    if named.is_empty() {
        program.terminal.stderr.line(NO_CHARTS);
    }
    Ok(Exit::Success)
}

const NO_CHARTS: &str = "The spec takes no chart from elsewhere.";

/// Returns the newest versions that are allowed.
fn newest(program: &Program, named: &BTreeSet<Supply>) -> Result<BTreeMap<Supply, String>, Failure> {
    let storehouse = Storehouse::open(&OUTSIDE)?;
    let order = LockOrder { supplies: named, update: None, prunes: false };
    let chosen = runtime()?.block_on(supplier(program)?.lock(storehouse.market(&OUTSIDE, None), order));
    let chosen = chosen.map_err(|unsupplied| nothing_fetched(&unsupplied))?;
    match chosen.failed.values().next() {
        Some(unsupplied) => Err(nothing_fetched(unsupplied)),
        None => Ok(chosen.locked.into_iter().map(|locked| (locked.supply, locked.version)).collect()),
    }
}

fn listed(
    supply: &Supply,
    locked: &BTreeMap<Supply, Locked>,
    newest: Option<&BTreeMap<Supply, String>>,
) -> Json {
    let locked = locked.get(supply);
    json!({
        "name": supply.name,
        "repository": supply.repository,
        "wanted": supply.version,
        "locked": locked.map(|locked| &locked.version),
        "sha256": locked.map(|locked| &locked.sha256),
        "newest": newest.and_then(|newest| newest.get(supply)),
    })
}

fn lock(program: &Program, arguments: &ChartsLockArguments) -> Result<Exit, Failure> {
    let mut locking = Locking::of(program, &arguments.writing.spec, None)?;
    if arguments.prune {
        locking.prune(program)?;
    }
    locking.conclude(program, &arguments.writing)
}

fn update(program: &Program, arguments: &ChartsUpdateArguments) -> Result<Exit, Failure> {
    let names: BTreeSet<_> = arguments.charts.iter().cloned().collect();
    let locking = Locking::of(program, &arguments.writing.spec, Some(&names))?;
    let there: BTreeSet<_> = locking.locked.iter().map(|locked| last_part(&locked.supply.name)).collect();
    match names.iter().find(|name| !there.contains(name.as_str())) {
        Some(name) => Err(no_such_chart(name, &there)),
        None => locking.conclude(program, &arguments.writing),
    }
}

/// Returns what a chart is called in its registry.
fn last_part(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

fn no_such_chart(name: &str, there: &BTreeSet<&str>) -> Failure {
    let there: Vec<_> = there.iter().map(|name| format!("`{name}`")).collect();
    let detail =
        if there.is_empty() { NO_CHARTS.to_owned() } else { format!("There is {}.", there.join(", ")) };
    let problem = Diagnostic::error("no-chart", "the spec has no such chart")
        .with_detail(format!("No chart of the spec from elsewhere is called `{}`. {detail}", Safe(name)));
    Failure::error(problem)
}

/// Versions that were chosen for a spec.
struct Locking {
    storehouse: Storehouse,
    /// The text of the lock file as it is.
    before: Option<String>,
    /// The text as it will be.
    after: Option<String>,
    /// Everything that the spec names.
    named: BTreeSet<Supply>,
    locked: Vec<Locked>,
}

impl Locking {
    /// Chooses versions. A spec may name more once it has what it named first, so that this goes on until it lacks
    /// nothing. A spec that has mistakes is not locked.
    fn of(
        program: &Program,
        spec: &SpecArguments,
        update: Option<&BTreeSet<String>>,
    ) -> Result<Self, Failure> {
        let before = read_lock(supplier(program)?, &spec.path)?;
        let after = before.clone();
        let storehouse = Storehouse::open(&OUTSIDE)?;
        let mut locking = Self { storehouse, before, after, named: BTreeSet::new(), locked: Vec::new() };
        let mut begun = begin(program, &spec.path, &spec.values)?;
        while !begun.lacking.is_empty() {
            begun = locking.choose(program, begun, update)?;
        }
        Ok(locking)
    }

    fn choose(
        &mut self,
        program: &Program,
        mut begun: Begun,
        update: Option<&BTreeSet<String>>,
    ) -> Result<Begun, Failure> {
        let (supplier, runtime) = (supplier(program)?, runtime()?);
        let failed = |unsupplied: Unsupplied| nothing_fetched(&unsupplied);
        let order = LockOrder { supplies: &begun.lacking, update, prunes: false };
        let market = self.storehouse.market(&OUTSIDE, self.after.as_deref());
        let chosen = runtime.block_on(supplier.lock(market, order)).map_err(failed)?;
        self.after = Some(chosen.lock);
        let wanted = chosen.locked.iter().map(|locked| locked.supply.clone()).collect();
        let market = self.storehouse.market(&OUTSIDE, self.after.as_deref());
        let fetched = runtime.block_on(supplier.fetch(market, &wanted)).map_err(failed)?;
        begun.request.supplies.extend(fetched);
        // Loading the spec says of these what is wrong, and where they are named.
        let missed = chosen.failed.into_iter().map(|(supply, unsupplied)| (supply, Err(unsupplied)));
        begun.request.supplies.extend(missed);
        self.named.append(&mut begun.lacking);
        self.locked.extend(chosen.locked);
        Begun::new(program, begun.request)
    }

    fn prune(&mut self, program: &Program) -> Result<(), Failure> {
        let order = LockOrder { supplies: &self.named, update: None, prunes: true };
        let market = self.storehouse.market(&OUTSIDE, self.after.as_deref());
        let pruned = runtime()?.block_on(supplier(program)?.lock(market, order));
        let pruned = pruned.map_err(|unsupplied| nothing_fetched(&unsupplied))?;
        // A file that was not there is not made to say that there is nothing.
        self.after = self.after.take().map(|_| pruned.lock);
        Ok(())
    }

    /// Writes the lock file, unless it is only looked at, and says what it says.
    fn conclude(&self, program: &Program, arguments: &ChartsWriteArguments) -> Result<Exit, Failure> {
        let path = lock_path(supplier(program)?, &arguments.spec.path);
        let new = self.after.as_ref().filter(|_| self.after != self.before);
        if let Some(text) = new.filter(|_| !arguments.check) {
            match self.before {
                Some(_) => replace_file(&path, text.as_bytes())?,
                None => create_file(&path, text.as_bytes())?,
            }
        }
        if arguments.json {
            let charts: Vec<_> = self.locked.iter().map(locked_json).collect();
            let object = json!({
                "type": "charts_lock",
                "path": path,
                "changed": new.is_some(),
                "written": new.is_some() && !arguments.check,
                "charts": charts,
            });
            program.terminal.stdout.line(&format!("{object:#}"));
        } else {
            self.tell(program, &path, new.is_some(), arguments.check);
        }
        Ok(if new.is_some() && arguments.check { Exit::Changes } else { Exit::Success })
    }

    fn tell(&self, program: &Program, path: &Path, is_new: bool, is_check: bool) {
        for locked in self.locked.iter().filter(|locked| !locked.is_same) {
            let (sign, before) = match &locked.before {
                Some(before) if *before != locked.version => ("~", format!("{before} -> ")),
                Some(_) => ("~", "another archive of ".to_owned()),
                None => ("+", String::new()),
            };
            let line = format!("{sign} {}: {before}{}", locked.supply, locked.version);
            program.terminal.stdout.line(&Safe(&line).to_string());
        }
        let count = render::counted(self.locked.len(), "chart");
        program.terminal.stderr.line(&match (is_new, is_check) {
            (false, _) if self.named.is_empty() => NO_CHARTS.to_owned(),
            (false, _) => format!("{} is up to date: {count}.", path.display()),
            (true, true) => format!("{} would change.", path.display()),
            (true, false) => format!("{} is written: {count}. Keep it with the spec.", path.display()),
        });
    }
}

fn locked_json(locked: &Locked) -> Json {
    json!({
        "name": locked.supply.name,
        "repository": locked.supply.repository,
        "wanted": locked.supply.version,
        "before": locked.before,
        "version": locked.version,
        "sha256": locked.sha256,
        "changed": !locked.is_same,
    })
}
