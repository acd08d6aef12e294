//! What keeps a segment from being deleted: the interfaces in it, whoever has them.

use straddle_engine::diagnosis::{Blocker, Case, Diagnosis, Link};
use straddle_engine::provider::{BoxFuture, ProviderError};

use crate::client::Client;
use crate::cloud::{Action, Answer, Filter};
use crate::kinds::vacancy::INTERFACE;

/// Names the interfaces in a segment.
#[derive(Debug)]
pub struct Lodgers;

impl Diagnosis for Lodgers {
    fn blockers<'a>(&'a self, case: Case<'a>) -> BoxFuture<'a, Result<Vec<Blocker>, ProviderError>> {
        Box::pin(async move {
            if case.kind.as_str() != "segment" {
                return Ok(Vec::new());
            }
            let client: &Client = case.connections[case.account].client();
            let ids = [case.remote_id.to_string()].into();
            let action = Action::List { filter: Filter::Standing { ids } };
            let Answer::List(found) = client.call("ListInterfaces", INTERFACE.kind, action).await? else {
                unreachable!("a list is answered with a list")
            };
            let blocker = |seen: &crate::cloud::Seen| Blocker {
                chain: vec![Link::new("interface", seen.id.clone()).of(Some(&seen.account))],
                advice: Some("Let its account take it out.".to_owned()),
            };
            Ok(found.iter().map(blocker).collect())
        })
    }
}
