//! A pack as small as can be, so that a test can name every line of it.
#![allow(dead_code)]

use contracts::policy::v1::PackFile;

const PACK: &str = "\
name: tiny
default_locale: en
locales: [en, fr]
...
";

const AREAS: &str = "\
areas:
  - code: speech
    title: {en: Speech, fr: Parole}
...
";

const LADDERS: &str = "\
ladders:
  - code: community
    title: {en: Community, fr: Communauté}
    caution_points: 2
    first_warning_days: 90
    first_warning_max_severity: LOW
    steps:
      - threshold_points: 4
        restrictions:
          - {feature: COMMENTING, duration_days: 7}
      - threshold_points: 8
        restrictions:
          - {feature: ACCOUNT, duration_days: 0}
    repeat_rules:
      - count: 6
        window_days: 90
        restrictions:
          - {feature: LIVE, duration_days: 30}
...
";

const QUEUES: &str = "\
queues:
  - code: urgent
    title: {en: Urgent, fr: Urgent}
    min_severity: CRITICAL
    escalates_to: experts
  - code: general
    title: {en: General, fr: Général}
  - code: appeals
    title: {en: Appeals, fr: Recours}
    appeals: true
  - code: experts
    title: {en: Experts, fr: Experts}
    exclusive: true
sla_classes:
  - {code: 4h, minutes: 240}
...
";

const REASONS: &str = "\
reasons:
  - code: hate.slur
    group: hate
    title: {en: Slur, fr: Insulte}
    policy: hate
    severity: MEDIUM
    sla_class: 4h
    dsa_category: STATEMENT_CATEGORY_ILLEGAL_OR_HARMFUL_SPEECH
    dsa_keywords: [KEYWORD_HATE_SPEECH]
    exclusive_queue: experts
    evidence_required: true
    notice_art16: true
    subject_types: [COMMENT, VIDEO]
...
";

const POLICIES: &str = "\
policies:
  - code: hate
    area: speech
    editions:
      - edition: 2025-01
        effective_time: 2025-01-01
        title: {en: Hate, fr: Haine}
        text: {en: No hate., fr: Pas de haine.}
        rule:
          severity: HIGH
          points: {LOW: 1, HIGH: 4, CRITICAL: 8}
          expiry_days: 90
          ground: INCOMPATIBLE_CONTENT
          ground_reference: Rules, section 1
          actions: [REMOVE]
          ladders: [community]
          appealable: true
          appeal_window_days: 180
      - edition: 2026-01
        effective_time: 2026-01-01T12:00:00Z
        title: {en: Hate, fr: Haine}
        text: {en: No hate at all., fr: Aucune haine.}
        rule:
          severity: HIGH
          points: {LOW: 1, HIGH: 4, CRITICAL: 8}
          expiry_days: 90
          ground: INCOMPATIBLE_CONTENT
          ground_reference: Rules, section 1
          actions: [REMOVE]
          ladders: [community]
          appealable: true
          appeal_window_days: 180
        overlays:
          - code: de
            regions: [DE, AT]
            rule:
              points: {CRITICAL: 9}
              ground: ILLEGAL_CONTENT
          - code: fr
            regions: [FR]
            effective_time: 2026-06-01
            text: {en: No hate in France., fr: Pas de haine en France.}
...
";

const LABELS: &str = "\
labels:
  none: {en: none, fr: aucun}
  group.hate: {en: Hate, fr: Haine}
";

const STATEMENT: &str = "\
    title: \"{policy_title} {subject_type}\"
    body: |
      {policy_text} {facts} {ground} {ground_reference}
      {actions} {restrictions} {source} {subject_id}
";

/// The keys of labels that every pack must have, but for those above.
const KEYS: &str = "severity.low severity.medium severity.high severity.critical subject.account \
subject.video subject.comment subject.live subject.message subject.product subject.shop \
subject.image subject.audio action.remove action.disable action.demote action.age_restrict \
action.restrict_interaction action.label feature.account feature.posting feature.commenting \
feature.live feature.messaging feature.selling feature.monetization feature.recommendation \
tier.good tier.caution tier.restricted tier.suspended source.user source.trusted_flagger \
source.detector ground.illegal_content ground.incompatible_content";

/// The files of the tiny pack.
pub fn files() -> Vec<PackFile> {
    let labels: String =
        KEYS.split_whitespace().map(|key| format!("  {key}: {{en: {key}, fr: {key}}}\n")).collect();
    let statement = |kind: &str, last: &str| format!("  {kind}:\n    {STATEMENT}      {last}\n");
    let statements = [
        "statements:\n",
        &statement("violation", "{appeal_until}"),
        &statement("violation_warning", "{appeal_until}"),
        &statement("overturned", "{appeal_reasons}"),
        &statement("partially_overturned", "{appeal_reasons}"),
        "...\n",
    ]
    .concat();
    let labels = format!("{LABELS}{labels}...\n");
    [
        ("areas.yaml", AREAS),
        ("labels.yaml", labels.as_str()),
        ("ladders.yaml", LADDERS),
        ("pack.yaml", PACK),
        ("policies/hate.yaml", POLICIES),
        ("queues.yaml", QUEUES),
        ("reasons.yaml", REASONS),
        ("statements/en.yaml", statements.as_str()),
        ("statements/fr.yaml", statements.as_str()),
    ]
    .into_iter()
    .map(|(path, content)| PackFile { path: path.to_owned(), content: content.into() })
    .collect()
}

/// The tiny pack with one place of one file changed; a file whose name stands in no pack is
/// added, and a file changed to nothing is left out.
pub fn changed(path: &str, from: &str, to: &str) -> Vec<PackFile> {
    let mut files = files();
    match files.iter_mut().find(|file| file.path == path) {
        Some(_) if from.is_empty() && to.is_empty() => files.retain(|file| file.path != path),
        Some(file) => {
            let text = String::from_utf8(file.content.clone()).expect("UTF-8");
            assert!(text.contains(from), "{path} has no {from:?}");
            file.content = text.replacen(from, to, 1).into();
        }
        None => files.push(PackFile { path: path.to_owned(), content: to.into() }),
    }
    files
}
