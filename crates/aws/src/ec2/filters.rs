//! Filters of the `Describe` calls. A filter that matches nothing is no error, unlike an id list.

use aws_sdk_ec2::types::Filter;
use straddle_engine::address::RemoteId;
use straddle_engine::resource::{Intent, OPERATION_TAG};

/// The most values that EC2 takes in one filter ("Filtering your resources", EC2 user guide).
const VALUES: usize = 200;

/// Makes a filter with one value.
pub(crate) fn equals(name: &str, value: &str) -> Filter {
    Filter::builder().name(name).values(value).build()
}

/// Makes a filter with several values, one of which has to fit.
pub(crate) fn any_of<'a>(name: &str, values: impl IntoIterator<Item = &'a str>) -> Filter {
    let values = values.into_iter().map(str::to_owned).collect();
    Filter::builder().name(name).set_values(Some(values)).build()
}

/// Asks for what belongs to an account, and not for what is shared with it.
pub(crate) fn owned_by(account: &str) -> Filter {
    equals("owner-id", account)
}

/// Asks for the things that the create of `intent` made.
pub(crate) fn made_by(intent: &Intent) -> Filter {
    equals(&format!("tag:{OPERATION_TAG}"), &intent.operation_id)
}

/// Asks for these ids, or for everything if there are too many of them.
pub(crate) fn ids(name: &str, ids: &[RemoteId]) -> Option<Vec<Filter>> {
    let texts = ids.iter().map(|id| id.as_str().to_owned()).collect();
    texts_or_everything(name, texts)
}

/// Asks for these values, or for everything if there are too many of them.
pub(crate) fn texts_or_everything(name: &str, texts: Vec<String>) -> Option<Vec<Filter>> {
    let fit = (1..=VALUES).contains(&texts.len());
    fit.then(|| vec![Filter::builder().name(name).set_values(Some(texts)).build()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_ids_than_a_filter_takes_ask_for_everything() {
        let many: Vec<_> = (0..=VALUES).map(|number| RemoteId::new(format!("vpc-{number}"))).collect();
        assert_eq!(ids("vpc-id", &many), None);
        let filters = ids("vpc-id", &many[..VALUES]).expect("so many fit");
        assert_eq!(filters[0].values().len(), VALUES);
    }
}
