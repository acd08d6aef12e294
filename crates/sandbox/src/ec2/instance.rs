//! Instances, which node groups launch.

mod operations;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::network_interface::{Attachment, NewInterface, Requester};
use super::ownership::Thing;
use super::tags::Tags;
use super::{Event, Network};
use crate::call::Refusal;
use crate::world::AccountId;

pub(super) use operations::OPERATIONS;

/// How long an instance is described that is gone: "a terminated instance remains visible in the
/// console for a while, and then the entry is automatically deleted" (EC2 user guide); about an hour.
const DESCRIBED: SignedDuration = SignedDuration::from_hours(1);

/// How long it takes until an interface is deleted that its instance has left behind, where the
/// network plug-in of the cluster takes care of that. Estimated.
const LEFT: SignedDuration = SignedDuration::from_secs(60);

/// An instance.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Instance {
    id: String,
    owner: AccountId,
    pub(super) vpc_id: String,
    pub(super) subnet_id: String,
    /// The primary one; gone with the instance.
    interface_id: String,
    /// Those that the network plug-in has added.
    more_interfaces: Vec<String>,
    /// Such as `t3.medium`.
    kind: String,
    image_id: String,
    profile_arn: String,
    is_spot: bool,
    launched_at: Timestamp,
    terminated_at: Option<Timestamp>,
    pub(super) tags: Tags,
}

/// What an instance is made from.
#[derive(Debug, Clone)]
pub(crate) struct NewInstance {
    pub(crate) id: String,
    pub(crate) owner: AccountId,
    pub(crate) subnet_id: String,
    pub(crate) groups: Vec<String>,
    /// Such as `t3.medium`.
    pub(crate) instance_type: String,
    /// The principal that launches it, by its unique id.
    pub(crate) requester: String,
    /// The instance profile.
    pub(crate) profile_arn: String,
    pub(crate) is_spot: bool,
    pub(crate) tags: Tags,
}

impl Thing for Instance {
    const NOUN: &'static str = "instance";
    const NOT_FOUND: &'static str = "InvalidInstanceID.NotFound";

    fn owner(&self) -> &AccountId {
        &self.owner
    }
}

impl Instance {
    /// Returns its type.
    pub(super) fn kind(&self) -> &str {
        &self.kind
    }

    /// Returns the interfaces that it has beside the primary one.
    pub(super) fn more_interfaces(&self) -> &[String] {
        &self.more_interfaces
    }

    /// Returns its primary interface, as long as it runs.
    pub(super) fn primary_interface(&self) -> Option<&str> {
        self.terminated_at.is_none().then_some(&self.interface_id)
    }
}

impl Network {
    /// Launches an instance with an interface in a subnet.
    ///
    /// # Errors
    /// If the subnet is not there or has no address left.
    pub(crate) fn launch_instance(&mut self, new: NewInstance) -> Result<(), Refusal> {
        let interface_id = interface_id(&new.id, 0);
        let interface = NewInterface {
            owner: new.owner.clone(),
            subnet_id: new.subnet_id.clone(),
            description: String::new(),
            interface_type: "interface",
            requester: Requester::Principal(new.requester),
            groups: new.groups,
            address: None,
            tags: new.tags.clone(),
        };
        self.add_interface(&interface_id, interface)?;
        let attachment = Attachment { instance_id: new.id.clone(), device: 0 };
        self.attach_interface(&interface_id, Some(attachment));
        let instance = Instance {
            id: new.id.clone(),
            owner: new.owner,
            vpc_id: self.interfaces[&interface_id].vpc_id.clone(),
            subnet_id: new.subnet_id,
            interface_id,
            more_interfaces: Vec::new(),
            image_id: format!("ami-0{}", &digits(&new.instance_type)[..16]),
            kind: new.instance_type,
            profile_arn: new.profile_arn,
            is_spot: new.is_spot,
            launched_at: self.now,
            terminated_at: None,
            tags: new.tags,
        };
        self.instances.insert(new.id, instance);
        Ok(())
    }

    /// Gives an instance one more interface in its subnet, with its groups, and both of its
    /// interfaces as many further addresses as they may have or as are left.
    pub(crate) fn extend_instance(&mut self, id: &str, description: String, more: usize, tags: Tags) {
        let Some(instance) = self.instances.get(id) else { return };
        let (first, second) = (instance.interface_id.clone(), interface_id(id, 1));
        let Some(groups) = self.interfaces.get(&first).map(|interface| interface.groups.clone()) else {
            return;
        };
        let interface = NewInterface {
            owner: instance.owner.clone(),
            subnet_id: instance.subnet_id.clone(),
            description,
            interface_type: "interface",
            requester: Requester::Principal(format!("{}:{id}", instance.owner)),
            groups,
            address: None,
            tags,
        };
        let mut extended = vec![first];
        // A subnet that is full gives none, and the plug-in goes on without.
        if self.add_interface(&second, interface).is_ok() {
            let attachment = Attachment { instance_id: id.to_owned(), device: 1 };
            self.attach_interface(&second, Some(attachment));
            if let Some(instance) = self.instances.get_mut(id) {
                instance.more_interfaces.push(second.clone());
            }
            extended.push(second);
        }
        for interface in extended {
            for _ in 0..more {
                if self.add_private_address(&interface, None).is_err() {
                    return;
                }
            }
        }
    }

    /// Terminates an instance: its primary interface goes along, the others are left behind,
    /// until the network plug-in deletes them if there is one (`is_tidied`).
    pub(crate) fn terminate_instance(&mut self, id: &str, is_tidied: bool) {
        let now = self.now;
        let Some(instance) = self.instances.get_mut(id).filter(|instance| instance.terminated_at.is_none())
        else {
            return;
        };
        instance.terminated_at = Some(now);
        let (first, others) = (instance.interface_id.clone(), std::mem::take(&mut instance.more_interfaces));
        self.remove_interface(&first);
        for other in others {
            self.attach_interface(&other, None);
            if is_tidied {
                self.give_up_interface(&other, LEFT);
            }
        }
        self.timeline.after(now, DESCRIBED, Event::Instance(id.to_owned()));
    }

    /// Forgets an instance that is long gone.
    pub(super) fn forget_instance(&mut self, id: &str) {
        self.instances.remove(id);
    }
}

/// Names an interface of an instance. It is made while time passes, when nobody draws ids.
fn interface_id(instance: &str, device: u32) -> String {
    format!("eni-0{}", &digits(&format!("{instance} {device}"))[..16])
}

fn digits(text: &str) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(text.as_bytes()))
}
