//! Charts for the specs that name them: fetched as they are locked, and locked as they are wanted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::future::join_all;
use straddle_engine::outside::Outside;
use straddle_engine::provider::BoxFuture;
use straddle_engine::spec::Tree;
use straddle_engine::supply::{Choice, LockOrder, Locked, Market, Supplier, Supplies, Supply, Unsupplied};

use super::fetch::{Charts, FetchError, Reference};
use super::lock::{LOCK_FILE, Lock, LockedChart};

/// Charts from repositories and registries.
#[derive(Debug)]
pub struct ChartSupplier;

impl Supplier for ChartSupplier {
    fn lock_file(&self) -> &'static str {
        LOCK_FILE
    }

    fn fetch<'a>(
        &'a self,
        market: Market<'a>,
        supplies: &'a BTreeSet<Supply>,
    ) -> BoxFuture<'a, Result<Supplies, Unsupplied>> {
        Box::pin(async move {
            let lock = market.lock.map(read_lock).transpose()?;
            let charts = charts(market)?;
            let fetched = supplies.iter().map(async |supply| {
                let tree = fetch(&charts, market, lock.as_ref(), supply).await;
                (supply.clone(), tree.map(Arc::new).map_err(|error| unsupplied(&error)))
            });
            Ok(join_all(fetched).await.into_iter().collect())
        })
    }

    fn lock<'a>(
        &'a self,
        market: Market<'a>,
        order: LockOrder<'a>,
    ) -> BoxFuture<'a, Result<Choice, Unsupplied>> {
        Box::pin(async move {
            let mut lock = market.lock.map(read_lock).transpose()?.unwrap_or_default();
            let charts = charts(market)?;
            let chosen = order.supplies.iter().map(async |supply| {
                let chosen = choose(&charts, &lock, order.update, supply).await;
                (supply.clone(), chosen)
            });
            let chosen = join_all(chosen).await;
            if order.prunes {
                let is_named = |locked: &LockedChart| {
                    order
                        .supplies
                        .iter()
                        .any(|supply| reference(supply).is_ok_and(|named| locked.is_for(&named)))
                };
                lock.keep(is_named);
            }
            let mut choice = Choice::default();
            for (supply, chosen) in chosen {
                match chosen {
                    Ok(chart) => {
                        let before = lock.put(chart.clone());
                        choice.locked.push(described(supply, before.as_ref(), chart));
                    }
                    Err(error) => drop(choice.failed.insert(supply, unsupplied(&error))),
                }
            }
            let text = lock.write();
            choice.lock = text.map_err(|error| Unsupplied { reason: error.to_string(), remedy: None })?;
            Ok(choice)
        })
    }

    fn locked(
        &self,
        lock: &str,
        supplies: &BTreeSet<Supply>,
    ) -> Result<BTreeMap<Supply, Locked>, Unsupplied> {
        let lock = read_lock(lock)?;
        let find = |supply: &Supply| {
            let reference = reference(supply).ok()?;
            let found = find(&lock, &reference)?;
            Some((supply.clone(), described(supply.clone(), Some(found), found.clone())))
        };
        Ok(supplies.iter().filter_map(find).collect())
    }
}

fn charts(market: Market<'_>) -> Result<Charts, Unsupplied> {
    Charts::new(market.cache, market.outside, market.logins).map_err(|error| unsupplied(&error))
}

fn reference(supply: &Supply) -> Result<Reference, FetchError> {
    Reference::new(supply.repository.as_deref(), &supply.name, supply.version.as_deref())
}

fn read_lock(text: &str) -> Result<Lock, Unsupplied> {
    Lock::read(text).map_err(|error| Unsupplied {
        reason: error.to_string(),
        remedy: Some(format!(
            "Bring {LOCK_FILE} back from your version control, or delete it and run `straddle charts lock`."
        )),
    })
}

fn find<'a>(lock: &'a Lock, reference: &Reference) -> Option<&'a LockedChart> {
    lock.find(reference.source(), reference.chart(), reference.wanted())
}

/// Fetches the archive of a chart. Where a lock file is, that decides, and every chart has to be in it: else who
/// runs next could get another one.
async fn fetch(
    charts: &Charts,
    market: Market<'_>,
    lock: Option<&Lock>,
    supply: &Supply,
) -> Result<Tree, FetchError> {
    let reference = reference(supply)?;
    let locked = match lock {
        None => None,
        Some(lock) => Some(find(lock, &reference).ok_or_else(|| reference.absent())?),
    };
    let obtained = match (market.outside, locked) {
        (Outside::Substitute(_), Some(locked)) => {
            let same = Supply { version: Some(locked.version.clone()), ..supply.clone() };
            charts.obtain(&self::reference(&same)?, None).await?
        }
        (Outside::Direct | Outside::Substitute(_), locked) => charts.obtain(&reference, locked).await?,
    };
    Ok(Tree::from([(String::new(), obtained.archive()?)]))
}

/// Chooses the version of a chart: the one that is locked, or the newest that is allowed.
async fn choose(
    charts: &Charts,
    lock: &Lock,
    update: Option<&BTreeSet<String>>,
    supply: &Supply,
) -> Result<LockedChart, FetchError> {
    let reference = reference(supply)?;
    let is_meant = |names: &BTreeSet<String>| names.is_empty() || names.contains(reference.chart());
    let stays = find(lock, &reference).filter(|_| !update.is_some_and(is_meant));
    if let Some(locked) = stays {
        return Ok(locked.clone());
    }
    let newest = charts.newest(&reference).await?;
    Ok(LockedChart {
        source: reference.source().to_owned(),
        chart: reference.chart().to_owned(),
        wanted: reference.wanted().to_owned(),
        version: newest.version,
        sha256: newest.sha256,
    })
}

fn described(supply: Supply, before: Option<&LockedChart>, chart: LockedChart) -> Locked {
    Locked {
        supply,
        before: before.map(|before| before.version.clone()),
        is_same: before == Some(&chart),
        version: chart.version,
        sha256: chart.sha256,
    }
}

fn unsupplied(error: &FetchError) -> Unsupplied {
    Unsupplied { reason: error.to_string(), remedy: error.remedy() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn supply(version: &str) -> Supply {
        Supply {
            repository: Some("https://charts.example.com/".to_owned()),
            name: "web".to_owned(),
            version: Some(version.to_owned()),
        }
    }

    /// What is said where nothing is asked: the address is nobody's.
    async fn reason(lock: Option<&str>, supply: Supply) -> Unsupplied {
        let folder = tempfile::tempdir().unwrap();
        let market = Market { outside: &Outside::Direct, cache: folder.path(), logins: &[], lock };
        let fetched = ChartSupplier.fetch(market, &BTreeSet::from([supply.clone()])).await;
        fetched.map_or_else(|error| error, |fetched| fetched[&supply].clone().unwrap_err())
    }

    #[tokio::test]
    async fn what_is_not_locked_is_not_fetched() {
        let said = reason(None, supply("^1")).await;
        assert_eq!(said.reason, "the version of the chart web is not locked: `^1` allows several");
        let said = reason(Some(""), supply("1.2.3")).await;
        assert_eq!(said.reason, "charts.lock does not have the chart web in the version `1.2.3`");
        assert_eq!(
            said.remedy.as_deref(),
            Some("Run `straddle charts lock`, and keep the file with the spec.")
        );
        let said = reason(Some("[[chart"), supply("1.2.3")).await;
        assert!(said.reason.starts_with("charts.lock cannot be read: "), "{}", said.reason);
    }

    #[test]
    fn what_is_locked_is_told() {
        let locked = LockedChart {
            source: "https://charts.example.com".to_owned(),
            chart: "web".to_owned(),
            wanted: "^1".to_owned(),
            version: "1.9.0".to_owned(),
            sha256: super::super::fetch::sha256(b"archive"),
        };
        let mut lock = Lock::default();
        lock.put(locked);
        let text = lock.write().unwrap();
        let told = ChartSupplier.locked(&text, &BTreeSet::from([supply("^1"), supply("^2")])).unwrap();
        assert_eq!(told.keys().collect::<Vec<_>>(), [&supply("^1")]);
        assert_eq!(told[&supply("^1")].version, "1.9.0");
    }
}
