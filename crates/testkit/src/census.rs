//! Finds what carries a stack's tag by looking at the cloud itself.

use straddle_engine::address::{Kind, RemoteId};
use straddle_engine::audit::{Audit, Search, Trace};
use straddle_engine::provider::{BoxFuture, Connection, ProviderError};
use straddle_engine::resource::{ADDRESS_TAG, STACK_TAG};

use crate::client::{Client, Network};

/// Looks at the cloud itself, past everything that can go wrong with calls. Of what has been deleted
/// it still tells, as services do that have an index of tags.
#[derive(Debug)]
pub(crate) struct Census(pub(crate) Network);

impl Audit for Census {
    fn find<'a>(
        &'a self,
        connection: &'a Connection,
        search: &'a Search,
    ) -> BoxFuture<'a, Result<Vec<Trace>, ProviderError>> {
        Box::pin(async move {
            let client: &Client = connection.client();
            let cloud = self.0.cloud();
            let ours = cloud.objects().iter().filter(|object| {
                object.account == client.account() && object.tags.get(STACK_TAG) == Some(&search.stack_id)
            });
            let trace = ours.map(|object| Trace {
                kind: Some(Kind::new(object.kind.as_str())),
                id: RemoteId::new(object.id.as_str()),
                arn: None,
                address: object.tags.get(ADDRESS_TAG).cloned(),
                part_of: None,
            });
            Ok(trace.collect())
        })
    }
}
