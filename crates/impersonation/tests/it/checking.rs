//! Checks: profiles, streams, names at a form, imitators; thresholds and the state of the index.

use contracts::impersonation::v1::avatar::Picture as Given;
use contracts::impersonation::v1::check_handle_response::{Outcome, Reason};
use contracts::impersonation::v1::exemption_finding::Result as Finding;
use contracts::impersonation::v1::r#match::State as MatchState;
use contracts::impersonation::v1::stream_checks_response::Result as Item;
use contracts::impersonation::v1::{
    Avatar, CheckHandleRequest, CheckProfileRequest, Consequence, FindImitatorsRequest,
    GetIndexStatusRequest, GetThresholdsRequest, IdentitySpec, Profile, SetThresholdsRequest,
    Threshold, Thresholds,
};
use futures_util::{StreamExt as _, stream};
use lookalike::picture::{Limits, Pdq, Picture};
use tonic::Code;

use crate::world::{
    Client, check, copy_of, each, enrol, jane, observe, picture, reason, request_id, somebody,
    stranger,
};

#[tokio::test]
async fn a_copy_is_found_with_evidence_that_adds_up() {
    for world in each().await {
        let mut staff = world.service.staff();
        let enrolled = enrol(&mut staff, jane()).await;
        enrol(&mut staff, somebody(1)).await;
        world.current().await;
        let checked = check(&mut staff, copy_of(&jane(), "imitator")).await;
        let [found] = checked.likenesses.as_slice() else { panic!("{checked:#?}") };
        assert_eq!(found.identity_id, enrolled.identity_id);
        assert!(found.probability > 0.5, "{found:#?}");
        assert_ne!(found.consequence(), Consequence::Unspecified);
        let sum: f64 = found.evidence.iter().map(|evidence| evidence.points).sum();
        assert!((sum - found.score).abs() < 0.01, "{found:#?}");
        assert!(!checked.truncated && !checked.index_position.is_empty());
        assert!(check(&mut staff, stranger("s")).await.likenesses.is_empty());
        assert!(check(&mut staff, Profile::default()).await.likenesses.is_empty());
        assert_eq!(world.events().await.len(), 2, "a check keeps nothing");
    }
}

#[tokio::test]
async fn a_picture_is_found_mirrored_too_given_as_an_image_or_by_its_hash() {
    let bytes = include_bytes!("../../../lookalike/tests/data/rgb.jpg");
    let hash = Picture::read(bytes, Limits::default()).unwrap().hash();
    let avatar = |picture| Avatar { picture: Some(picture), ..Avatar::default() };
    let image = || vec![avatar(Given::Image(bytes.to_vec()))];
    for world in each().await {
        let mut staff = world.service.staff();
        enrol(&mut staff, IdentitySpec { avatars: image(), ..jane() }).await;
        world.current().await;
        let mirrored = vec![avatar(Given::Pdq(hash.mirrored().to_bytes().to_vec()))];
        // 4 views are enrolled; an image is looked for by some 80, a hash by its mirrored one too.
        for (avatars, most, pairs) in [(image(), 0, 300..=384), (mirrored, 8, 8..=8)] {
            let profile = Profile { avatars, ..copy_of(&jane(), "imitator") };
            let found = check(&mut staff, profile).await.likenesses.remove(0);
            let of = found.evidence.iter().find(|evidence| evidence.signal == "avatar");
            let words = &of.unwrap().words;
            let numbers: Vec<u32> =
                words.split(' ').filter_map(|word| word.parse::<u32>().ok()).collect();
            let [bits, 256, counted] = numbers.as_slice() else { panic!("{words}") };
            assert!(*bits <= most && pairs.contains(counted), "{words}");
        }
    }
}

#[tokio::test]
async fn a_picture_is_looked_at_again_with_those_in_mind_whom_it_may_show() {
    let whole = include_bytes!("../../../lookalike/tests/data/rgb.jpg");
    // A quarter of it is cut off at the left: no look meets that, a window does.
    let cut = include_bytes!("../../../lookalike/tests/data/cut.jpg");
    let of = |bytes: &[u8]| {
        vec![Avatar { picture: Some(Given::Image(bytes.to_vec())), ..Avatar::default() }]
    };
    let read = |bytes| Picture::read(bytes, Limits::default()).unwrap();
    let kept: Vec<Pdq> = read(whole).kept(4).into_iter().map(|(_, hash)| hash).collect();
    let nearest = |hash: &Pdq| kept.iter().map(|kept| kept.distance(hash)).min().unwrap();
    assert!(read(cut).looks().all(|(_, look)| nearest(&look) > 90));
    for world in each().await {
        let mut staff = world.service.staff();
        enrol(&mut staff, IdentitySpec { avatars: of(whole), ..jane() }).await;
        world.current().await;
        let imitator = Profile { avatars: of(cut), ..copy_of(&jane(), "imitator") };
        observe(&mut staff, vec![imitator]).await;
        // It is kept before other views, of which not all are.
        let found = world.one_match("imitator", MatchState::Open).await;
        let views = &found.profile.unwrap().avatars[0].view_pdqs;
        let first = Pdq::from_bytes(views[0].as_slice().try_into().unwrap());
        assert!(nearest(&first) <= 64, "{} bits", nearest(&first));
        assert_eq!(views.len(), 31);
    }
}

#[tokio::test]
async fn views_given_by_their_hashes_are_looked_for_and_kept() {
    let view = |number: &usize| match picture(*number).picture {
        Some(Given::Pdq(pdq)) => pdq,
        other => panic!("{other:?}"),
    };
    let avatar = |whole: usize, views: &[usize]| Avatar {
        view_pdqs: views.iter().map(view).collect(),
        ..picture(whole)
    };
    for world in each().await {
        let mut staff = world.service.staff();
        // Of a protected picture the whole and three further views are kept.
        let avatars = vec![avatar(3, &[5, 7, 11, 13])];
        let spec = IdentitySpec { avatars, ..jane() };
        let enrolled = enrol(&mut staff, spec).await;
        assert_eq!(enrolled.avatars[0].views, 3);
        world.current().await;
        for (asked, bits) in [
            (avatar(3, &[]), Some(0)),
            (avatar(11, &[]), Some(0)),
            (avatar(13, &[]), None),
            (avatar(17, &[19, 7]), Some(0)),
        ] {
            let profile = Profile { avatars: vec![asked], ..copy_of(&jane(), "imitator") };
            let found = check(&mut staff, profile).await.likenesses.remove(0);
            let of = found.evidence.iter().find(|evidence| evidence.signal == "avatar");
            let apart = of.and_then(|of| of.words.split(' ').find_map(|word| word.parse().ok()));
            assert_eq!(apart.filter(|apart: &u32| *apart < 31), bits, "{of:?}");
        }
    }
}

#[tokio::test]
async fn the_real_one_is_never_its_own_imitator() {
    for world in each().await {
        let mut staff = world.service.staff();
        enrol(&mut staff, jane()).await;
        world.current().await;
        let own = check(&mut staff, copy_of(&jane(), "account-jane")).await.likenesses;
        assert_eq!(own.len(), 1);
        assert_eq!(own[0].consequence(), Consequence::Unspecified);
        assert_eq!(own[0].exemption.as_ref().unwrap().result(), Finding::Exempt);
    }
}

#[tokio::test]
async fn an_identity_is_found_only_in_its_markets() {
    for world in each().await {
        let mut staff = world.service.staff();
        enrol(&mut staff, IdentitySpec { markets: vec!["JP".to_owned()], ..jane() }).await;
        world.current().await;
        for (market, count) in [("JP", 1), ("jp", 1), ("", 1), ("DE", 0)] {
            let profile = Profile { market: market.to_owned(), ..copy_of(&jane(), "x") };
            assert_eq!(check(&mut staff, profile).await.likenesses.len(), count, "{market}");
        }
    }
}

#[tokio::test]
async fn a_form_is_told_no_more_than_it_needs() {
    for world in each().await {
        let mut staff = world.service.staff();
        enrol(&mut staff, jane()).await;
        world.current().await;
        let set = |at: f64| {
            let at = Some(Threshold { probability: at, ..Threshold::default() });
            Thresholds { suggest: at, open_case: at, hold: at }
        };
        // Whatever looks like somebody at all is held.
        thresholds(&mut staff, set(0.01)).await.unwrap();
        world.current().await;
        let ask = |account_id: &str, handle: &str| CheckHandleRequest {
            account_id: account_id.to_owned(),
            handle: handle.to_owned(),
            display_name: "Jane Doe Music".to_owned(),
            avatar: jane().avatars.pop(),
            market: String::new(),
        };
        let mut form = world.service.client("signup", "impersonation.check_handle");
        let held = form.check_handle(ask("", "janedoemusic")).await.unwrap().into_inner();
        assert_eq!((held.outcome(), held.reason()), (Outcome::Held, Reason::NeedsALook));
        let own = form.check_handle(ask("account-jane", "janedoemusic")).await.unwrap();
        assert_eq!(own.into_inner().outcome(), Outcome::Allowed);
        let free = CheckHandleRequest { handle: "quietreader".to_owned(), ..Default::default() };
        let free = form.check_handle(free).await.unwrap().into_inner();
        assert_eq!((free.outcome(), free.reason()), (Outcome::Allowed, Reason::Unspecified));
        let status = form.check_handle(CheckHandleRequest::default()).await.unwrap_err();
        assert_eq!(reason(&status), "INVALID_REQUEST");
    }
}

#[tokio::test]
async fn a_handle_alone_is_held_beside_the_nearest() {
    for world in each().await {
        let mut staff = world.service.staff();
        let named = |number: usize, handle: &str| IdentitySpec {
            handle: handle.to_owned(),
            display_name: "Somebody Else".to_owned(),
            ..somebody(number)
        };
        enrol(&mut staff, named(1, "margaretthornecooking")).await;
        // As near by how they look as the disguise below is to the one above, and many.
        for number in 0..70 {
            let letters = ["b", "d", "f", "h", "k", "p", "t"];
            let ends = format!("{}{}", letters[number % 7], letters[number / 7 % 7]);
            let handle = format!("margaretthorne{ends}{}", number / 49);
            enrol(&mut staff, named(100 + number, &handle)).await;
        }
        let at = Some(Threshold { probability: 0.2, ..Threshold::default() });
        let set = Thresholds { suggest: at, open_case: at, hold: at };
        thresholds(&mut staff, set).await.unwrap();
        world.current().await;
        let mut form = world.service.client("signup", "impersonation.check_handle");
        for (handle, outcome) in [
            ("m\u{430}rgarett\u{4bb}orne_c00king", Outcome::Held),
            ("margretthornecokking", Outcome::Held),
            ("gardeningwithpeter", Outcome::Allowed),
            ("margaret", Outcome::Allowed),
        ] {
            let ask = CheckHandleRequest { handle: handle.to_owned(), ..Default::default() };
            let told = form.check_handle(ask).await.unwrap().into_inner();
            assert_eq!(told.outcome(), outcome, "{handle}");
            let profile = Profile { handle: handle.to_owned(), ..Profile::default() };
            let found = check(&mut staff, profile).await.likenesses;
            assert_eq!(found.is_empty(), outcome == Outcome::Allowed, "{handle}");
            for likeness in found {
                let sum: f64 = likeness.evidence.iter().map(|evidence| evidence.points).sum();
                assert!((sum - likeness.score).abs() < 0.01, "{likeness:#?}");
            }
        }
    }
}

pub async fn thresholds(client: &mut Client, set: Thresholds) -> Result<Thresholds, tonic::Status> {
    let request = SetThresholdsRequest { request_id: request_id(), thresholds: Some(set) };
    client.set_thresholds(request).await.map(|answer| answer.into_inner().thresholds.unwrap())
}

#[tokio::test]
async fn thresholds_say_what_follows_and_must_rise() {
    for world in each().await {
        let mut staff = world.service.staff();
        enrol(&mut staff, jane()).await;
        let at = |probability| Some(Threshold { probability, ..Threshold::default() });
        let falling = Thresholds { suggest: at(0.5), open_case: at(0.4), hold: at(0.9) };
        let status = thresholds(&mut staff, falling).await.unwrap_err();
        assert_eq!(reason(&status), "THRESHOLDS_NOT_RISING");
        let both = Some(Threshold { probability: 0.5, false_positive_rate: 0.01 });
        let both = Thresholds { suggest: both, open_case: at(0.6), hold: at(0.9) };
        assert_eq!(thresholds(&mut staff, both).await.unwrap_err().code(), Code::InvalidArgument);
        for (set, consequence) in [
            ([0.01, 1.0, 1.0], Consequence::Suggest),
            ([0.01, 0.01, 1.0], Consequence::OpenCase),
            ([0.01, 0.01, 0.01], Consequence::Hold),
        ] {
            let set = Thresholds { suggest: at(set[0]), open_case: at(set[1]), hold: at(set[2]) };
            assert_eq!(thresholds(&mut staff, set).await.unwrap(), set);
            world.current().await;
            let found = check(&mut staff, copy_of(&jane(), "x")).await.likenesses;
            assert_eq!(found[0].consequence(), consequence);
        }
        let by_rate = |rate| Some(Threshold { false_positive_rate: rate, ..Threshold::default() });
        let rates =
            Thresholds { suggest: by_rate(1e-2), open_case: by_rate(1e-3), hold: by_rate(1e-4) };
        let set = thresholds(&mut staff, rates).await.unwrap();
        assert!(set.suggest.unwrap().probability > 0.0);
        let read = staff.get_thresholds(GetThresholdsRequest {}).await.unwrap().into_inner();
        assert_eq!(read.thresholds, Some(set));
    }
}

#[tokio::test]
async fn imitators_come_best_first_and_end() {
    for world in each().await {
        let mut staff = world.service.staff();
        let enrolled = enrol(&mut staff, jane()).await;
        let near = Profile { avatars: Vec::new(), bio: String::new(), ..copy_of(&jane(), "near") };
        let mut all = vec![near, copy_of(&jane(), "copy"), copy_of(&jane(), "account-jane")];
        all.extend((0..50).map(|number| stranger(&format!("s{number}"))));
        observe(&mut staff, all).await;
        world.current().await;
        let find = |limit| FindImitatorsRequest {
            identity_id: enrolled.identity_id.clone(),
            limit,
            min_probability: 0.000_1,
        };
        let found: Vec<_> =
            staff.find_imitators(find(0)).await.unwrap().into_inner().collect().await;
        let found: Vec<(String, f64)> = found
            .into_iter()
            .map(Result::unwrap)
            .map(|f| (f.profile.unwrap().account_id, f.likeness.unwrap().probability))
            .collect();
        assert!(found.windows(2).all(|pair| pair[0].1 >= pair[1].1), "{found:?}");
        let accounts: Vec<&str> = found.iter().map(|(account, _)| account.as_str()).collect();
        assert!(["copy", "near", "account-jane"].iter().all(|a| accounts.contains(a)), "{found:?}");
        assert_eq!(accounts.len(), 3);
        let best: Vec<_> =
            staff.find_imitators(find(1)).await.unwrap().into_inner().collect().await;
        assert_eq!(best.len(), 1);
        let nobody = FindImitatorsRequest { identity_id: "idn_0".to_owned(), ..find(1) };
        let status = staff.find_imitators(nobody).await.map(drop).unwrap_err();
        assert_eq!(reason(&status), "IDENTITY_NOT_FOUND");
    }
}

#[tokio::test]
async fn a_stream_answers_each_check_in_order() {
    use contracts::impersonation::v1::StreamChecksRequest;
    for world in each().await {
        let mut staff = world.service.staff();
        enrol(&mut staff, jane()).await;
        world.current().await;
        let items = (0..40).map(|number| {
            let mut profile = stranger("s");
            match number % 4 {
                0 => profile = copy_of(&jane(), "x"),
                1 => profile.handle = "x".repeat(257),
                _ => {}
            }
            let check = CheckProfileRequest { profile: Some(profile), ..Default::default() };
            StreamChecksRequest { check: Some(check) }
        });
        let answers = staff.stream_checks(stream::iter(items.collect::<Vec<_>>())).await.unwrap();
        let answers: Vec<_> = answers.into_inner().map(Result::unwrap).collect().await;
        assert!(answers.iter().map(|answer| answer.index).eq(0..40));
        for (number, answer) in answers.iter().enumerate() {
            match (number % 4, answer.result.as_ref().unwrap()) {
                (0, Item::Check(checked)) => assert_eq!(checked.likenesses.len(), 1),
                (1, Item::Error(error)) => {
                    assert_eq!(error.field_violations[0].field, "profile.handle");
                }
                (2 | 3, Item::Check(checked)) => assert!(checked.likenesses.is_empty()),
                other => panic!("{other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn the_index_says_how_it_is() {
    for world in each().await {
        let mut staff = world.service.staff();
        for number in 0..5 {
            enrol(&mut staff, somebody(number)).await;
        }
        world.current().await;
        let status = staff.get_index_status(GetIndexStatusRequest {}).await.unwrap().into_inner();
        assert!(status.ready && status.identity_bytes > 0);
        assert_eq!((status.identity_count, status.behind_count, status.shard_count), (5, 0, 1));
        assert_eq!(status.position, kit::events::head_token(&world.db).await.unwrap());
    }
}
