//! What is told is counted once, where it belongs, and corrected in its place.

use contracts::impersonation::v1 as told;
use contracts::impersonation::v1::impersonation_event::Event;
use contracts::insights::v1::drift::Kind;
use contracts::insights::v1::{DetectorPeriod, GetDetectorDriftRequest};
use insights::drift::BOUNDS;
use insights::gauges::Gauges;
use kit::Time;

use crate::world::{DAY, START, each, found, label, labelled};

fn decided(period: &Option<DetectorPeriod>) -> (i64, i64) {
    let share = period.as_ref().and_then(|period| period.confirmed).unwrap_or_default();
    (share.count, share.total)
}

#[tokio::test]
async fn events_count_once_and_a_correction_restates_the_time_of_the_decision() {
    for world in each().await {
        let nothing = world.lately().await;
        assert_eq!((decided(&nothing.period), nothing.event_time), ((0, 0), None));
        let day = |days| START.minus(DAY * days);
        let batch = [
            found("evt_1", day(40), 0.5, "one"),
            found("evt_2", day(3), 0.96, "one"),
            labelled(label("lbl_1", day(39), 0.5, false)),
            labelled(label("lbl_2", day(2), 0.96, true)),
        ];
        world.tell(&batch).await;
        let first = world.lately().await;
        assert_eq!(decided(&first.period), (1, 1));
        assert_eq!(decided(&first.reference), (0, 1));
        let period = first.period.clone().unwrap();
        assert_eq!((period.found_count, period.corrected_count), (1, 0));
        assert!((period.expected_count - 0.96).abs() < 1e-12);
        assert!((period.brier_score - 0.04 * 0.04).abs() < 1e-12);
        let signals: Vec<&str> = period.signals.iter().map(|one| one.signal.as_str()).collect();
        assert_eq!(signals, ["avatar", "handle"]);
        assert_eq!(first.event_time, batch[3].time);

        // The whole stream again, as after a restore of an older place in it.
        world.tell(&batch).await;
        assert_eq!(world.lately().await, first);

        // An appeal corrects what was decided two days ago, today.
        world.clock.advance(DAY);
        let corrected =
            told::MatchLabelled { corrected: true, ..label("lbl_2", day(2), 0.96, false) };
        world.tell(&[labelled(corrected)]).await;
        let restated = world.lately().await;
        assert_eq!(decided(&restated.period), (0, 1));
        let period = restated.period.unwrap();
        assert_eq!((period.corrected_count, period.found_count), (1, 1));
        assert!((period.brier_score - 0.96 * 0.96).abs() < 1e-12);
        let weeks: Vec<(i64, i64)> = restated
            .weeks
            .iter()
            .map(|week| (week.found_count, week.confirmed.unwrap_or_default().total))
            .collect();
        assert_eq!(weeks, [(0, 0), (0, 0), (1, 1), (0, 0), (0, 0), (0, 0), (0, 0), (1, 1)]);
    }
}

#[tokio::test]
async fn a_probability_falls_into_the_band_whose_bounds_the_answer_names() {
    for world in each().await {
        let below = |bound: f64| bound - 1e-9;
        let probabilities: Vec<f64> =
            BOUNDS.iter().copied().chain(BOUNDS[1..].iter().copied().map(below)).collect();
        let events: Vec<told::ImpersonationEvent> = probabilities
            .iter()
            .chain([&1.0])
            .enumerate()
            .flat_map(|(at, probability)| {
                let time = START.minus(DAY);
                let label = label(&format!("lbl_{at}"), time, *probability, true);
                [found(&format!("evt_{at}"), time, *probability, "one"), labelled(label)]
            })
            .collect();
        world.tell(&events).await;
        let period = world.lately().await.period.unwrap();
        assert_eq!(period.bands.len(), BOUNDS.len());
        for (band, bound) in period.bands.iter().zip(BOUNDS) {
            assert_eq!(band.min_probability, bound);
            // Each bound and what lies just below the next; of the last the bound and 1.
            assert_eq!((band.found_count, band.confirmed.unwrap().total), (2, 2), "{band:?}");
            assert!((bound..=band.max_probability).contains(&band.mean_probability), "{band:?}");
        }
    }
}

#[tokio::test]
async fn only_what_lies_in_the_time_and_under_the_weights_asked_for_counts() {
    for world in each().await {
        let (start, end) = (START.minus(DAY), START);
        let micro = std::time::Duration::from_micros(1);
        let times = [start.minus(micro), start, end.minus(micro), end];
        for (at, time) in times.into_iter().enumerate() {
            for (model, probability) in [("one", 0.9), ("two", 0.8)] {
                let id = format!("{model}_{at}");
                let label = told::MatchLabelled {
                    model_version: model.to_owned(),
                    ..label(&id, time, probability, true)
                };
                world.tell(&[found(&id, time, probability, model), labelled(label)]).await;
            }
        }
        let asked = |model: &str| GetDetectorDriftRequest {
            start_time: Some(start.into()),
            end_time: Some(end.into()),
            model_version: model.to_owned(),
        };
        for (model, each) in [("", 2), ("one", 1), ("two", 1), ("three", 0)] {
            let answer = world.drift(asked(model)).await.unwrap();
            let period = answer.period.clone().unwrap();
            assert_eq!(decided(&answer.period), (2 * each, 2 * each), "{model}");
            assert_eq!(decided(&answer.reference), (each, each), "{model}");
            assert_eq!(period.found_count, 2 * each, "{model}");
        }
    }
}

#[tokio::test]
async fn what_has_drifted_is_said_and_measured() {
    for world in each().await {
        let mut events = Vec::new();
        for at in 0..100_u32 {
            let then = START.minus(DAY * 30);
            events.push(labelled(label(&format!("lbl_a{at}"), then, 0.97, at >= 3)));
            let now = START.minus(DAY * 2);
            events.push(labelled(label(&format!("lbl_b{at}"), now, 0.97, at >= 30)));
        }
        world.tell(&events).await;
        let answer = world.lately().await;
        let kinds: Vec<(Kind, &str)> =
            answer.drifts.iter().map(|drift| (drift.kind(), drift.signal.as_str())).collect();
        let signals = [(Kind::Signal, "avatar"), (Kind::Signal, "handle")];
        assert_eq!(kinds[..2], [(Kind::Calibration, ""), (Kind::Confirmed, "")]);
        assert_eq!(kinds[2..], signals);
        assert_eq!(answer.drifts[1].words, "70 of 100 decided are imitations, 97 of 100 before");
        let gauges = Gauges { db: world.db.clone(), clock: world.clock.clone() };
        let measured = gauges.drifts().await.unwrap();
        let expected = [("calibration", 1), ("confirmed", 1), ("signal", 2), ("probabilities", 0)];
        assert_eq!(measured, expected);
    }
}

#[tokio::test]
async fn what_is_not_counted_still_says_how_far_the_stream_has_come() {
    for world in each().await {
        let time = START.minus(DAY);
        let ended = told::ImpersonationEvent {
            event_id: "evt_9".to_owned(),
            time: Some(time.into()),
            event: Some(Event::IdentityEnded(told::IdentityEnded::default())),
        };
        world.tell(&[ended, told::ImpersonationEvent::default()]).await;
        let answer = world.lately().await;
        assert_eq!(decided(&answer.period), (0, 0));
        assert_eq!(answer.event_time.as_ref().and_then(Time::from_timestamp), Some(time));
    }
}
