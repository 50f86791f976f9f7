//! Calls in batches that double as long as all goes well, so that a full quota or a broken template
//! costs one refusal and not five hundred.
//!
//! **Spec:** upstream's `slowStartBatch`.

use std::future::Future;

use futures::future::join_all;

/// Makes `count` calls unless one fails; says how many succeeded, and the first failure.
pub(crate) async fn slow_start<Fut, E>(count: usize, call: impl Fn() -> Fut) -> (usize, Result<(), E>)
where
    Fut: Future<Output = Result<(), E>>,
{
    let (mut left, mut batch) = (count, 1);
    while left > 0 {
        let size = batch.min(left);
        let results = join_all((0..size).map(|_| call())).await;
        left -= results.iter().filter(|result| result.is_ok()).count();
        if let Some(error) = results.into_iter().find_map(Result::err) {
            return (count - left, Err(error));
        }
        batch = 2 * size;
    }
    (count, Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// Upstream's `TestSlowStartBatch`.
    #[tokio::test]
    async fn no_batch_follows_one_with_a_failure() {
        for (limit, successes, calls) in [(0, 0, 1), (10, 10, 10), (5, 5, 7)] {
            let made = Cell::new(0);
            let call = || {
                made.set(made.get() + 1);
                let result = if made.get() > limit { Err("refused") } else { Ok(()) };
                async move { result }
            };
            let (succeeded, result) = slow_start(10, call).await;
            assert_eq!((succeeded, made.get(), result.is_err()), (successes, calls, successes < 10));
        }
    }
}
