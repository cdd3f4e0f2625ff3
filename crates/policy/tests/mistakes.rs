//! Every kind of mistake: the tiny pack with one thing wrong, and exactly what is said of it.

mod tiny;

use policy::check::limits;

/// Checks the tiny pack after one change and compares all that is said.
#[track_caller]
fn says(path: &str, from: &str, to: &str, expected: &[&str]) {
    let mistakes = match policy::check(&tiny::changed(path, from, to)) {
        Ok(_) => Vec::new(),
        Err(mistakes) => mistakes,
    };
    let said: Vec<String> = mistakes
        .iter()
        .map(|mistake| format!("{}:{} {}", mistake.path, mistake.line, mistake.description))
        .collect();
    let matches = said.len() == expected.len()
        && said.iter().zip(expected).all(|(said, expected)| said.contains(expected));
    assert!(matches, "{path}: {from:?} -> {to:?} says\n{}", said.join("\n"));
}

#[test]
fn the_tiny_pack_is_good() {
    says("pack.yaml", "tiny", "tiny", &[]);
    says("pack.yaml", "tiny", "tiny.pack-2_b", &[]);
}

#[test]
fn files_and_syntax() {
    let cases: &[(&str, &str, &str, &[&str])] = &[
        ("areas.yaml", "", "", &["areas.yaml:0 the file is missing"]),
        ("pack.yaml", "", "", &["pack.yaml:0 the file is missing"]),
        ("labels.yaml", "", "", &["labels.yaml:0 the file is missing"]),
        ("policies/hate.yaml", "", "", &["policies.yaml or policies/*.yaml:0 the file is missing"]),
        ("statements/fr.yaml", "", "", &["statements/fr.yaml:0 the file is missing"]),
        (
            "statements/de.yaml",
            "",
            "statements: {}\n...\n",
            &[
                "statements/de.yaml:0 \"de\" is not a locale",
                "statements/de.yaml:1 the statements lacks the key \"violation\"",
                "statements/de.yaml:1 the statements lacks the key \"violation_warning\"",
                "statements/de.yaml:1 the statements lacks the key \"overturned\"",
                "statements/de.yaml:1 the statements lacks the key \"partially_overturned\"",
            ],
        ),
        (
            "area.yaml",
            "",
            "x",
            &["area.yaml:0 a file of this path means nothing (did you mean \
                                  \"areas.yaml\"?)"],
        ),
        ("reasons/a/b.yaml", "", "x", &["reasons/a/b.yaml:0 a file of this path"]),
        ("areas.yaml", "code: speech", "code: [speech", &["areas.yaml:3 not YAML"]),
        ("areas.yaml", "\n...\n", "\n", &["areas.yaml:3 the file is cut off"]),
        ("areas.yaml", "areas:", "areas: &a", &["areas.yaml:2 anchors and aliases"]),
        ("areas.yaml", "code: speech", "code: *a", &["areas.yaml:2 not YAML"]),
        ("areas.yaml", "code: speech", "code: !!str speech", &["areas.yaml:2 tags"]),
        ("areas.yaml", "...\n", "---\na: 1\n...\n", &["areas.yaml:4 a file holds one document"]),
        (
            "areas.yaml",
            "  - code",
            "  - [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]\n  - code",
            &["areas.yaml:2 nested deeper than 16 levels"],
        ),
        (
            "areas.yaml",
            "Speech",
            "\"a\\u0000b\"",
            &["areas.yaml:3 the title in \"en\" contains a \
                                                     control character"],
        ),
    ];
    for (path, from, to, expected) in cases {
        says(path, from, to, expected);
    }
    let mut files = tiny::files();
    files[0].content = b"areas:\n  - code: \xff\n...\n".to_vec();
    let mistakes = policy::check(&files).expect_err("not UTF-8");
    assert_eq!((mistakes.len(), mistakes[0].line), (1, 2), "{mistakes:?}");
    files = tiny::files();
    files.push(files[0].clone());
    let mistakes = policy::check(&files).expect_err("the same path twice");
    assert_eq!(mistakes[0].description, "this path is there twice");
}

#[test]
fn keys_and_types() {
    for (path, from, to, expected) in [
        (
            "areas.yaml",
            "    title:",
            "    titel:",
            &[
                "areas.yaml:2 an area lacks the key \"title\"",
                "areas.yaml:3 unknown key \"titel\" in an area (did you mean \"title\"?)",
            ][..],
        ),
        (
            "areas.yaml",
            "title: {en",
            "code: again\n    title: {en",
            &["areas.yaml:3 the key \"code\" is there twice, first on line 2"],
        ),
        (
            "areas.yaml",
            "areas:",
            "area:",
            &[
                "areas.yaml:1 unknown key \"area\" in the file (did you mean \"areas\"?)",
                "areas.yaml:1 the file lacks the key \"areas\"",
            ],
        ),
        (
            "areas.yaml",
            "title: {en: Speech, fr: Parole}",
            "title: Speech",
            &["areas.yaml:3 the title must be a map of keys and values, not a single value"],
        ),
        ("areas.yaml", "code: speech", "code: Speech", &["areas.yaml:2 the code \"Speech\" must"]),
        ("areas.yaml", "code: speech", "code: 7", &["areas.yaml:2 the code must be a text: write"]),
        (
            "areas.yaml",
            "code: speech",
            "code:",
            &["areas.yaml:2 the code must be a text, not noth"],
        ),
        (
            "areas.yaml",
            "code: speech",
            "code: [speech]",
            &["areas.yaml:2 the code must be a text, \
                                                            not a list"],
        ),
        ("areas.yaml", "Speech", "\" \"", &["areas.yaml:3 the title in \"en\" is empty"]),
        (
            "areas.yaml",
            "Speech",
            "yes",
            &["areas.yaml:3 the title in \"en\" must be a text: write"],
        ),
        (
            "areas.yaml",
            "  - code: speech\n    title: {en: Speech, fr: Parole}",
            "  []",
            &[
                ":0 a pack needs at least one area",
                "policies/hate.yaml:3 the key \"area\": there is no area \"speech\"",
            ],
        ),
        (
            "reasons.yaml",
            "evidence_required: true",
            "evidence_required: yes",
            &["reasons.yaml:11 evidence_required must be true or false"],
        ),
        (
            "reasons.yaml",
            "subject_types: [COMMENT, VIDEO]",
            "subject_types: COMMENT",
            &["reasons.yaml:13 the subject type must be a list, not a single value"],
        ),
        ("queues.yaml", "minutes: 240", "minutes: 0", &["queues.yaml:15 minutes must be a whole"]),
        (
            "queues.yaml",
            "minutes: 240",
            "minutes: 4.5",
            &["queues.yaml:15 minutes must be a whole"],
        ),
        ("queues.yaml", "minutes: 240", "minutes: '240'", &["queues.yaml:15 minutes must be a"]),
        ("queues.yaml", "minutes: 240", "minutes: 99999999999", &["queues.yaml:15 minutes must"]),
    ] {
        says(path, from, to, expected);
    }
}

#[test]
fn references_and_duplicates() {
    for (path, from, to, expected) in [
        (
            "reasons.yaml",
            "policy: hate",
            "policy: hatte",
            &[
                "reasons.yaml:5 the key \"policy\": there is no policy \"hatte\" (did you mean \"hate\"",
            ][..],
        ),
        (
            "reasons.yaml",
            "sla_class: 4h",
            "sla_class: 8d",
            &["reasons.yaml:7 the key \"sla_class\": there is no SLA class \"8d\""],
        ),
        (
            "reasons.yaml",
            "exclusive_queue: experts",
            "exclusive_queue: nobody",
            &["reasons.yaml:10 the key \"exclusive_queue\": there is no queue \"nobody\""],
        ),
        (
            "reasons.yaml",
            "exclusive_queue: experts",
            "exclusive_queue: general",
            &["reasons.yaml:10 the queue \"general\" is not exclusive"],
        ),
        (
            "reasons.yaml",
            "group: hate",
            "group: other",
            &["reasons.yaml:3 the name of the group \"other\" in labels.yaml: there is no label"],
        ),
        (
            "policies/hate.yaml",
            "area: speech",
            "area: music",
            &["policies/hate.yaml:3 the key \"area\": there is no area \"music\""],
        ),
        (
            "policies/hate.yaml",
            "ladders: [community]",
            "ladders: [shop]",
            &["policies/hate.yaml:16 the key \"ladders\": there is no ladder \"shop\""],
        ),
        (
            "queues.yaml",
            "escalates_to: experts",
            "escalates_to: expert",
            &["queues.yaml:5 the key \"escalates_to\": there is no queue \"expert\" (did you mean"],
        ),
        (
            "queues.yaml",
            "min_severity: CRITICAL",
            "areas: [speach]",
            &[
                "queues.yaml:4 the key \"areas\": there is no area \"speach\" (did you mean \"speech\"",
            ],
        ),
        (
            "areas.yaml",
            "...",
            "  - {code: speech, title: {en: S, fr: P}}\n...",
            &["areas.yaml:4 there is another area \"speech\""],
        ),
        (
            "reasons/more.yaml",
            "",
            "reasons: [{code: hate.slur}]\n...",
            &[
                "reasons/more.yaml:1 a reason lacks the key \"group\"",
                "reasons/more.yaml:1 a reason lacks the key \"title\"",
                "reasons/more.yaml:1 a reason lacks the key \"policy\"",
                "reasons/more.yaml:1 a reason lacks the key \"severity\"",
                "reasons/more.yaml:1 a reason lacks the key \"sla_class\"",
                "reasons/more.yaml:1 a reason lacks the key \"dsa_category\"",
                "reasons/more.yaml:1 there is another reason \"hate.slur\"",
            ],
        ),
        (
            "queues.yaml",
            "code: general",
            "code: urgent",
            &["queues.yaml:6 there is another queue \"urgent\""],
        ),
        (
            "queues.yaml",
            "  - {code: 4h",
            "  - {code: 4h, minutes: 1}\n  - {code: 4h",
            &["queues.yaml:16 there is another SLA class \"4h\""],
        ),
        // What could not be read is not called missing as well.
        (
            "policies/hate.yaml",
            "  - code: hate",
            "  - code: Hate",
            &["policies/hate.yaml:2 the code"],
        ),
        ("queues.yaml", "queues:", "queues: {", &["queues.yaml:2 not YAML"]),
    ] {
        says(path, from, to, expected);
    }
}

#[test]
fn words_of_enums_and_of_the_dsa() {
    let category = "STATEMENT_CATEGORY_ILLEGAL_OR_HARMFUL_SPEECH";
    for (from, to, expected) in [
        (
            "severity: MEDIUM",
            "severity: GRAVE",
            "reasons.yaml:6 the severity \"GRAVE\" is unknown, \
                                                 expected one of LOW, MEDIUM, HIGH, CRITICAL",
        ),
        ("severity: MEDIUM", "severity: medium", "(did you mean \"MEDIUM\"?)"),
        ("[COMMENT, VIDEO]", "[COMMENT, REEL]", "reasons.yaml:13 the subject type \"REEL\""),
        (
            "[COMMENT, VIDEO]",
            "[COMMENT, COMMENT]",
            "reasons.yaml:13 the subject type \"COMMENT\" \
                                                    is listed twice",
        ),
        (category, "STATEMENT_CATEGORY_HATE", "reasons.yaml:8 the DSA category"),
        (category, "ILLEGAL_OR_HARMFUL_SPEECH", "reasons.yaml:8 the DSA category"),
        (
            category,
            "STATEMENT_CATEGORY_PORNOGRAPHY_OR_SEXUALIZED_CONTENT",
            "reasons.yaml:8 \
          \"STATEMENT_CATEGORY_PORNOGRAPHY_OR_SEXUALIZED_CONTENT\" is not accepted by the DSA",
        ),
        (category, "STATEMENT_CATEGORY_NON_CONSENSUAL_BEHAVIOUR", "any more"),
        (category, "STATEMENT_CATEGORY_UNSAFE_AND_ILLEGAL_PRODUCTS", "any more"),
        (category, "STATEMENT_CATEGORY_SCOPE_OF_PLATFORM_SERVICE", "any more"),
        (
            "[KEYWORD_HATE_SPEECH]",
            "[KEYWORD_DANGEROUS_TOYS]",
            "reasons.yaml:9 \
          \"KEYWORD_DANGEROUS_TOYS\" is not accepted by the DSA transparency database any more",
        ),
        ("[KEYWORD_HATE_SPEECH]", "[KEYWORD_DISINFORMATION]", "any more"),
        ("[KEYWORD_HATE_SPEECH]", "[KEYWORD_MISINFORMATION]", "any more"),
        ("[KEYWORD_HATE_SPEECH]", "[KEYWORD_HATE_SPEACH]", "(did you mean \"KEYWORD_HATE_SPEECH\""),
        ("[KEYWORD_HATE_SPEECH]", "[KEYWORD_SUICIDE, KEYWORD_SUICIDE]", "listed twice"),
    ] {
        says("reasons.yaml", from, to, &[expected]);
    }
    says("policies/hate.yaml", "[REMOVE]", "[DELETE]", &["policies/hate.yaml:15 the action"]);
    says(
        "policies/hate.yaml",
        "ground: INCOMPATIBLE_CONTENT",
        "ground: ILLEGAL",
        &["policies/hate.yaml:13 the ground \"ILLEGAL\" is unknown"],
    );
    says(
        "ladders.yaml",
        "feature: LIVE",
        "feature: LIFE",
        &["ladders.yaml:18 the feature \"LIFE\" is unknown (did you mean \"LIVE\"?)"],
    );
    says("queues.yaml", "min_severity: CRITICAL", "sources: [BOT]", &["queues.yaml:4 the source"]);
}

#[test]
fn languages() {
    for (path, from, to, expected) in [
        (
            "pack.yaml",
            "[en, fr]",
            "[en, fr, fr]",
            &["pack.yaml:3 the locale \"fr\" is listed twice"][..],
        ),
        ("pack.yaml", "[en, fr]", "[en, FR]", &["pack.yaml:3 the locale \"FR\" must be a BCP 47"]),
        ("pack.yaml", "[en, fr]", "[]", &["pack.yaml:3 a pack needs at least one locale"]),
        (
            "pack.yaml",
            "default_locale: en",
            "default_locale: de",
            &["pack.yaml:2 the default locale \"de\" is not among the locales"],
        ),
        (
            "areas.yaml",
            ", fr: Parole",
            "",
            &["areas.yaml:3 the title lacks its translation to \"fr\""],
        ),
        (
            "areas.yaml",
            ", fr: Parole",
            ", fr: Parole, de: Rede",
            &["areas.yaml:3 the title: \"de\" is not a locale of pack.yaml"],
        ),
        ("areas.yaml", "fr: Parole", "fr:", &["areas.yaml:3 the title in \"fr\" must be a text"]),
        (
            "policies/hate.yaml",
            ", fr: Pas de haine.",
            "",
            &["policies/hate.yaml:8 the text lacks its translation to \"fr\""],
        ),
        (
            "policies/hate.yaml",
            ", fr: Pas de haine en France.",
            "",
            &["policies/hate.yaml:42 the text lacks its translation to \"fr\""],
        ),
        (
            "labels.yaml",
            "  tier.good: {en: tier.good, fr: tier.good}\n",
            "",
            &["labels.yaml:0 the label \"tier.good\" is missing"],
        ),
        (
            "labels.yaml",
            "{en: Hate, fr: Haine}",
            "{en: Hate}",
            &["labels.yaml:3 the label \"group.hate\" lacks its translation to \"fr\""],
        ),
        (
            "labels.yaml",
            "group.hate",
            "group.Hate",
            &["labels.yaml:3 the label \"group.Hate\" must"],
        ),
    ] {
        says(path, from, to, expected);
    }
}

#[test]
fn policies_and_overlays() {
    let file = "policies/hate.yaml";
    for (from, to, expected) in [
        (
            "LOW: 1, HIGH: 4",
            "LOW: -1, HIGH: 4",
            &[":11 the points of LOW must be a whole number"][..],
        ),
        (
            "LOW: 1, HIGH: 4",
            "LOW: 1001, HIGH: 4",
            &[":11 the points of LOW must be a whole number"],
        ),
        ("LOW: 1, HIGH: 4", "LOW: 5, HIGH: 4", &[":11 points must not fall as the severity rises"]),
        ("LOW: 1, HIGH: 4", "LAW: 1, HIGH: 4", &[":11 unknown key \"LAW\" in the points"]),
        ("ladders: [community]", "ladders: []", &[":11 points that count on no ladder"]),
        (
            "[community]",
            "[community, community]",
            &[":16 the ladder \"community\" is listed twice"],
        ),
        (
            "appeal_window_days: 180",
            "appeal_window_days: 179",
            &[":18 appealable: appeal_window_days \
                                                                  must be at least 180"],
        ),
        ("          appeal_window_days: 180\n", "", &[":17 appealable: appeal_window_days must"]),
        (
            "appeal_window_days: 180",
            "appeal_window_days: six",
            &[":18 appeal_window_days must be a"],
        ),
        (
            "appealable: true",
            "appealable: false",
            &[":18 not appealable: appeal_window_days must be"],
        ),
        ("expiry_days: 90", "expiry_days: -1", &[":12 expiry_days must be a whole number from 0"]),
        ("edition: 2026-01", "edition: 2025-01", &[":19 there is another edition \"2025-01\""]),
        ("2025-01-01", "2026-02-01", &[":20 editions stand oldest first"]),
        ("2025-01-01", "2026-01-01T12:00:00Z", &[":20 editions stand oldest first"]),
        ("2025-01-01", "2025-02-29", &[":6 the effective time must be a time such as"]),
        ("2025-01-01", "1925-01-01", &[":6 the effective time must be a time such as"]),
        ("2025-01-01", "2025-01-01T00:00:00+01:00", &[":6 the effective time must be a time"]),
        ("[DE, AT]", "[DE, UK]", &[":35 the region \"UK\" must be an ISO 3166-1 alpha-2 code"]),
        ("[DE, AT]", "[de]", &[":35 the region \"de\" must be"]),
        ("[DE, AT]", "[EU]", &[":35 the region \"EU\" must be"]),
        ("[DE, AT]", "[DE, DE]", &[":35 the region \"DE\" is listed twice"]),
        ("[DE, AT]", "[]", &[":35 an overlay needs at least one region"]),
        ("- code: fr", "- code: de", &[":39 there is another overlay \"de\" of this edition"]),
        ("points: {CRITICAL: 9}", "points: {CRITICAL: 3}", &[":37 points must not fall"]),
        (
            "points: {CRITICAL: 9}",
            "appeal_window_days: 30",
            &[":37 appealable: appeal_window_days"],
        ),
        (
            "points: {CRITICAL: 9}",
            "pionts: 9",
            &[":37 unknown key \"pionts\" in an overlay's rule"],
        ),
        (
            "            rule:\n              points: {CRITICAL: 9}\n              \
          ground: ILLEGAL_CONTENT\n",
            "",
            &[":34 an overlay changes the rule, the text or both"],
        ),
    ] {
        let expected: Vec<String> = expected.iter().map(|text| format!("{file}{text}")).collect();
        says(file, from, to, &expected.iter().map(String::as_str).collect::<Vec<_>>());
    }
    let files = tiny::changed(file, "            effective_time: 2026-06-01\n", "");
    assert!(policy::check(&files).is_ok(), "other regions may start at the same instant");
    says(
        file,
        "regions: [FR]\n            effective_time: 2026-06-01",
        "regions: [AT]",
        &["policies/hate.yaml:40 \"de\" names AT too, from the same instant on"],
    );
}

#[test]
fn ladders_and_queues() {
    for (path, from, to, expected) in [
        (
            "ladders.yaml",
            "threshold_points: 8",
            "threshold_points: 4",
            &["ladders.yaml:11 thresholds must rise: 4 comes after 4"][..],
        ),
        (
            "ladders.yaml",
            "threshold_points: 4",
            "threshold_points: 0",
            &["ladders.yaml:8 the threshold must be a whole number from 1"],
        ),
        (
            "ladders.yaml",
            "caution_points: 2",
            "caution_points: 4",
            &["ladders.yaml:4 caution_points must be below the first threshold, 4"],
        ),
        (
            "ladders.yaml",
            "    first_warning_max_severity: LOW\n",
            "",
            &["ladders.yaml:5 first_warning_days needs first_warning_max_severity"],
        ),
        ("ladders.yaml", "count: 6", "count: 1", &["ladders.yaml:15 the count must be a whole"]),
        ("ladders.yaml", "window_days: 90", "window_days: 0", &["ladders.yaml:16 the window must"]),
        (
            "ladders.yaml",
            "{feature: LIVE, duration_days: 30}",
            "{feature: LIVE, duration_days: 0}",
            &["ladders.yaml:18 duration_days must be a whole number from 1"],
        ),
        (
            "ladders.yaml",
            "          - {feature: COMMENTING, duration_days: 7}",
            "          []",
            &["ladders.yaml:9 at least one restriction is needed"],
        ),
        (
            "ladders.yaml",
            "...",
            "      - {count: 6, window_days: 90, restrictions: [{feature: \
          LIVE, duration_days: 1}]}\n...",
            &["ladders.yaml:19 there is another repeat rule"],
        ),
        (
            "ladders.yaml",
            "{feature: ACCOUNT",
            "{feature: LIVE, duration_days: 1}\n          - \
          {feature: LIVE",
            &["ladders.yaml:14 this feature is restricted already"],
        ),
        (
            "queues.yaml",
            "    appeals: true",
            "    appeals: false",
            &[
                "queues.yaml:1 no queue takes all appeals that are left over",
                "queues.yaml:8 never reached: \"general\" before it takes all reports",
            ],
        ),
        (
            "queues.yaml",
            "    min_severity: CRITICAL\n",
            "",
            &["queues.yaml:5 never reached: \"urgent\" before it takes all reports"],
        ),
        (
            "queues.yaml",
            "  - code: general",
            "  - code: general\n    subject_types: [LIVE]",
            &["queues.yaml:1 no queue takes all reports that are left over"],
        ),
        (
            "queues.yaml",
            "exclusive: true",
            "exclusive: true\n    sources: [USER]",
            &["queues.yaml:14 an exclusive queue has no criteria: \"sources\" is never read"],
        ),
        (
            "queues.yaml",
            "exclusive: true",
            "exclusive: true\n    escalates_to: urgent",
            &[
                "queues.yaml:2 the queue \"urgent\" escalates back to itself",
                "queues.yaml:11 the queue \"experts\" escalates back to itself",
            ],
        ),
    ] {
        says(path, from, to, expected);
    }
}

#[test]
fn statements() {
    let en = "statements/en.yaml";
    let between = tiny_kind("overturned");
    for (from, to, expected) in [
        (
            "{facts}",
            "{fact}",
            &[
                "statements/en.yaml:4 \"violation\" lacks the placeholder {facts}",
                "statements/en.yaml:5 there is no placeholder {fact} (did you mean {facts}",
            ][..],
        ),
        (
            "{appeal_until}",
            "{appeal_until} {appeal_reasons}",
            &["statements/en.yaml:7 {appeal_reasons} has no value in \"violation\""],
        ),
        (
            "{appeal_until}",
            "soon",
            &["statements/en.yaml:4 \"violation\" lacks the placeholder \
                                      {appeal_until}"],
        ),
        (
            "{source}",
            "{source",
            &[
                "statements/en.yaml:4 \"violation\" lacks the placeholder {source}",
                "statements/en.yaml:6 a brace stands only around a placeholder",
            ],
        ),
        ("{source}", "{source}}", &["statements/en.yaml:6 a brace stands only around"]),
        (
            between.as_str(),
            "",
            &["statements/en.yaml:1 the statements lacks the key \"overturned\""],
        ),
        (
            "  overturned:",
            "  overruled:",
            &[
                "statements/en.yaml:1 the statements lacks the key \"overturned\"",
                "statements/en.yaml:14 unknown key \"overruled\" in the statements (did you mean \
             \"overturned\"?)",
            ],
        ),
    ] {
        let expected: Vec<String> =
            expected.iter().map(|text| text.replace("mean {facts}", "mean \"facts\"")).collect();
        says(en, from, to, &expected.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

/// The lines of one kind in a statement file.
fn tiny_kind(kind: &str) -> String {
    let files = tiny::files();
    let file = files.iter().find(|file| file.path == "statements/en.yaml").unwrap();
    let text = String::from_utf8(file.content.clone()).unwrap();
    let lines = text.lines().skip_while(|line| *line != format!("  {kind}:")).take(6);
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn limits_hold_at_the_limit_and_one_past_it() {
    let name = |length: usize| "a".repeat(length);
    let code = |length| tiny::changed("pack.yaml", "tiny", &name(length));
    assert!(policy::check(&code(limits::CODE_CHARS_MAX)).is_ok());
    assert!(policy::check(&code(limits::CODE_CHARS_MAX + 1)).is_err());
    let title = |length| tiny::changed("areas.yaml", "Speech", &"ü".repeat(length));
    assert!(policy::check(&title(limits::TITLE_CHARS_MAX)).is_ok());
    assert!(policy::check(&title(limits::TITLE_CHARS_MAX + 1)).is_err());
    let wording = |length| tiny::changed("policies/hate.yaml", "No hate.", &"ü".repeat(length));
    assert!(policy::check(&wording(limits::TEXT_CHARS_MAX)).is_ok());
    assert!(policy::check(&wording(limits::TEXT_CHARS_MAX + 1)).is_err());
    let reference = |length| tiny::changed("policies/hate.yaml", "Rules, section 1", &name(length));
    assert!(policy::check(&reference(limits::REFERENCE_CHARS_MAX)).is_ok());
    assert!(policy::check(&reference(limits::REFERENCE_CHARS_MAX + 1)).is_err());
    let points = |points: i32| {
        tiny::changed("policies/hate.yaml", "CRITICAL: 8", &format!("CRITICAL: {points}"))
    };
    assert!(policy::check(&points(limits::POINTS_MAX)).is_ok());
    assert!(policy::check(&points(limits::POINTS_MAX + 1)).is_err());
    let areas = |count: usize| {
        let more: String = (1..count)
            .map(|at| format!("  - {{code: a{at}, title: {{en: A, fr: A}}}}\n"))
            .collect();
        tiny::changed("areas.yaml", "...", &format!("{more}..."))
    };
    assert!(policy::check(&areas(100)).is_ok());
    assert!(policy::check(&areas(101)).is_err());
}
