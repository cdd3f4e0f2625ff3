//! `recourse impersonation`: fits the detector's weights to labelled accounts and measures it, with
//! what it prints for people.
//!
//! It must not know how a likeness is weighed.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufReader, BufWriter, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use kit::clock::Stopwatch;
use lookalike::detector::{Ask, Detector};
use lookalike::index::Index;
use lookalike::lab::accounts::{self, Account};
use lookalike::lab::boost::Settings;
use lookalike::lab::fit::{self, Labelled, World};
use lookalike::lab::measure::{self, Report, Said};
use lookalike::profile::Identity;
use lookalike::score::Model;
use lookalike::text::{LabelKind, label};

/// The false-positive rates that are reported.
const RATES: [f32; 3] = [1e-4, 1e-3, 1e-2];
/// How many checks are timed.
const TIMED: usize = 10_000;

/// The accounts of a folder and the index of its identities.
struct Lab {
    /// Knows how common the names and pictures of all accounts are.
    index: Index,
    /// The same if only what is protected is known; for fitting.
    blind: Option<Index>,
    imitations: Vec<Account>,
    unrelated: Vec<Account>,
    /// Look-alikes that are allowed, with whom they resemble.
    allowed: Vec<(Account, Identity)>,
    built: String,
}

fn open(folder: &Path, name: &str) -> Result<BufReader<File>, String> {
    let path = folder.join(name);
    let file = File::open(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(BufReader::with_capacity(1 << 20, file))
}

impl Lab {
    fn load(
        detector: &Detector,
        folder: &Path,
        identities: usize,
        blind: bool,
    ) -> Result<Lab, String> {
        let wrong = |name: &str, error: std::io::Error| format!("{name}: {error}");
        let read = |name: &str| {
            let read = accounts::accounts(open(folder, name)?, usize::MAX);
            read.map_err(|error| wrong(name, error))
        };
        let protected = accounts::identities(open(folder, "protected.tsv")?, identities)
            .map_err(|error| wrong("protected.tsv", error))?;
        let watch = Stopwatch::start();
        let index = Index::build(&detector.reader, &protected, 2);
        let took = watch.elapsed();
        let built = format!(
            "{} identities built in {:.1} s on 2 threads, {:.0} B each",
            index.len(),
            took.as_secs_f64(),
            index.memory() as f64 / index.len().max(1) as f64,
        );
        let blind = blind.then(|| Index::build(&detector.reader, &protected, 2));
        let (imitations, unrelated) = (read("positives.tsv")?, read("negatives.tsv")?);
        // Whom an imitation imitates must be among those that were read.
        let known = |account: &Account| {
            account.subject.is_none_or(|subject| (subject as usize) < protected.len())
        };
        let imitations: Vec<Account> = imitations.into_iter().filter(known).collect();
        let allowed =
            if folder.join("hardneg.tsv").exists() { read("hardneg.tsv")? } else { vec![] };
        let allowed = allowed.into_iter().filter(known);
        let allowed = allowed.filter_map(|account| {
            let subject = protected.get(usize::try_from(account.subject?).ok()?)?.clone();
            Some((account, subject))
        });
        let allowed = allowed.collect();
        for account in imitations.iter().chain(&unrelated) {
            let Account { profile, .. } = account;
            index.observe(&detector.reader, &profile.display_name, &profile.avatars);
        }
        Ok(Lab { index, blind, imitations, unrelated, allowed, built })
    }

    fn labelled(&self) -> Labelled<'_> {
        Labelled { imitations: &self.imitations, unrelated: &self.unrelated }
    }
}

/// Fits the weights to the accounts of some folders, each as it is and as it is where nothing but
/// what is protected is known, and writes them; what was measured with them.
///
/// # Errors
/// What is wrong with a file, by its line.
pub fn fit(folders: &[PathBuf], out: &Path, trees: usize, seed: u64) -> Result<String, String> {
    let settings = &Settings { trees, seed, ..Settings::default() };
    let mut detector = Detector::default();
    let mut labs = Vec::new();
    for folder in folders {
        labs.push(Lab::load(&detector, folder, usize::MAX, true)?);
    }
    let worlds: Vec<World> = labs
        .iter()
        .flat_map(|lab| {
            let indexes = [Some(&lab.index), lab.blind.as_ref()].into_iter().flatten();
            indexes.map(|index| World { index, data: lab.labelled() })
        })
        .collect();
    detector.model = fit::fit(&detector, &worlds, settings);
    let said = worlds.iter().map(|World { index, data }| {
        let (imitations, unrelated) = data.kept();
        Said::of(&detector, index, &imitations, &unrelated)
    });
    let said = said.collect();
    let said = fit::finish(&mut detector.model, said);
    let mut text = String::new();
    for (World { index, data }, said) in worlds.iter().zip(&said) {
        let (imitations, unrelated) = data.kept();
        let kept = (imitations.as_slice(), unrelated.as_slice());
        let report = measure::report(&detector, index, kept, said, &RATES);
        let _ = writeln!(text, "Kept accounts among {} identities:", index.len());
        text.push_str(&table(&report));
        text.push_str(&shipped(&detector.model, said));
    }
    // What was measured goes with the weights.
    detector.model.origin.push_str(&text);
    let mut file = File::create(out).map_err(|error| format!("{}: {error}", out.display()))?;
    file.write_all(detector.model.to_text().as_bytes())
        .map_err(|error| format!("{}: {error}", out.display()))?;
    let built: Vec<&str> = labs.iter().map(|lab| lab.built.as_str()).collect();
    Ok(format!("{}\n{text}weights written to {}", built.join("\n"), out.display()))
}

/// What the thresholds that go with the weights do here.
fn shipped(model: &Model, said: &Said) -> String {
    let mut text = String::new();
    for threshold in &model.thresholds {
        let passes = said.unrelated.iter().filter(|score| **score >= threshold.score).count();
        let best = said.imitations.iter().zip(&said.right);
        let found = best.filter(|(top, right)| {
            **right && top.is_some_and(|(_, score)| score >= threshold.score)
        });
        let (found, imitations) = (found.count(), said.imitations.len().max(1));
        let _ = writeln!(
            text,
            "threshold for {}: {:.6} of unrelated accounts pass, {:.4} of imitations are found",
            threshold.false_positive_rate,
            passes as f64 / said.unrelated.len().max(1) as f64,
            found as f64 / imitations as f64,
        );
    }
    text
}

/// Measures the detector on the accounts of a folder.
///
/// # Errors
/// What is wrong with a file, by its line.
pub fn eval(folder: &Path, model: Option<&Path>, identities: usize) -> Result<String, String> {
    let mut detector = Detector::default();
    if let Some(path) = model {
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|error| format!("{}: {error}", path.display()))?;
        detector.model = Model::parse(&text).map_err(|error| error.to_string())?;
    }
    let lab = Lab::load(&detector, folder, identities, false)?;
    let (imitations, unrelated) = lab.labelled().kept();
    let said = Said::of(&detector, &lab.index, &imitations, &unrelated);
    let kept = (imitations.as_slice(), unrelated.as_slice());
    let report = measure::report(&detector, &lab.index, kept, &said, &RATES);
    let mut text = format!("{}\n{}", lab.built, table(&report));
    text.push_str(&shipped(&detector.model, &said));
    text.push_str(&allowed(&detector, &lab, &report));
    let step = (unrelated.len() / TIMED).max(1);
    let timed: Vec<&Account> = unrelated.iter().step_by(step).copied().collect();
    let watch = Stopwatch::start();
    let [mean, median, most] =
        measure::latency(&detector, &lab.index, &timed, &Ask::default(), || watch.elapsed());
    let rate = 1e6 / mean;
    let _ = writeln!(
        text,
        "checks in process, one thread: {rate:.0}/s, p50 {median:.0} us, p99 {most:.0} us"
    );
    text.push_str(&restart(&lab.index).map_err(|error| format!("the index in a file: {error}"))?);
    Ok(text)
}

/// How long the index takes to a file and back: most of what a restart waits for.
fn restart(index: &Index) -> std::io::Result<String> {
    let path = std::env::temp_dir().join(format!("recourse-eval-{}.index", std::process::id()));
    let file = File::options().read(true).write(true).create_new(true).open(&path)?;
    let text = there_and_back(index, &file);
    std::fs::remove_file(&path)?;
    text
}

fn there_and_back(index: &Index, mut file: &File) -> std::io::Result<String> {
    let watch = Stopwatch::start();
    let mut to = BufWriter::with_capacity(1 << 20, file);
    index.write_to(&mut to)?;
    to.flush()?;
    drop(to);
    let written = watch.elapsed();
    let bytes = file.stream_position()?;
    file.rewind()?;
    let (watch, before) = (Stopwatch::start(), resident());
    let read = Index::read_from(&mut BufReader::with_capacity(1 << 20, file))?;
    let mut text = format!(
        "{} identities to a file of {:.0} MB in {:.1} s and back in {:.1} s",
        read.len(),
        bytes as f64 / 1e6,
        written.as_secs_f64(),
        watch.elapsed().as_secs_f64(),
    );
    if let (Some(before), Some(after)) = (before, resident()) {
        let each = after.saturating_sub(before) as f64 / read.len().max(1) as f64;
        let _ = write!(text, ", which made resident memory grow by {each:.0} B each");
    }
    text.push('\n');
    Ok(text)
}

/// How much memory this process has, in bytes, where the system says so.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(1024 * line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?)
}

/// How look-alikes that are allowed come out: flagged by likeness alone, and what their labels say.
fn allowed(detector: &Detector, lab: &Lab, report: &Report) -> String {
    let accounts: Vec<&Account> = lab.allowed.iter().map(|(account, _)| account).collect();
    let scores = measure::best_scores(detector, &lab.index, &accounts);
    let threshold = report.scores.first().copied().unwrap_or(f32::INFINITY);
    let mut classes: std::collections::BTreeMap<&str, [usize; 4]> = Default::default();
    for ((account, subject), score) in lab.allowed.iter().zip(scores) {
        let counts = classes.entry(&account.class).or_default();
        counts[0] += 1;
        counts[1] += usize::from(score >= threshold);
        let Account { profile, .. } = account;
        let label =
            label(&profile.display_name, &profile.bio, &subject.handle, &subject.display_name);
        if label.kind != LabelKind::None {
            let whole = label.keyword_in_display && label.disclaimer_in_bio;
            counts[if whole { 2 } else { 3 }] += 1;
        }
    }
    let mut text = String::new();
    for (class, [count, alike, whole, half]) in classes {
        let _ = writeln!(
            text,
            "{class}: {count}, {alike} alike enough to be flagged, {whole} fully labelled in their \
             texts, {half} half; declared affiliates are exempt by their declaration"
        );
    }
    text
}

/// A report as lines.
fn table(report: &Report) -> String {
    let mut text = String::new();
    let mut mean = vec![0.0; report.rates.len() + 2];
    let _ = writeln!(text, "recall at FPR {:?}, right identity first, a candidate", report.rates);
    for (name, class) in &report.classes {
        let all = class.recall.iter().chain([&class.top, &class.candidate]);
        let shares: Vec<String> = all.clone().map(|share| format!("{share:.3}")).collect();
        let _ = writeln!(text, "{name:<20} {:>5}  {}", class.count, shares.join("  "));
        mean.iter_mut().zip(all).for_each(|(mean, share)| *mean += share);
    }
    let classes = report.classes.len().max(1) as f32;
    let shares: Vec<String> = mean.iter().map(|sum| format!("{:.3}", sum / classes)).collect();
    let _ = writeln!(text, "{:<20} {:>5}  {}", "mean of classes", "", shares.join("  "));
    for (tag, (count, flagged)) in &report.tags {
        let shares: Vec<String> = flagged.iter().map(|share| format!("{share:.5}")).collect();
        let _ = writeln!(text, "unrelated {tag:<10} {count:>7}  {} flagged", shares.join("  "));
    }
    let _ =
        writeln!(text, "Brier score {:.5}; probability, said and true, by tenths:", report.brier);
    for (count, said, true_share) in report.calibration.iter().filter(|(count, ..)| *count > 0) {
        let _ = writeln!(text, "  {said:.3} {true_share:.3} ({count})");
    }
    let explained = report.explained * 100.0;
    let _ = writeln!(text, "alerts that end without their named evidence: {explained:.1} %");
    text
}
