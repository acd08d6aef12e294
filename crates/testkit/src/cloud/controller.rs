//! The controller that makes a spout for each intake, and takes it away with it, as long as its host lives.

use std::collections::BTreeMap;
use std::time::Duration;

use straddle_engine::value::ValueMap;

use crate::cloud::{Action, Cloud, Life, Object, Request};
use crate::kinds::rules_of;

/// The name of the call in which the controller looks at an intake.
const LOOK: &str = "LookAtIntake";
/// How long at most until it does.
const NOTICE: Duration = Duration::from_secs(30);

impl Cloud {
    /// Lets the controller look at an intake that was made, changed or deleted.
    pub(super) fn notify_controller(&mut self, id: &str) {
        let Some(intake) = self.latest(id).filter(|object| object.kind == "intake").cloned() else { return };
        let due = self.now + self.work(NOTICE);
        let attributes = intake.attributes.clone();
        let action = Action::Create { attributes, tags: BTreeMap::new(), token: None };
        let account = intake.text("spout_account").unwrap_or(&intake.account).to_owned();
        let request = Request { account, operation: LOOK.to_owned(), kind: "spout".to_owned(), action };
        self.deliver_late(due, request);
    }

    /// Lets the controller bring the spout of an intake to what that says, if this is its call.
    pub(super) fn control(&mut self, request: &Request) -> bool {
        let (LOOK, Action::Create { attributes, .. }) = (request.operation.as_str(), &request.action) else {
            return false;
        };
        let text = |name: &str| attributes.get(name).and_then(straddle_engine::value::Value::as_str);
        let (Some(name), Some(host)) = (text("name"), text("host")) else { return true };
        let lives =
            self.latest(host).is_some_and(|host| matches!(host.life(self.now), Life::Ready | Life::Pending));
        if !lives {
            return true;
        }
        let of_intake = |object: &&Object, kind: &str, attribute: &str| {
            object.kind == kind && object.text(attribute) == Some(name) && object.gone.is_none()
        };
        let intake = self.live().find(|object| of_intake(object, "intake", "name")).cloned();
        let spout =
            self.live().find(|object| of_intake(object, "spout", "intake")).map(|spout| spout.id.clone());
        match (intake, spout) {
            (Some(intake), None) => self.make_spout(request, &intake),
            (Some(intake), Some(spout)) => {
                self.meddle(&spout, |spout| spout.attributes = like(&intake));
            }
            (None, Some(spout)) => {
                let gone = self.now + self.work(rules_of("spout").deleting);
                self.meddle(&spout, |spout| spout.gone = Some(gone));
            }
            (None, None) => {}
        }
        true
    }

    fn make_spout(&mut self, request: &Request, intake: &Object) {
        let rules = rules_of("spout");
        let spout = self.new_object(request, rules, &like(intake), &BTreeMap::new(), None);
        self.objects.push(spout);
    }
}

/// Returns what the spout of an intake is like.
fn like(intake: &Object) -> ValueMap {
    let taken = ["segments", "label"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), intake.attributes.get(name)?.clone())));
    let name = intake.attributes.get("name").map(|name| ("intake".to_owned(), name.clone()));
    taken.chain(name).collect()
}
