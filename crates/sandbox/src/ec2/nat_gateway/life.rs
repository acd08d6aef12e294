//! What becomes of NAT gateways and their addresses by themselves.

use jiff::{SignedDuration, Timestamp};

use super::{NatGateway, State, Status};
use crate::ec2::{Event, Network};

/// How long a gateway takes to get ready: typically two minutes.
pub(super) const READY: SignedDuration = SignedDuration::from_secs(120);
/// How long a gateway that fails is pending.
pub(super) const FAILED: SignedDuration = SignedDuration::from_secs(20);
/// How long a gateway takes to go.
const DELETED: SignedDuration = SignedDuration::from_secs(60);
/// How long one is described that is gone or has failed: "usually about an hour" (VPC user guide,
/// "Delete a NAT gateway" and "Troubleshoot NAT gateways").
const DESCRIBED: SignedDuration = SignedDuration::from_hours(1);
/// How long a gateway takes to get a secondary address.
const ADDRESS_READY: SignedDuration = SignedDuration::from_secs(20);

impl Network {
    /// Lets a gateway get ready, or fail, when its time has come.
    pub(super) fn begin_nat_gateway(&mut self, id: &str, duration: SignedDuration) {
        let at = self.timeline.after(self.now, duration, Event::NatGateway(id.to_owned()));
        if let Some(gateway) = self.nat_gateways.get_mut(id) {
            gateway.changes_at = Some(at);
        }
    }

    /// Lets a gateway go. One that is going already goes on.
    pub(super) fn begin_to_delete_nat_gateway(&mut self, id: &str) {
        let Some(gateway) = self.nat_gateways.get_mut(id) else { return };
        if gateway.state == State::Deleting {
            return;
        }
        gateway.state = State::Deleting;
        gateway.deleted_at = Some(self.now);
        gateway.changes_at = Some(self.timeline.after(self.now, DELETED, Event::NatGateway(id.to_owned())));
    }

    /// Lets an address get ready.
    pub(super) fn begin_nat_address(&mut self, id: &str, position: usize) {
        self.change_nat_address(id, position, ADDRESS_READY);
    }

    /// Lets an address go when its connections had time to end.
    pub(super) fn drain_nat_address(
        &mut self,
        id: &str,
        position: usize,
        status: Status,
        drain: SignedDuration,
    ) {
        self.change_nat_address(id, position, drain);
        if let Some(address) =
            self.nat_gateways.get_mut(id).and_then(|gateway| gateway.addresses.get_mut(position))
        {
            address.status = status;
        }
    }

    fn change_nat_address(&mut self, id: &str, position: usize, duration: SignedDuration) {
        let at = self.timeline.after(self.now, duration, Event::NatGateway(id.to_owned()));
        if let Some(address) =
            self.nat_gateways.get_mut(id).and_then(|gateway| gateway.addresses.get_mut(position))
        {
            address.changes_at = Some(at);
        }
    }

    /// Lets happen what is due of a gateway at a time.
    pub(in crate::ec2) fn settle_nat_gateway(&mut self, id: &str, at: Timestamp) {
        let Some(gateway) = self.nat_gateways.get(id) else { return };
        if gateway.changes_at == Some(at) {
            self.change_nat_gateway(id);
        }
        self.settle_nat_addresses(id, at);
    }

    fn change_nat_gateway(&mut self, id: &str) {
        let Some(gateway) = self.nat_gateways.get_mut(id) else { return };
        gateway.changes_at = None;
        match gateway.state {
            State::Pending if gateway.failure.is_some() => {
                gateway.state = State::Failed;
                self.begin_nat_gateway(id, DESCRIBED);
            }
            State::Pending => {
                gateway.state = State::Available;
                for address in &mut gateway.addresses {
                    address.status = Status::Succeeded;
                }
            }
            State::Available => {}
            State::Deleting => {
                gateway.state = State::Deleted;
                let interface = gateway.interface_id.clone();
                // "Deleting a public NAT gateway disassociates its Elastic IP address" (API
                // reference, `DeleteNatGateway`).
                if let Some(interface) = interface {
                    self.remove_interface(&interface);
                }
                self.begin_nat_gateway(id, DESCRIBED);
            }
            State::Failed | State::Deleted => {
                self.nat_gateways.remove(id);
            }
        }
    }

    fn settle_nat_addresses(&mut self, id: &str, at: Timestamp) {
        let Some(gateway) = self.nat_gateways.get_mut(id) else { return };
        if gateway.state != State::Available {
            // It takes its addresses along.
            return;
        }
        let NatGateway { addresses, interface_id: Some(interface), .. } = gateway else { return };
        let mut gone = Vec::new();
        addresses.retain_mut(|address| {
            if address.changes_at != Some(at) {
                return true;
            }
            if address.status.is_leaving() {
                gone.extend(address.private_address);
                return false;
            }
            (address.status, address.changes_at) = (Status::Succeeded, None);
            true
        });
        let interface = interface.clone();
        for address in gone {
            self.remove_private_address(&interface, address);
        }
    }
}
