//! What becomes of endpoints by themselves.

use jiff::{SignedDuration, Timestamp};

use super::{EndpointKind, State};
use crate::ec2::{Event, Network, prefix_list};

/// How long an interface endpoint takes to get ready. Estimated.
pub(super) const READY: SignedDuration = SignedDuration::from_secs(90);
/// How long an endpoint that fails is pending. Estimated.
pub(super) const FAILED: SignedDuration = SignedDuration::from_secs(20);
/// How long an interface endpoint takes to go: its interfaces go last. Estimated.
const DELETED: SignedDuration = SignedDuration::from_secs(60);
/// How long a gateway endpoint takes to go. Estimated.
const ROUTES_DELETED: SignedDuration = SignedDuration::from_secs(5);

impl Network {
    /// Lets an endpoint get ready, or fail, when its time has come.
    pub(super) fn begin_endpoint(&mut self, id: &str, duration: SignedDuration) {
        let at = self.timeline.after(self.now, duration, Event::VpcEndpoint(id.to_owned()));
        if let Some(endpoint) = self.endpoints.get_mut(id) {
            endpoint.changes_at = Some(at);
        }
    }

    /// Lets an endpoint be ready at once: a route is there or is not.
    pub(super) fn finish_endpoint(&mut self, id: &str) {
        if let Some(endpoint) = self.endpoints.get_mut(id) {
            endpoint.state = State::Available;
        }
    }

    /// Lets an endpoint go: its routes at once, its interfaces after a while.
    pub(super) fn begin_to_delete_endpoint(&mut self, id: &str, region: &str) {
        let Some(endpoint) = self.endpoints.get_mut(id) else { return };
        if endpoint.state == State::Deleting {
            return;
        }
        endpoint.state = State::Deleting;
        let tables = std::mem::take(&mut endpoint.route_tables);
        let duration = match endpoint.kind {
            EndpointKind::Gateway => ROUTES_DELETED,
            EndpointKind::Interface => DELETED,
        };
        if let Some(list) = prefix_list::of_service(region, &endpoint.service) {
            for table in &tables {
                self.remove_endpoint_route(table, &list);
            }
        }
        self.begin_endpoint(id, duration);
    }

    /// Lets happen what is due of an endpoint at a time.
    pub(in crate::ec2) fn settle_endpoint(&mut self, id: &str, at: Timestamp) {
        let Some(endpoint) = self.endpoints.get_mut(id).filter(|endpoint| endpoint.changes_at == Some(at))
        else {
            return;
        };
        endpoint.changes_at = None;
        match endpoint.state {
            State::Pending if endpoint.failure.is_some() => endpoint.state = State::Failed,
            State::Pending => endpoint.state = State::Available,
            State::Available | State::Failed => {}
            State::Deleting => self.remove_endpoint(id),
        }
    }

    fn remove_endpoint(&mut self, id: &str) {
        let Some(endpoint) = self.endpoints.remove(id) else { return };
        for interface in endpoint.interfaces.values() {
            self.remove_interface(interface);
        }
        self.dependents.remove(&endpoint.vpc_id, id);
    }
}
