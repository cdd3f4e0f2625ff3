//! Identities by table: what is refused, what lapses, what runs out.

use contracts::impersonation::v1::BrandMark;

use super::*;
use crate::picture::Picture;

const NOW: Time = Time::from_seconds(1_000_000);

fn spec() -> IdentitySpec {
    IdentitySpec {
        kind: 1,
        account_ids: vec!["a1".to_owned(), "a2".to_owned()],
        handle: "jane".to_owned(),
        display_name: "Jane Doe".to_owned(),
        links: vec!["https://jane.example".to_owned()],
        ..IdentitySpec::default()
    }
}

fn picture(byte: u8) -> Pictures {
    let picture = Picture { views: vec![byte; 64], quality: 90, url: String::new() };
    Pictures { pictures: vec![picture] }
}

fn identity() -> Identity {
    enrol(spec(), picture(0xab), "idn_1".to_owned(), NOW)
}

fn verification(attribute: Attribute, value: &str, expire: Option<i64>) -> Verification {
    Verification {
        attribute: attribute.into(),
        value: value.to_owned(),
        method: "identity card".to_owned(),
        state: Verified::Valid.into(),
        verify_time: Some(NOW.into()),
        expire_time: expire.map(|seconds| Time::from_seconds(seconds).into()),
        lapse_time: None,
    }
}

#[test]
fn what_is_wrong_with_a_spec_is_named() {
    let affiliate = |id: &str| Affiliate { account_id: id.to_owned(), ..Affiliate::default() };
    let wrong = IdentitySpec {
        handle: " ".to_owned(),
        display_name: String::new(),
        ean_codes: ["4006381333931", "4006381333930", "12345678901", "abcdefgh"]
            .map(String::from)
            .to_vec(),
        markets: vec!["DE".to_owned(), "de".to_owned()],
        affiliates: vec![affiliate("a1"), affiliate("b"), affiliate("b")],
        expire_time: Some(NOW.into()),
        known_since_time: Some(Time::from_seconds(1_000_001).into()),
        ..spec()
    };
    let error = check(&wrong, "spec", NOW, Error::invalid_request());
    let status: tonic::Status = error.into();
    let details = tonic_types::StatusExt::get_error_details(&status);
    let named = details.bad_request().unwrap().field_violations.iter().map(|v| v.field.clone());
    let expected = [
        "spec.handle",
        "spec.ean_codes[1]",
        "spec.ean_codes[2]",
        "spec.ean_codes[3]",
        "spec.markets[1]",
        "spec.affiliates[0].account_id",
        "spec.affiliates[2].account_id",
        "spec.expire_time",
        "spec.known_since_time",
    ];
    assert!(named.eq(expected));
    assert_eq!(check(&spec(), "spec", NOW, Error::invalid_request()).invalid_fields(), 0);
}

#[test]
fn what_was_verified_lapses_with_exactly_its_value() {
    let hex = "ab".repeat(32);
    let mut identity = identity();
    for (attribute, value) in [
        (Attribute::Handle, "jane"),
        (Attribute::DisplayName, "Jane Doe"),
        (Attribute::Avatar, hex.as_str()),
        (Attribute::Link, "https://jane.example"),
        (Attribute::Account, "a2"),
    ] {
        assert!(identity.holds(attribute, value));
        identity.verify(verification(attribute, value, None), NOW);
    }
    assert!(!identity.holds(Attribute::Handle, "Jane"));
    let mut same = identity.clone();
    let changed = same.update(IdentitySpec { followers: 5, ..spec() }, picture(0xab), NOW);
    assert_eq!((changed.lapsed, changed.appearance), (vec![], true));

    let renamed = IdentitySpec { handle: "jane2".to_owned(), ..spec() };
    let changed = identity.update(renamed, picture(0xcd), NOW);
    let lapsed: Vec<Attribute> = changed.lapsed.iter().map(Verification::attribute).collect();
    assert_eq!(lapsed, [Attribute::Avatar, Attribute::Handle]);
    assert!(!identity.verified(Attribute::Handle, "jane"));
    // The old value does not become verified again when it comes back.
    identity.update(spec(), picture(0xab), NOW);
    assert!(!identity.verified(Attribute::Handle, "jane"));
    assert!(identity.verified(Attribute::Account, "a2"));
    assert_eq!(identity.etag(), "v8");
}

#[test]
fn appearance_is_what_is_compared() {
    let mut identity = identity();
    let affiliates = vec![Affiliate { account_id: "b".to_owned(), ..Affiliate::default() }];
    let other = IdentitySpec { affiliates, monitored: true, ..spec() };
    assert!(!identity.update(other.clone(), picture(0xab), NOW).appearance);
    let mark = BrandMark { words: "Doe & Co".to_owned(), ..BrandMark::default() };
    let marked = IdentitySpec { brand_marks: vec![mark], ..other };
    assert!(identity.update(marked, picture(0xab), NOW).appearance);
    assert_eq!(identity.compared().aliases, ["Doe & Co"]);
}

#[test]
fn time_runs_out_first_for_what_ends_first() {
    let mut identity = identity();
    assert_eq!(identity.next_lapse(), NEVER);
    identity.spec.expire_time = Some(Time::from_seconds(3_000_000).into());
    identity.verify(verification(Attribute::Handle, "jane", Some(2_000_000)), NOW);
    assert_eq!(identity.next_lapse(), Time::from_seconds(2_000_000));
    let changed = identity.run_out(Time::from_seconds(2_000_000));
    assert_eq!((changed.lapsed.len(), changed.over), (1, false));
    assert_eq!(identity.next_lapse(), Time::from_seconds(3_000_000));
    let changed = identity.run_out(Time::from_seconds(3_000_000));
    assert_eq!((changed.lapsed.len(), changed.over, identity.state), (0, true, State::Expired));
}

#[test]
fn verifications_are_bounded_and_one_for_each_value() {
    let mut identity = identity();
    for _ in 0..3 {
        identity.verify(verification(Attribute::Handle, "jane", None), NOW);
    }
    assert_eq!(identity.verifications.len(), 1);
    for number in 0..2 * VERIFICATIONS_MAX {
        let mut lapsed = verification(Attribute::Link, &number.to_string(), None);
        lapsed.set_state(Verified::Lapsed);
        identity.verify(lapsed, NOW);
    }
    assert_eq!(identity.verifications.len(), VERIFICATIONS_MAX);
    assert!(identity.verified(Attribute::Handle, "jane"));
}

#[test]
fn markets_narrow_protection_down() {
    let mut identity = identity();
    assert!(identity.protected_in("DE") && identity.protected_in(""));
    identity.spec.markets = vec!["FR".to_owned()];
    assert!(
        identity.protected_in("fr") && identity.protected_in("") && !identity.protected_in("DE")
    );
}
