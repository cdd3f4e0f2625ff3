//! The words that a pack may use: names of enum values, the DSA transparency database's categories
//! and keywords, and regions. Lists only; it must not know where in a pack a word stands.

use contracts::types::v1::{
    ContentAction, DecisionGround, Feature, Severity, Source, SubjectType, Tier,
};

/// The values of an enum by their short names ("HIGH" for SEVERITY_HIGH), the unspecified one left
/// out.
fn words<E: TryFrom<i32> + Copy>(
    prefix: &str,
    name: fn(&E) -> &'static str,
) -> Vec<(&'static str, E)> {
    (1..)
        .map_while(|number| E::try_from(number).ok())
        .map(|value| (name(&value).trim_start_matches(prefix), value))
        .collect()
}

pub(super) fn severities() -> Vec<(&'static str, Severity)> {
    words("SEVERITY_", Severity::as_str_name)
}

pub(super) fn subject_types() -> Vec<(&'static str, SubjectType)> {
    words("SUBJECT_TYPE_", SubjectType::as_str_name)
}

pub(super) fn actions() -> Vec<(&'static str, ContentAction)> {
    words("CONTENT_ACTION_", ContentAction::as_str_name)
}

pub(super) fn features() -> Vec<(&'static str, Feature)> {
    words("FEATURE_", Feature::as_str_name)
}

pub(super) fn tiers() -> Vec<(&'static str, Tier)> {
    words("TIER_", Tier::as_str_name)
}

pub(super) fn sources() -> Vec<(&'static str, Source)> {
    words("SOURCE_", Source::as_str_name)
}

pub(super) fn grounds() -> Vec<(&'static str, DecisionGround)> {
    words("DECISION_GROUND_", DecisionGround::as_str_name)
}

/// Keys of labels that every pack must have, besides one "group.…" for each group of reasons.
pub(super) fn label_keys() -> Vec<String> {
    fn keys<E>(prefix: &str, words: Vec<(&'static str, E)>) -> Vec<String> {
        words.iter().map(|(word, _)| format!("{prefix}.{}", word.to_lowercase())).collect()
    }
    [
        keys("severity", severities()),
        keys("subject", subject_types()),
        keys("action", actions()),
        keys("feature", features()),
        keys("tier", tiers()),
        keys("source", sources()),
        keys("ground", grounds()),
        vec![NOTHING_LABEL.to_owned()],
    ]
    .concat()
}

/// What stands where a placeholder of a statement has nothing to name.
const NOTHING_LABEL: &str = "none";

/// What a word of the DSA database stands for in the pack: itself.
pub(super) fn themselves<'a>(words: &[&'a str]) -> Vec<(&'a str, &'a str)> {
    words.iter().map(|word| (*word, *word)).collect()
}

/// The categories that the DSA transparency database takes since 2025-07-01.
pub(super) const DSA_CATEGORIES: [&str; 16] = [
    "STATEMENT_CATEGORY_ANIMAL_WELFARE",
    "STATEMENT_CATEGORY_CONSUMER_INFORMATION",
    "STATEMENT_CATEGORY_CYBER_VIOLENCE",
    "STATEMENT_CATEGORY_CYBER_VIOLENCE_AGAINST_WOMEN",
    "STATEMENT_CATEGORY_DATA_PROTECTION_AND_PRIVACY_VIOLATIONS",
    "STATEMENT_CATEGORY_ILLEGAL_OR_HARMFUL_SPEECH",
    "STATEMENT_CATEGORY_INTELLECTUAL_PROPERTY_INFRINGEMENTS",
    "STATEMENT_CATEGORY_NEGATIVE_EFFECTS_ON_CIVIC_DISCOURSE_OR_ELECTIONS",
    "STATEMENT_CATEGORY_NOT_SPECIFIED_NOTICE",
    "STATEMENT_CATEGORY_OTHER_VIOLATION_TC",
    "STATEMENT_CATEGORY_PROTECTION_OF_MINORS",
    "STATEMENT_CATEGORY_RISK_FOR_PUBLIC_SECURITY",
    "STATEMENT_CATEGORY_SCAMS_AND_FRAUD",
    "STATEMENT_CATEGORY_SELF_HARM",
    "STATEMENT_CATEGORY_UNSAFE_AND_PROHIBITED_PRODUCTS",
    "STATEMENT_CATEGORY_VIOLENCE",
];

/// Words that older versions of that database took, or that its documents still name.
pub(super) const DSA_REMOVED: [&str; 7] = [
    "KEYWORD_DANGEROUS_TOYS",
    "KEYWORD_DISINFORMATION",
    "KEYWORD_MISINFORMATION",
    "STATEMENT_CATEGORY_UNSAFE_AND_ILLEGAL_PRODUCTS",
    "STATEMENT_CATEGORY_SCOPE_OF_PLATFORM_SERVICE",
    "STATEMENT_CATEGORY_NON_CONSENSUAL_BEHAVIOUR",
    "STATEMENT_CATEGORY_PORNOGRAPHY_OR_SEXUALIZED_CONTENT",
];

/// The keywords that it takes.
pub(super) const DSA_KEYWORDS: [&str; KEYWORDS] = [
    // Animals
    "KEYWORD_ANIMAL_HARM",
    "KEYWORD_UNLAWFUL_SALE_ANIMALS",
    // Consumer information
    "KEYWORD_HIDDEN_ADVERTISEMENT",
    "KEYWORD_INSUFFICIENT_INFORMATION_ON_TRADERS",
    "KEYWORD_MISLEADING_INFO_GOODS_SERVICES",
    "KEYWORD_MISLEADING_INFO_CONSUMER_RIGHTS",
    "KEYWORD_NONCOMPLIANCE_PRICING",
    // Cyber violence
    "KEYWORD_CYBER_BULLYING_INTIMIDATION",
    "KEYWORD_CYBER_HARASSMENT",
    "KEYWORD_CYBER_INCITEMENT",
    "KEYWORD_CYBER_STALKING",
    "KEYWORD_NON_CONSENSUAL_IMAGE_SHARING",
    "KEYWORD_NON_CONSENSUAL_MATERIAL_DEEPFAKE",
    // Cyber violence against women
    "KEYWORD_BULLYING_AGAINST_GIRLS",
    "KEYWORD_CYBER_HARASSMENT_AGAINST_WOMEN",
    "KEYWORD_CYBER_STALKING_AGAINST_WOMEN",
    "KEYWORD_FEMALE_GENDERED_DISINFORMATION",
    "KEYWORD_INCITEMENT_AGAINST_WOMEN",
    "KEYWORD_NON_CONSENSUAL_IMAGE_SHARING_AGAINST_WOMEN",
    "KEYWORD_NON_CONSENSUAL_MATERIAL_DEEPFAKE_AGAINST_WOMEN",
    // Privacy
    "KEYWORD_BIOMETRIC_DATA_BREACH",
    "KEYWORD_DATA_FALSIFICATION",
    "KEYWORD_MISSING_PROCESSING_GROUND",
    "KEYWORD_RIGHT_TO_BE_FORGOTTEN",
    // Speech
    "KEYWORD_DEFAMATION",
    "KEYWORD_DISCRIMINATION",
    "KEYWORD_HATE_SPEECH",
    // Intellectual property
    "KEYWORD_COPYRIGHT_INFRINGEMENT",
    "KEYWORD_DESIGN_INFRINGEMENT",
    "KEYWORD_GEOGRAPHIC_INDICATIONS_INFRINGEMENT",
    "KEYWORD_PATENT_INFRINGEMENT",
    "KEYWORD_TRADE_SECRET_INFRINGEMENT",
    "KEYWORD_TRADEMARK_INFRINGEMENT",
    // Civic discourse
    "KEYWORD_MISINFORMATION_DISINFORMATION",
    "KEYWORD_VIOLATION_EU_LAW",
    "KEYWORD_VIOLATION_NATIONAL_LAW",
    // Terms and conditions
    "KEYWORD_ADULT_SEXUAL_MATERIAL",
    "KEYWORD_AGE_SPECIFIC_RESTRICTIONS",
    "KEYWORD_GEOGRAPHICAL_REQUIREMENTS",
    "KEYWORD_GOODS_SERVICES_NOT_PERMITTED",
    "KEYWORD_LANGUAGE_REQUIREMENTS",
    "KEYWORD_NUDITY",
    // Minors
    "KEYWORD_AGE_SPECIFIC_RESTRICTIONS_MINORS",
    "KEYWORD_CHILD_SEXUAL_ABUSE_MATERIAL",
    "KEYWORD_CHILD_SEXUAL_ABUSE_MATERIAL_DEEPFAKE",
    "KEYWORD_GROOMING_SEXUAL_ENTICEMENT_MINORS",
    "KEYWORD_UNSAFE_CHALLENGES",
    // Public security
    "KEYWORD_ILLEGAL_ORGANIZATIONS",
    "KEYWORD_RISK_ENVIRONMENTAL_DAMAGE",
    "KEYWORD_RISK_PUBLIC_HEALTH",
    "KEYWORD_TERRORIST_CONTENT",
    // Scams
    "KEYWORD_IMPERSONATION_ACCOUNT_HIJACKING",
    "KEYWORD_INAUTHENTIC_ACCOUNTS",
    "KEYWORD_INAUTHENTIC_LISTINGS",
    "KEYWORD_INAUTHENTIC_USER_REVIEWS",
    "KEYWORD_PHISHING",
    "KEYWORD_PYRAMID_SCHEMES",
    // Self-harm
    "KEYWORD_CONTENT_PROMOTING_EATING_DISORDERS",
    "KEYWORD_SELF_MUTILATION",
    "KEYWORD_SUICIDE",
    // Products
    "KEYWORD_PROHIBITED_PRODUCTS",
    "KEYWORD_UNSAFE_PRODUCTS",
    // Violence
    "KEYWORD_COORDINATED_HARM",
    "KEYWORD_INCITEMENT_VIOLENCE_HATRED",
    "KEYWORD_HUMAN_EXPLOITATION",
    "KEYWORD_HUMAN_TRAFFICKING",
    "KEYWORD_TRAFFICKING_WOMEN_GIRLS",
    // Ungrouped
    "KEYWORD_STALKING",
    "KEYWORD_OTHER",
];

/// Every region of ISO 3166-1 (alpha-2), in one string of two letters each.
const REGIONS: &str = "ADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBYBZ\
CACCCDCFCGCHCICKCLCMCNCOCRCUCVCWCXCYCZDEDJDKDMDODZECEEEGEHERESETFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGM\
GNGPGQGRGSGTGUGWGYHKHMHNHRHTHUIDIEILIMINIOIQIRISITJEJMJOJPKEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLT\
LULVLYMAMCMDMEMFMGMHMKMLMMMNMOMPMQMRMSMTMUMVMWMXMYMZNANCNENFNGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPMPN\
PRPSPTPWPYQARERORSRURWSASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSVSXSYSZTCTDTFTGTHTJTKTLTMTNTOTRTTTVTWTZ\
UAUGUMUSUYUZVAVCVEVGVIVNVUWFWSYEYTZAZMZW";

/// Whether a text is a code of ISO 3166-1 alpha-2, in capitals.
pub(super) fn is_region(text: &str) -> bool {
    text.len() == 2 && REGIONS.as_bytes().chunks(2).any(|code| code == text.as_bytes())
}

/// Whether a text is a BCP 47 tag of language, script and region in their usual letter case.
pub(super) fn is_locale(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let language = |part: &str| {
        (2..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_lowercase())
    };
    let script = |part: &str| {
        let bytes = part.as_bytes();
        bytes.len() == 4
            && bytes[0].is_ascii_uppercase()
            && bytes[1..].iter().all(u8::is_ascii_lowercase)
    };
    let region = |part: &str| {
        is_region(part) || (part.len() == 3 && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    match parts[..] {
        [first] => language(first),
        [first, second] => language(first) && (script(second) || region(second)),
        [first, second, third] => language(first) && script(second) && region(third),
        _ => false,
    }
}

/// How many keywords there are.
const KEYWORDS: usize = 69;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_lists_hold_each_word_once_and_no_removed_one() {
        let words: BTreeSet<&str> = DSA_KEYWORDS.into_iter().chain(DSA_CATEGORIES).collect();
        assert_eq!(words.len(), DSA_KEYWORDS.len() + DSA_CATEGORIES.len());
        assert!(DSA_REMOVED.iter().all(|word| !words.contains(word)));
        let regions: BTreeSet<&[u8]> = REGIONS.as_bytes().chunks(2).collect();
        assert_eq!((regions.len(), REGIONS.len()), (249, 498));
    }

    #[test]
    fn enum_values_have_short_names() {
        let names = |words: Vec<(&'static str, Severity)>| {
            words.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        assert_eq!(names(severities()), ["LOW", "MEDIUM", "HIGH", "CRITICAL"]);
        assert_eq!(actions()[0], ("REMOVE", ContentAction::Remove));
        let keys = label_keys();
        for key in ["feature.live", "tier.good", "ground.illegal_content", "source.user"] {
            assert!(keys.iter().any(|known| known == key), "{key}");
        }
    }

    #[test]
    fn locales_and_regions_have_one_spelling() {
        for good in ["en", "de", "zh-Hans", "pt-BR", "zh-Hant-TW", "es-419", "fil"] {
            assert!(is_locale(good), "{good}");
        }
        for bad in ["", "e", "EN", "zh-hans", "de-de", "de_DE", "en-UK", "en-US-posix", "en-"] {
            assert!(!is_locale(bad), "{bad}");
        }
        assert!(is_region("DE") && is_region("GB"));
        for bad in ["UK", "EU", "de", "D", "DEU", "XX", ""] {
            assert!(!is_region(bad), "{bad}");
        }
    }
}
