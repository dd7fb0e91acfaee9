//! The plan as people read it.

use super::super::table::{aligned, list};
use std::path::Path;
use windfall::plan::{Calibration, Costs, Errors, Extent, Here, Pair, Plan, Prediction, Profile};
use windfall::readable::{count, duration, significant};

/// The plan: what the pilot found, every mapping, and the one to take.
pub(super) fn plan(path: &Path, plan: &Plan, here: &Here) -> String {
    let profile = &plan.profile;
    let shards = count(profile.tasks.div_ceil(profile.tasks_per_shard.max(1)));
    let mut text = format!(
        "{}: {}, {} tasks in {shards} shards of {}\n\n",
        path.display(),
        profile.problem,
        count(profile.tasks),
        count(profile.tasks_per_shard)
    );
    text.push_str(&list(&facts(plan), 2));
    text.push('\n');
    let (here_rows, elsewhere): (Vec<_>, Vec<_>) =
        plan.predictions.iter().partition(|one| one.mapping.missing.is_none());
    text.push_str(&table(profile, &here_rows, "mapping"));
    if !elsewhere.is_empty() {
        text.push('\n');
        text.push_str(&table(profile, &elsewhere, "not here"));
    }
    let verdict = match plan.is_parallel() {
        true => format!("take {}", plan.recommendation().mapping.title()),
        false => "do not parallelise".to_owned(),
    };
    text.push_str(&format!("\n{verdict}: {}\n", plan.reason));
    notes(profile, here).iter().for_each(|note| text.push_str(&format!("\nnote: {note}\n")));
    text
}

fn facts(plan: &Plan) -> Vec<(String, String)> {
    let profile = &plan.profile;
    let Profile { read_s, build_s, prepare_s, finish_s, .. } = profile;
    let work = profile.work_s();
    let done: u64 = profile.rounds.iter().map(|round| round.done).sum();
    let extent = match profile.extent {
        Extent::Known => "",
        Extent::AtMost => "at most ",
        Extent::AtLeast => "at least ",
    };
    let rounds = match profile.rounds.len() {
        0 | 1 => String::new(),
        several => format!(" in {} rounds", count(several as u64)),
    };
    let percent = |share: f64| significant(100.0 * share, 2);
    let mut facts = vec![(
        "work".to_owned(),
        format!(
            "{extent}{} ± {} %: {} shards{rounds}, of which the pilot ran {} in {}",
            duration(work),
            percent(profile.work_error_s() / work.max(1e-300)),
            count(profile.shards()),
            count(done),
            duration(profile.pilot_s)
        ),
    )];
    let parts = [
        ("read", *read_s),
        ("build", *build_s),
        ("prepare", *prepare_s),
        ("merge", profile.merge_s()),
        ("finish", finish_s.unwrap_or(f64::NAN)),
    ];
    let parts = parts.iter().map(|(name, seconds)| match seconds.is_nan() {
        true => format!("{name} unknown"),
        false => format!("{name} {}", duration(*seconds)),
    });
    let (share, limit) = (plan.serial_share(), plan.speedup_limit());
    facts.push((
        "serial".to_owned(),
        format!(
            "{} % of one worker's time, so at most {} times as fast: {}",
            percent(share),
            significant(limit, 3),
            parts.collect::<Vec<_>>().join(", ")
        ),
    ));
    let size = &plan.granularity;
    facts.push((
        "shard".to_owned(),
        format!(
            "{} of work and {} beside it on {}: {}; {} tasks a shard would suit",
            duration(size.shard_s),
            duration(size.overhead_s),
            size.mapping,
            size.verdict,
            match size.tasks {
                (least, most) if least == most => count(most),
                (least, most) => format!("{} to {}", count(least), count(most)),
            }
        ),
    ));
    if let (workers @ 2.., slowdown) = profile.loaded {
        let slower = significant(slowdown, 3);
        let told = format!("with {workers} cores at work a shard takes {slower} times as long");
        facts.push(("busy cores".to_owned(), told));
    }
    facts
}

fn table(profile: &Profile, rows: &[&Prediction], first: &str) -> String {
    let head = [first, "time", "90 % interval", "speed-up", "efficiency", "pays from"];
    let mut cells = vec![head.map(str::to_owned).to_vec()];
    for one in rows {
        let pays = match one.break_even {
            _ if one.mapping.workers < 2 => String::new(),
            Some(tasks) => pays_from(profile, tasks),
            None => "never".to_owned(),
        };
        let mut row = vec![
            one.mapping.title(),
            duration(one.seconds),
            format!("{} to {}", duration(one.low_s), duration(one.high_s)),
            significant(one.speedup, 3),
            format!("{:.0} %", 100.0 * one.efficiency),
            pays,
        ];
        row.extend(one.mapping.missing.clone());
        cells.push(row);
    }
    let wide = cells.iter().map(Vec::len).max().unwrap_or(0);
    cells.iter_mut().for_each(|row| row.resize(wide, String::new()));
    aligned(&cells)
}

/// A number of tasks, to two digits and rounded up: more would be more than is known.
fn pays_from(profile: &Profile, tasks: u64) -> String {
    let digits = tasks.max(1).ilog10();
    let unit = 10u64.pow(digits.saturating_sub(1));
    let rounded = tasks.div_ceil(unit).saturating_mul(unit);
    match profile.tasks {
        0 => format!("{} tasks", count(rounded)),
        all => format!("{} tasks ({} of these)", count(rounded), share(tasks as f64 / all as f64)),
    }
}

fn share(ratio: f64) -> String {
    match ratio {
        r if r < 10.0 => format!("{} %", significant(100.0 * r, 2)),
        r => format!("{} times", significant(r, 2)),
    }
}

fn notes(profile: &Profile, here: &Here) -> Vec<String> {
    let mut notes = Vec::new();
    match profile.extent {
        Extent::Known => {}
        Extent::AtMost => notes.push(
            "it stops when it has found enough, so it may take less; --pilot with more seconds \
             shows when"
                .to_owned(),
        ),
        Extent::AtLeast => notes.push(
            "what it finds decides how many rounds it takes: these are the times of the rounds \
             that the pilot saw, and there will be more; --pilot with more seconds shows them"
                .to_owned(),
        ),
    }
    if profile.rounds.iter().any(|round| round.is_extrapolated) {
        notes.push(
            "no task ended within the pilot: their times are reckoned from their progress"
                .to_owned(),
        );
    }
    if profile.is_chained {
        notes.push(
            "a round needs what those before it have found: `windfall shard` and Slurm's array \
             tasks, which are not told, run them again"
                .to_owned(),
        );
    }
    if here.calibration == Calibration::default() {
        notes.push(
            "the costs of mappings are defaults from other machines; `windfall plan --calibrate` \
             measures those that can be measured here"
                .to_owned(),
        );
    }
    notes
}

/// What was predicted and what came.
pub(super) fn pairs(pairs: &[Pair], path: &Path) -> String {
    let head = ["run on", "predicted", "90 % interval", "actual", "error"];
    let mut cells = vec![head.map(str::to_owned).to_vec()];
    cells.extend(pairs.iter().map(|pair| {
        vec![
            if pair.workers == 1 {
                pair.mapping.clone()
            } else {
                format!("{} × {}", pair.mapping, pair.workers)
            },
            duration(pair.predicted_s),
            format!("{} to {}", duration(pair.low_s), duration(pair.high_s)),
            duration(pair.actual_s),
            format!("{:.0} %", 100.0 * pair.error()),
        ]
    }));
    format!("\n{}\nkept in {}\n", aligned(&cells), path.display())
}

/// How far predictions were off.
pub(super) fn history(errors: &Errors, path: &Path) -> String {
    let mut cells = vec![
        ["mapping", "runs", "median error", "inside the interval"].map(str::to_owned).to_vec(),
    ];
    cells.extend(errors.rows().map(|(mapping, pairs, error, inside)| {
        let percent = |share: f64| format!("{:.0} %", 100.0 * share);
        vec![mapping.to_owned(), count(pairs as u64), percent(error), percent(inside)]
    }));
    if cells.len() == 1 {
        return format!(
            "no runs are kept in {}; `windfall plan FILE --run` keeps some\n",
            path.display()
        );
    }
    format!("{}\nkept in {}\n", aligned(&cells), path.display())
}

/// What was measured.
pub(super) fn calibration(calibration: &Calibration, path: &Path) -> String {
    let head = ["mapping", "start", "open", "share", "round", "worker", "order", "shard"]
        .map(str::to_owned);
    let mut cells = vec![head.to_vec()];
    cells.extend(calibration.mappings.iter().map(|(name, costs)| {
        let Costs { start_s, open_s, share_s, round_s, worker_s, order_s, shard_s, .. } = *costs;
        let times = [start_s, open_s, share_s, round_s, worker_s, order_s, shard_s].map(duration);
        std::iter::once(name.clone()).chain(times).collect()
    }));
    format!("{}\nkept in {}\n", aligned(&cells), path.display())
}
