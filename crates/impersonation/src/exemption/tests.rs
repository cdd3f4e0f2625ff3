//! The rule by table: who is exempt, and from what alone nobody is.

use contracts::impersonation::v1::avatar::Picture as Given;
use contracts::impersonation::v1::{Affiliate, Avatar, IdentitySpec, LabelPart};

use super::*;
use crate::identity::enrol;
use crate::picture::{Picture, Pictures};

const NOW: Time = Time::from_seconds(1_000_000);

fn jane() -> Identity {
    let spec = IdentitySpec {
        account_ids: vec!["jane-account".to_owned()],
        handle: "jane.doe".to_owned(),
        display_name: "Jane Doe".to_owned(),
        affiliates: vec![Affiliate {
            account_id: "agency".to_owned(),
            kind: 2,
            ..Default::default()
        }],
        ..IdentitySpec::default()
    };
    let picture = Picture { views: vec![0xab; 64], quality: 90, url: String::new() };
    enrol(spec, Pictures { pictures: vec![picture] }, "idn_jane".to_owned(), NOW)
}

fn profile(account: &str, name: &str, bio: &str) -> Profile {
    Profile {
        account_id: account.to_owned(),
        handle: "jane.doe.x".to_owned(),
        display_name: name.to_owned(),
        bio: bio.to_owned(),
        ..Profile::default()
    }
}

fn with_janes_picture(mut profile: Profile) -> Profile {
    let picture = Some(Given::Pdq(vec![0xab; 32]));
    profile.avatars = vec![Avatar { picture, ..Avatar::default() }];
    profile
}

fn exemption(kind: ExemptionKind, state: State, identity_id: &str) -> Exemption {
    Exemption {
        exemption_id: "exm_1".to_owned(),
        account_id: "x".to_owned(),
        identity_id: identity_id.to_owned(),
        kind: kind.into(),
        state: state.into(),
        ..Exemption::default()
    }
}

fn of(exemptions: &[Exemption]) -> Record<'_> {
    Record { exemptions, observed: None }
}

#[test]
fn own_accounts_and_affiliates_are_exempt_whatever_they_look_like() {
    for (account, kind) in
        [("jane-account", ExemptionKind::OwnAccount), ("agency", ExemptionKind::Affiliate)]
    {
        let found =
            find(&with_janes_picture(profile(account, "Jane Doe", "")), &jane(), Record::default());
        assert_eq!((found.is_exempt(), found.finding.kind()), (true, kind));
    }
    assert_eq!(find(&profile("", "Jane Doe", ""), &jane(), Record::default()), Found::default());
    assert_eq!(find(&profile("x", "Jane Doe", ""), &jane(), Record::default()), Found::default());
}

#[test]
fn what_was_granted_holds_for_its_identity_only() {
    let looks = with_janes_picture(profile("x", "Jane Doe", ""));
    for (identity, exempt) in [("idn_jane", true), ("", true), ("idn_other", false)] {
        let granted = [exemption(ExemptionKind::Namesake, State::Granted, identity)];
        assert_eq!(find(&looks, &jane(), of(&granted)).is_exempt(), exempt, "{identity}");
    }
}

#[test]
fn a_declaration_holds_as_far_as_the_label() {
    let declared = [exemption(ExemptionKind::Fan, State::Declared, "idn_jane")];
    let whole = profile("x", "Fan of Jane Doe", "fan page of Jane Doe");
    assert!(find(&whole, &jane(), of(&declared)).is_exempt());
    assert!(
        find(&whole, &jane(), Record::default()).is_exempt(),
        "a whole label needs no declaration"
    );
    let half = find(&with_janes_picture(whole.clone()), &jane(), of(&declared));
    assert_eq!(half.finding.result(), Finding::LabelIncomplete);
    assert_eq!(half.finding.missing, [i32::from(LabelPart::OwnPicture)]);
    assert!(half.mitigated);
    // Nothing on the profile itself: the declaration alone keeps nothing from following.
    let bare = find(&with_janes_picture(profile("x", "Jane Doe", "")), &jane(), of(&declared));
    assert_eq!((bare.finding.result(), bare.mitigated), (Finding::LabelIncomplete, false));
    assert_eq!(bare.finding.missing.len(), 3);
}

#[test]
fn a_namesake_who_was_there_first_is_exempt_unless_it_takes_more_than_the_name() {
    let mut older = profile("x", "jane doe", "a gardener");
    older.account_create_time = Some(Time::from_seconds(900_000).into());
    let seen = |profile: &Profile, at: i64| {
        crate::profile::observe(None, profile.clone(), Time::from_seconds(at)).0
    };
    let before = seen(&older, 999_999);
    let exempt = |profile: &Profile, observed: Option<&Observed>| {
        let found = find(profile, &jane(), Record { exemptions: &[], observed });
        assert!(!found.is_exempt() || found.finding.kind() == ExemptionKind::Namesake);
        found.is_exempt()
    };
    assert!(exempt(&older, Some(&before)));
    assert!(!exempt(&older, None), "age alone proves nothing");
    assert!(!exempt(&older, Some(&seen(&older, 1_000_000))), "first seen after the enrolment");
    assert!(!exempt(&with_janes_picture(older.clone()), Some(&before)));
    let disguised = Profile { display_name: "J\u{430}ne Doe".to_owned(), ..older.clone() };
    assert!(!exempt(&disguised, Some(&seen(&disguised, 999_999))));
    let bob = Profile { display_name: "Bob".to_owned(), ..older.clone() };
    let renamed = crate::profile::observe(Some(&seen(&bob, 1)), older.clone(), NOW).0;
    assert!(!exempt(&older, Some(&renamed)), "a bought account");
    let young = Profile { account_create_time: Some(NOW.into()), ..older.clone() };
    assert!(!exempt(&young, Some(&seen(&young, 999_999))));
}
