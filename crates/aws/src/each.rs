//! Reads of services that have no call for many things at once.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt, stream};
use straddle_engine::address::RemoteId;
use straddle_engine::provider::{ErrorClass, ProviderError};

/// How many reads of one listing are under way at once. IAM and EKS allow tens of reads a second
/// ("Service quotas" of each), and the engine reads several listings side by side.
const AT_ONCE: usize = 10;

/// Reads each of these things with calls of its own. What is not there is left out.
pub(crate) async fn each<T, F>(
    ids: &[RemoteId],
    read: impl Fn(RemoteId) -> F,
) -> Result<BTreeMap<RemoteId, T>, ProviderError>
where
    F: Future<Output = Result<T, ProviderError>>,
{
    let reads = stream::iter(ids.to_vec()).map(|id| {
        let thing = read(id.clone());
        async move {
            match thing.await {
                Ok(thing) => Ok(Some((id, thing))),
                Err(error) if error.class == ErrorClass::NotFound => Ok(None),
                Err(error) => Err(error),
            }
        }
    });
    let found: Vec<_> = reads.buffer_unordered(AT_ONCE).try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn answers(class: ErrorClass) -> Result<Vec<(String, usize)>, ErrorClass> {
        let ids = ["one", "none", "three"].map(RemoteId::new);
        let read = |id: RemoteId| {
            let missing = id.as_str() == "none";
            std::future::ready(if missing {
                Err(ProviderError::new(class, "GetRole", ""))
            } else {
                Ok(id.as_str().len())
            })
        };
        let found = each(&ids, read).now_or_never().expect("nothing is waited for");
        let found = found.map_err(|error| error.class)?;
        Ok(found.into_iter().map(|(id, length)| (id.as_str().to_owned(), length)).collect())
    }

    #[test]
    fn only_what_is_not_there_is_left_out() {
        let found = Ok(vec![("one".to_owned(), 3), ("three".to_owned(), 5)]);
        assert_eq!(answers(ErrorClass::NotFound), found);
        assert_eq!(answers(ErrorClass::AccessDenied), Err(ErrorClass::AccessDenied));
    }
}
