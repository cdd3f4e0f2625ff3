//! `recourse impersonation export`: what reviewers decided about matches, as labelled accounts that
//! the detector can be fitted to and measured on.
//!
//! It must not know how they are used.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

use contracts::impersonation::v1::impersonation_service_client::ImpersonationServiceClient;
use contracts::impersonation::v1::{Label, ListLabelsRequest, ProfileSnapshot};
use prost_types::Timestamp;

use crate::caller::{Suite, persist};

/// Who asks.
const SUBJECT: &str = "fitting";
/// How many labels are asked for at a time.
const PAGE: i32 = 500;
const SECONDS_A_DAY: i64 = 86_400;

/// The files of a folder of labelled accounts.
#[derive(Debug, Default, PartialEq, Eq)]
struct Files {
    protected: String,
    positives: String,
    negatives: String,
}

/// Asks a suite for all labels and writes them to a folder; says how many.
///
/// # Errors
/// If the suite refuses, or a file cannot be written.
pub async fn export(suite: &Suite, folder: &Path) -> Result<String, String> {
    let mut labels = Vec::new();
    let mut page_token = String::new();
    loop {
        let page = persist(|| {
            let mut client = ImpersonationServiceClient::new(suite.channel());
            let asked = ListLabelsRequest { page_size: PAGE, page_token: page_token.clone() };
            let request = suite.request(SUBJECT, asked);
            async move { client.list_labels(request).await }
        });
        let page = page.await.map_err(|status| status.to_string())?;
        labels.extend(page.labels);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let files = files(&labels);
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let parts = [
        ("protected.tsv", &files.protected),
        ("positives.tsv", &files.positives),
        ("negatives.tsv", &files.negatives),
    ];
    for (name, text) in parts {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(format!(
        "{} confirmed and {} dismissed matches of {} identities written to {}",
        files.positives.lines().count(),
        files.negatives.lines().count(),
        files.protected.lines().count(),
        folder.display(),
    ))
}

/// Labels as lines; each identity as it was seen last.
fn files(labels: &[Label]) -> Files {
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    let mut protected: Vec<String> = Vec::new();
    let mut files = Files::default();
    for label in labels {
        let (Some(identity), Some(profile)) = (&label.identity, &label.profile) else { continue };
        let Some(likeness) = &label.likeness else { continue };
        let next = numbers.len();
        let number = *numbers.entry(&likeness.identity_id).or_insert(next);
        let line = account(&number.to_string(), identity, label.decide_time.as_ref());
        match protected.get_mut(number) {
            Some(known) => *known = line,
            None => protected.push(line),
        }
        let line = account(&label.match_id, profile, label.decide_time.as_ref());
        let _ = if label.imitation {
            writeln!(files.positives, "{line}\tconfirmed\t{number}\t")
        } else {
            writeln!(files.negatives, "{line}\tdismissed")
        };
    }
    files.protected = protected.into_iter().map(|line| line + "\n").collect();
    files
}

/// The nine fields of an account. What is not known stays empty.
fn account(id: &str, of: &ProfileSnapshot, then: Option<&Timestamp>) -> String {
    let known = |text: &str| text.replace(['\t', '\n', '\r'], " ");
    let picture = of.avatars.first();
    let pdq = picture.map_or(String::new(), |picture| {
        picture.pdq.iter().map(|byte| format!("{byte:02x}")).collect()
    });
    let age = of.account_create_time.zip(then.copied());
    let age = age.map(|(from, to)| ((to.seconds - from.seconds) / SECONDS_A_DAY).max(0));
    [
        known(id),
        known(&of.handle),
        known(&of.display_name),
        known(&of.bio),
        pdq,
        picture.map_or(0, |picture| picture.quality).to_string(),
        of.links.first().map_or(String::new(), |link| known(link)),
        of.followers.map_or(String::new(), |count| count.to_string()),
        age.map_or(String::new(), |days| days.to_string()),
    ]
    .join("\t")
}

#[cfg(test)]
mod tests {
    use contracts::impersonation::v1::{AvatarHash, Likeness};
    use lookalike::lab::accounts;

    use super::*;

    fn label(identity_id: &str, imitation: bool, profile: ProfileSnapshot) -> Label {
        let pdq = (0..32).collect();
        Label {
            match_id: "mat_1".to_owned(),
            imitation,
            likeness: Some(Likeness { identity_id: identity_id.to_owned(), ..Likeness::default() }),
            identity: Some(ProfileSnapshot {
                handle: identity_id.to_owned(),
                display_name: "Jane\tDoe".to_owned(),
                followers: Some(12),
                avatars: vec![AvatarHash { pdq, quality: 90, ..AvatarHash::default() }],
                ..ProfileSnapshot::default()
            }),
            profile: Some(profile),
            decide_time: Some(Timestamp { seconds: 10 * SECONDS_A_DAY, nanos: 0 }),
            ..Label::default()
        }
    }

    #[test]
    fn labels_are_read_back_as_labelled_accounts() {
        let profile = |handle: &str| ProfileSnapshot {
            handle: handle.to_owned(),
            bio: "one\ntwo".to_owned(),
            links: vec!["jane.example".to_owned()],
            account_create_time: Some(Timestamp { seconds: 3 * SECONDS_A_DAY, nanos: 5 }),
            ..ProfileSnapshot::default()
        };
        let labels = [
            label("jane", true, profile("jane_")),
            label("june", false, profile("june2")),
            label("jane", true, profile("jjane")),
        ];
        let files = files(&labels);
        let identities = accounts::identities(files.protected.as_bytes(), 10).unwrap();
        let handles: Vec<&str> = identities.iter().map(|known| known.handle.as_str()).collect();
        assert_eq!(handles, ["jane", "june"]);
        assert_eq!(identities[0].display_name, "Jane Doe");
        assert_eq!((identities[0].followers, identities[0].avatars.len()), (12, 1));
        let positives = accounts::accounts(files.positives.as_bytes(), 10).unwrap();
        let subjects: Vec<_> = positives.iter().map(|known| known.subject).collect();
        assert_eq!(subjects, [Some(0), Some(0)]);
        assert_eq!(positives[1].profile.handle, "jjane");
        assert_eq!(positives[0].profile.age_days, Some(7));
        assert_eq!(positives[0].profile.followers, None);
        assert!(positives[0].profile.avatars.is_empty());
        assert_eq!(positives[0].profile.bio, "one two");
        let negatives = accounts::accounts(files.negatives.as_bytes(), 10).unwrap();
        assert_eq!((negatives.len(), negatives[0].subject), (1, None));
        assert_eq!(negatives[0].class, "dismissed");
    }
}
