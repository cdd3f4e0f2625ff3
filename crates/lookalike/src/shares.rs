//! Work on many things shared out among threads. It must not know what the work is.

/// Does the work on as even shares of the items as there are threads, and gives what came of each,
/// in their order. It is told where in the items a share begins.
pub fn each<T: Sync, R: Send>(
    items: &[T],
    threads: usize,
    work: impl Fn(usize, &[T]) -> R + Sync,
) -> Vec<R> {
    let long = items.len().div_ceil(threads.max(1)).max(1);
    let work = &work;
    std::thread::scope(|scope| {
        let shares = items.chunks(long).enumerate();
        let started: Vec<_> =
            shares.map(|(place, share)| scope.spawn(move || work(place * long, share))).collect();
        // A panic there is a defect there: it goes on upwards.
        let ended = started.into_iter().map(|thread| match thread.join() {
            Ok(made) => made,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        ended.collect()
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_item_is_in_one_share_and_in_its_place() {
        let items: Vec<usize> = (0..10).collect();
        for threads in 0..12 {
            let shares = super::each(&items, threads, |first, share| {
                assert_eq!(first, share[0]);
                share.to_vec()
            });
            assert_eq!(shares.concat(), items);
            assert!(shares.len() <= threads.max(1));
        }
        assert!(super::each(&[0; 0], 2, |_, _| ()).is_empty());
    }
}
