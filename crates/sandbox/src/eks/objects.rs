//! What is in a cluster, and how it hangs together with the rest: machines, identities, addresses.

#[cfg(test)]
mod tests;

use ipnet::Ipv4Net;
use serde_json::Value;

use super::addon::{self, Addon};
use super::cluster::Cluster;
use super::life::{Life, Moment, Part, Status};
use crate::cluster::{AddOn, ControlPlane, Facts, Key, MASTERS, Machine, User};
use crate::ec2::{Network, zone_name};
use crate::identity::{Caller, Identity};

impl Cluster {
    /// Returns who issues the identities of its pods.
    pub(super) fn own_issuer(&self) -> String {
        Self::issuer(&self.region, &self.id)
    }

    fn facts(&self) -> Facts {
        let service_range = self.service_range.parse::<Ipv4Net>();
        Facts {
            name: self.name.clone(),
            version: self.settings.version.clone(),
            address: format!("https://{}", self.host()),
            certificate_authority: self.authority().pem(),
            issuer: self.own_issuer(),
            service_range: service_range.expect("it was checked when the cluster was made"),
        }
    }

    /// Lets happen what is due inside, with the machines that there are now.
    pub(super) fn settle_objects(&mut self, moment: &mut Moment<'_>) {
        if !matches!(self.life, Life { status: Status::Active, .. }) {
            return;
        }
        if self.plane.is_none() {
            let seed = format!("{} {}", self.arn, self.id);
            self.plane = Some(ControlPlane::new(self.facts(), &seed, moment.at));
        }
        let machines = self.machines(moment.network);
        let identities = self.pod_identities();
        let Some(mut plane) = self.plane.take() else { return };
        plane.set_identities(identities);
        plane.settle(moment.at);
        let add_ons = self.installed(&plane);
        plane.set_add_ons(&add_ons, moment.at);
        plane.set_machines(machines, moment.at);
        plane.settle(moment.at);
        if let Some(due) = plane.next_due() {
            let rest = due.duration_since(moment.at);
            moment.later(self, Part::Objects, rest);
        }
        self.plane = Some(plane);
    }

    /// Returns what EKS keeps in the cluster: the add-ons, and what was there from the start, in the version that
    /// it has had since.
    fn installed(&self, plane: &ControlPlane) -> Vec<AddOn> {
        let own = self.own_addons.iter().filter_map(|name| {
            let version = match plane.add_on_version(name) {
                Some(version) => version.to_owned(),
                None => addon::default_version(name, &self.settings.version)?,
            };
            let namespace = "kube-system".to_owned();
            Some(AddOn { name: name.clone(), version, namespace, replicas: addon::USUAL_REPLICAS })
        });
        let managed = self.addons.values().filter_map(Addon::installed);
        let mut all: Vec<_> = own.chain(managed).collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        all
    }

    /// Returns the machines of the node groups that work.
    fn machines(&self, network: &Network) -> Vec<Machine> {
        let groups = self.node_groups.values().filter(|group| group.life.status == Status::Active);
        let nodes = groups.flat_map(|group| group.nodes().iter().map(move |node| (group, node)));
        let machine = |(group, id): (&super::node_group::NodeGroup, &String)| {
            let host = network.machine(id)?;
            let dashed = host.address.to_string().replace('.', "-");
            let domain = match self.region.as_str() {
                "us-east-1" => "ec2.internal".to_owned(),
                region => format!("{region}.compute.internal"),
            };
            Some(Machine {
                name: format!("ip-{dashed}.{domain}"),
                instance_id: id.clone(),
                instance_type: host.instance_type,
                node_group: group.name.clone(),
                region: self.region.clone(),
                zone: zone_name(&self.region, &self.account, &host.zone_id).unwrap_or_default(),
                address: host.address,
                pod_addresses: host.more_addresses,
            })
        };
        nodes.filter_map(machine).collect()
    }

    /// Returns whom the cluster takes a caller for.
    pub(super) fn user(&self, caller: &Caller) -> Option<User> {
        let (principal, session) = match &caller.identity {
            Identity::Role(role) => {
                (role.role_arn.clone(), caller.arn.rsplit('/').next().unwrap_or_default())
            }
            Identity::User(_) | Identity::Administrator | Identity::Nobody => (caller.arn.clone(), ""),
        };
        if let Some(entry) =
            self.access_entries.get(&principal).filter(|_| self.settings.authentication.has_entries())
        {
            return Some(entry.user(session, caller));
        }
        if self.settings.authentication.has_configuration() {
            if self.creator.as_deref() == Some(principal.as_str()) {
                return Some(User::new("kubernetes-admin", &[MASTERS]));
            }
            return self.mapped(&principal, session);
        }
        None
    }

    /// Finds a principal in the configuration map `aws-auth`.
    fn mapped(&self, principal: &str, session: &str) -> Option<User> {
        let map = self.plane.as_ref()?.store.get(&Key::new("configmaps", "kube-system", "aws-auth"))?;
        for (field, arn) in [("mapRoles", "rolearn"), ("mapUsers", "userarn")] {
            let entries: Value =
                serde_saphyr::from_str(map["data"][field].as_str().unwrap_or_default()).ok()?;
            for entry in entries.as_array().into_iter().flatten() {
                if entry[arn] == *principal {
                    let groups = entry["groups"].as_array().into_iter().flatten().filter_map(Value::as_str);
                    let groups: Vec<_> = groups.collect();
                    let name = entry["username"].as_str().unwrap_or(principal);
                    return Some(User::new(&name.replace("{{SessionName}}", session), &groups));
                }
            }
        }
        None
    }
}
