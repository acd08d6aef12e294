//! Lookups on the simulated cloud: `network` finds one, `segments` lists those of a network.

use std::collections::BTreeMap;

use straddle_engine::lookup::{Lookup, Match};
use straddle_engine::provider::ProviderError;
use straddle_engine::schema::{Attributes, Tags};
use straddle_engine::value::Value;

use crate::client::Client;
use crate::cloud::{Filter, Seen};
use crate::kinds::{Network, Segment, calls, range};

/// Looks for a network, as [`Lookup`].
#[derive(Debug)]
pub struct FindNetwork;

/// A network that exists.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub struct NetworkInputs {
    /// Its id.
    id: Option<String>,
    /// What else tells it from others.
    filter: Option<NetworkFilter>,
}

/// What tells a network from others.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub struct NetworkFilter {
    /// Its range of addresses.
    #[attribute(normalize = range::normalize)]
    range: Option<String>,
    /// Tags that it has.
    tags: Option<BTreeMap<String, String>>,
}

/// What is known of a network.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub struct NetworkOutputs {
    /// Its range of addresses.
    range: String,
    /// Its tags.
    tags: Tags,
}

impl Lookup for FindNetwork {
    const KIND: &'static str = "network";
    const SERVICE: &'static str = "fabric";

    type Inputs = NetworkInputs;
    type Outputs = NetworkOutputs;
    type Client = Client;

    async fn read(
        client: &Client,
        inputs: &NetworkInputs,
    ) -> Result<Vec<Match<NetworkOutputs>>, ProviderError> {
        let by_id = inputs.id.clone().map(|id| Filter::from_iter([id]));
        let found = calls::list::<Network>(client, by_id.unwrap_or(Filter::All)).await?;
        let fits = |seen: &Seen| {
            let Some(filter) = &inputs.filter else { return true };
            let has_range = filter.range.as_ref().is_none_or(|range| seen.text("range") == Some(range));
            let tags = tags_of(seen);
            has_range && filter.tags.iter().flatten().all(|(key, value)| tags.get(key) == Some(value))
        };
        Ok(found.into_iter().filter(fits).map(|seen| network(&seen)).collect())
    }
}

fn network(seen: &Seen) -> Match<NetworkOutputs> {
    let tags = tags_of(seen);
    let range = seen.text("range").unwrap_or_default().to_owned();
    Match {
        id: seen.id.clone(),
        name: tags.get("Name").cloned(),
        outputs: NetworkOutputs { range, tags: Tags(tags) },
    }
}

fn tags_of(seen: &Seen) -> BTreeMap<String, String> {
    let tags = seen.values.get("tags").and_then(Value::as_map).into_iter().flatten();
    tags.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

/// Lists the segments of a network, as [`Lookup`].
#[derive(Debug)]
pub struct FindSegments;

/// The segments of a network.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub struct SegmentsInputs {
    /// The network.
    #[attribute(refers_to = "network")]
    network: String,
}

/// What is known of the segments.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub struct SegmentsOutputs {
    /// Their ids, sorted.
    ids: Vec<String>,
}

impl Lookup for FindSegments {
    const KIND: &'static str = "segments";
    const SERVICE: &'static str = "fabric";

    type Inputs = SegmentsInputs;
    type Outputs = SegmentsOutputs;
    type Client = Client;

    async fn read(
        client: &Client,
        inputs: &SegmentsInputs,
    ) -> Result<Vec<Match<SegmentsOutputs>>, ProviderError> {
        let found = calls::list::<Segment>(client, Filter::All).await?;
        let of_network = found.into_iter().filter(|seen| seen.text("network") == Some(&inputs.network));
        let mut ids: Vec<_> = of_network.map(|seen| seen.id).collect();
        ids.sort();
        Ok(vec![Match { id: inputs.network.clone(), name: None, outputs: SegmentsOutputs { ids } }])
    }
}
