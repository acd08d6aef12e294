//! The tokens of one cluster: made when they are needed, and anew before they end.

use std::sync::Arc;
use std::time::Duration;

use straddle_engine::cluster::ClusterAccess;
use straddle_engine::provider::ProviderError;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::token;

/// How long a token is used. A cluster takes one for about 14 minutes, and making a cluster alone
/// takes longer than that.
const USED_FOR: Duration = Duration::from_mins(9);

/// The tokens of one cluster.
pub(crate) struct Tokens {
    access: Arc<dyn ClusterAccess>,
    cluster: String,
    current: Mutex<Option<(String, Instant)>>,
}

impl Tokens {
    /// Makes tokens with an account's credentials.
    pub(crate) fn new(access: Arc<dyn ClusterAccess>, cluster: &str) -> Self {
        Self { access, cluster: cluster.to_owned(), current: Mutex::default() }
    }

    /// Returns a token that is good for some minutes.
    ///
    /// # Errors
    /// If the account's credentials cannot be had.
    pub(crate) async fn token(&self) -> Result<String, ProviderError> {
        let mut current = self.current.lock().await;
        if let Some((token, _)) = current.as_ref().filter(|(_, made)| made.elapsed() < USED_FOR) {
            return Ok(token.clone());
        }
        let made = Instant::now();
        let token = token::of_presigned_url(&self.access.presign(&self.cluster).await?);
        *current = Some((token.clone(), made));
        Ok(token)
    }

    /// Lets the next call have a new token.
    pub(crate) async fn forget(&self) {
        *self.current.lock().await = None;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use straddle_engine::cluster::ClusterDescription;
    use straddle_engine::provider::BoxFuture;

    use super::*;

    struct Counting(Arc<AtomicUsize>);

    impl ClusterAccess for Counting {
        fn presign<'a>(&'a self, cluster: &'a str) -> BoxFuture<'a, Result<String, ProviderError>> {
            let count = self.0.fetch_add(1, Ordering::Relaxed);
            Box::pin(async move { Ok(format!("https://sts/{cluster}/{count}")) })
        }

        fn describe<'a>(
            &'a self,
            _: &'a str,
        ) -> BoxFuture<'a, Result<Option<ClusterDescription>, ProviderError>> {
            Box::pin(async { Ok(None) })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_made_for_each_window_and_after_a_refusal() {
        let made = Arc::new(AtomicUsize::new(0));
        let tokens = Tokens::new(Arc::new(Counting(made.clone())), "main");
        let first = tokens.token().await.unwrap();
        tokio::time::advance(Duration::from_mins(8)).await;
        assert_eq!(tokens.token().await.unwrap(), first);
        tokio::time::advance(Duration::from_mins(2)).await;
        assert_ne!(tokens.token().await.unwrap(), first);
        tokens.forget().await;
        tokens.token().await.unwrap();
        assert_eq!(made.load(Ordering::Relaxed), 3);
    }
}
