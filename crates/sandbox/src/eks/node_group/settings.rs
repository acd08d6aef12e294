//! What can be changed of a node group.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::call::{Parameters, Refusal};
use crate::ec2::Launch;
use crate::eks::refusals::{invalid, one_of};

/// What can be changed of a node group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::eks) struct Settings {
    /// Such as `1.35`.
    pub(in crate::eks) version: String,
    /// Such as `1.35.0-20260202`.
    pub(super) release: String,
    /// What the launch template says, if there is one.
    pub(super) launch: Option<Launch>,
    pub(super) scaling: Scaling,
    pub(super) labels: BTreeMap<String, String>,
    /// By key and effect.
    pub(super) taints: BTreeMap<String, Taint>,
    /// How many nodes are replaced at once.
    pub(super) update: Map<String, Value>,
    pub(super) repair: Map<String, Value>,
    /// Instances that wait to become nodes; empty if nothing is said of them.
    #[serde(default)]
    pub(super) warm_pool: Map<String, Value>,
}

/// What keeps pods away from nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Taint {
    key: String,
    value: Option<String>,
    effect: String,
}

/// How many nodes a group has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Scaling {
    pub(super) least: i64,
    pub(super) most: i64,
    pub(super) desired: i64,
}

/// How many taints a group may have (API reference, `CreateNodegroup`).
const MOST_TAINTS: usize = 50;
/// What the keys of labels do not begin with.
const RESERVED: [&str; 3] = ["kubernetes.io/", "k8s.io/", "eks.amazonaws.com/"];
/// What taints do (API reference, `Taint`).
const EFFECTS: [&str; 3] = ["NO_SCHEDULE", "NO_EXECUTE", "PREFER_NO_SCHEDULE"];

impl Scaling {
    /// What a group has that is not told how many.
    const USUAL: Self = Self { least: 1, most: 2, desired: 2 };

    fn read(self, scaling: &Parameters, quota: usize) -> Result<Self, Refusal> {
        let quota = i64::try_from(quota).unwrap_or(i64::MAX);
        let read = Self {
            least: scaling.integer("minSize")?.unwrap_or(self.least),
            most: scaling.integer("maxSize")?.unwrap_or(self.most),
            desired: scaling.integer("desiredSize")?.unwrap_or(self.desired),
        };
        let Self { least, most, desired } = read;
        if least < 0 || !(1..=quota).contains(&most) {
            return Err(invalid(format!("The sizes {least} to {most} are not between 0 and {quota}.")));
        }
        if least > most {
            return Err(invalid(format!("Minimum capacity {least} can't be greater than max size {most}")));
        }
        if least > desired {
            return Err(invalid(format!(
                "Minimum capacity {least} can't be greater than desired size {desired}"
            )));
        }
        if desired > most {
            return Err(invalid(format!("Desired capacity {desired} can't be greater than max size {most}")));
        }
        Ok(read)
    }

    /// Returns how many nodes there are to be.
    pub(super) fn wanted(self) -> usize {
        usize::try_from(self.desired).expect("it is not below 0")
    }
}

impl Settings {
    /// Reads what a new group is to be, with what EKS takes where nothing is said. It may have so many nodes.
    pub(super) fn read(
        parameters: &Parameters,
        version: &str,
        release: &str,
        quota: usize,
    ) -> Result<Self, Refusal> {
        let mut settings = Self {
            version: version.to_owned(),
            release: release.to_owned(),
            launch: None,
            scaling: Scaling::USUAL.read(&parameters.table("scalingConfig"), quota)?,
            labels: BTreeMap::new(),
            taints: BTreeMap::new(),
            update: [("maxUnavailable".to_owned(), json!(1))].into_iter().collect(),
            repair: [("enabled".to_owned(), json!(false))].into_iter().collect(),
            warm_pool: Map::new(),
        };
        settings.add_labels(&parameters.table("labels"))?;
        settings.add_taints(&parameters.tables("taints"))?;
        settings.read_update(&parameters.table("updateConfig"))?;
        settings.read_repair(&parameters.table("nodeRepairConfig"))?;
        settings.read_warm_pool(&parameters.table("warmPoolConfig"))?;
        Ok(settings)
    }

    /// Reads a change: labels and taints are added and removed one by one.
    pub(super) fn read_changes(&mut self, parameters: &Parameters, quota: usize) -> Result<(), Refusal> {
        self.scaling = self.scaling.read(&parameters.table("scalingConfig"), quota)?;
        let labels = parameters.table("labels");
        for label in labels.texts("removeLabels") {
            self.labels.remove(label);
        }
        self.add_labels(&labels.table("addOrUpdateLabels"))?;
        let taints = parameters.table("taints");
        for taint in taints.tables("removeTaints") {
            self.taints.remove(&Taint::read(&taint)?.identity());
        }
        self.add_taints(&taints.tables("addOrUpdateTaints"))?;
        self.read_update(&parameters.table("updateConfig"))?;
        self.read_repair(&parameters.table("nodeRepairConfig"))?;
        self.read_warm_pool(&parameters.table("warmPoolConfig"))
    }

    fn add_labels(&mut self, labels: &Parameters) -> Result<(), Refusal> {
        for (key, value) in &labels.0 {
            let value = value.as_str().ok_or_else(|| invalid(format!("The label {key} has no text.")))?;
            if RESERVED.iter().any(|prefix| key.starts_with(prefix)) {
                let prefixes = RESERVED.join(", ");
                let message = format!("Label cannot contain reserved prefixes [{prefixes}]: {key}");
                return Err(invalid(message));
            }
            self.labels.insert(key.clone(), value.to_owned());
        }
        Ok(())
    }

    fn add_taints(&mut self, taints: &[Parameters]) -> Result<(), Refusal> {
        for taint in taints {
            let taint = Taint::read(taint)?;
            self.taints.insert(taint.identity(), taint);
        }
        if self.taints.len() > MOST_TAINTS {
            return Err(invalid(format!("A node group has at most {MOST_TAINTS} taints.")));
        }
        Ok(())
    }

    /// Reads how many nodes are replaced at once: a number or a share of them.
    fn read_update(&mut self, update: &Parameters) -> Result<(), Refusal> {
        let (number, share) =
            (update.integer("maxUnavailable")?, update.integer("maxUnavailablePercentage")?);
        if number.is_some() && share.is_some() {
            return Err(invalid("Only one of maxUnavailable and maxUnavailablePercentage can be specified."));
        }
        let sizes = [("maxUnavailable", number, 100), ("maxUnavailablePercentage", share, 100)];
        for (name, size, most) in sizes {
            let Some(size) = size else { continue };
            if !(1..=most).contains(&size) {
                return Err(invalid(format!("{name} must be between 1 and {most}.")));
            }
            self.update.retain(|known, _| known == "updateStrategy");
            self.update.insert(name.to_owned(), json!(size));
        }
        if let Some(strategy) = update.text("updateStrategy") {
            let strategy = one_of("updateStrategy", strategy, &["DEFAULT", "MINIMAL"])?;
            self.update.insert("updateStrategy".to_owned(), json!(strategy));
        }
        Ok(())
    }

    fn read_repair(&mut self, repair: &Parameters) -> Result<(), Refusal> {
        repair.flag("enabled")?;
        self.repair.extend(repair.0.clone());
        Ok(())
    }

    fn read_warm_pool(&mut self, pool: &Parameters) -> Result<(), Refusal> {
        for flag in ["enabled", "reuseOnScaleIn"] {
            pool.flag(flag)?;
        }
        for size in ["minSize", "maxGroupPreparedCapacity"] {
            if pool.integer(size)?.is_some_and(|size| size < 0) {
                return Err(invalid(format!("{size} must not be below 0.")));
            }
        }
        if let Some(state) = pool.text("poolState") {
            one_of("poolState", state, &["STOPPED", "RUNNING", "HIBERNATED"])?;
        }
        self.warm_pool.extend(pool.0.clone());
        Ok(())
    }

    /// Returns them as answers have them.
    pub(super) fn shown(&self) -> Value {
        let taints: Vec<_> = self.taints.values().collect();
        let Scaling { least, most, desired } = self.scaling;
        let launch = self.launch.as_ref().map(
            |launch| json!({ "id": launch.id, "name": launch.name, "version": launch.version.to_string() }),
        );
        json!({
            "launchTemplate": launch,
            "version": self.version,
            "releaseVersion": self.release,
            "scalingConfig": { "minSize": least, "maxSize": most, "desiredSize": desired },
            "labels": self.labels,
            "taints": (!taints.is_empty()).then_some(taints),
            "updateConfig": self.update,
            "nodeRepairConfig": self.repair,
            "warmPoolConfig": (!self.warm_pool.is_empty()).then_some(&self.warm_pool),
        })
    }
}

impl Taint {
    fn read(taint: &Parameters) -> Result<Self, Refusal> {
        let (key, effect) = (taint.text("key").unwrap_or_default(), taint.text("effect").unwrap_or_default());
        if key.is_empty() || key.len() > 63 {
            return Err(invalid("The key of a taint has 1 to 63 characters."));
        }
        one_of("effect", effect, &EFFECTS)?;
        let value = taint.text("value").map(str::to_owned);
        Ok(Self { key: key.to_owned(), value, effect: effect.to_owned() })
    }

    /// Two taints with the same key and effect are one.
    fn identity(&self) -> String {
        format!("{}:{}", self.key, self.effect)
    }
}
