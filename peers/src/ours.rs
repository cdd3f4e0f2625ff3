//! Our own detector, given handles and nothing else.

use lookalike::detector::{Ask, Detector, Scratch};
use lookalike::index::Index;
use lookalike::index::gather::Budget;
use lookalike::profile::{Identity, Profile};

use crate::handles::{self, BEST};
use crate::{Outcome, answer, resident};

/// In which order candidates are told.
#[derive(Clone, Copy)]
pub enum Order {
    /// By the model, which was fitted to whole profiles.
    Score,
    /// By how alike the handles are.
    Likeness,
}

/// Measures it.
pub fn measure(protected: &str, attacks: &str, order: Order) -> Outcome<()> {
    let attacks = handles::attacks(attacks)?;
    let before = resident()?;
    let detector = Detector::default();
    let handles = handles::protected(protected)?;
    let count = handles.len() as f64;
    let number = |(number, handle)| Identity { number, handle, ..Identity::default() };
    let identities: Vec<Identity> = (0..).zip(handles).map(number).collect();
    let index = Index::build(&detector.reader, &identities, 1);
    drop(identities);
    let bytes = (resident()? - before) as f64 / count;
    eprintln!("the index counts {:.0} bytes an identity", index.memory() as f64 / count);
    let ask = Ask { limit: BEST, min_score: f32::MIN, budget: Budget::default() };
    let mut scratch = Scratch::default();
    answer(&attacks, bytes, |attack| {
        let best: Vec<u32> = match order {
            Order::Score => {
                let profile = Profile { handle: attack.handle.clone(), ..Profile::default() };
                let checked = detector.check(&index, &profile, &mut scratch, &ask);
                checked.matches.iter().map(|found| found.number as u32).collect()
            }
            Order::Likeness => {
                let handle = &attack.handle;
                let near = detector.nearest_handles(&index, handle, &mut scratch, &ask.budget);
                near.iter().map(|(number, _)| *number as u32).collect()
            }
        };
        Ok(handles::place(best, attack.subject))
    })
}
