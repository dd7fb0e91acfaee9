//! A plan as one JSON object: what the job fixes, and under `run` all that was measured.

use serde_json::{Map, Value, json};
use windfall_core::Carries;
use windfall_core::plan::{Extent, Plan, Prediction, Profile};

/// The plan as an object. What the job itself fixes (its shards) stands at the top; everything
/// else is a measurement, or follows from one, and stands under `run`.
pub fn to_json(plan: &Plan) -> Map<String, Value> {
    let profile = &plan.profile;
    let mut map = Map::new();
    map.insert("problem".into(), profile.problem.clone().into());
    map.insert("tasks".into(), profile.tasks.into());
    map.insert("tasks_per_shard".into(), profile.tasks_per_shard.into());
    let per_shard = profile.tasks_per_shard.max(1);
    map.insert("shards".into(), profile.tasks.div_ceil(per_shard).into());
    map.insert("run".into(), run(plan));
    map
}

fn run(plan: &Plan) -> Value {
    let granularity = &plan.granularity;
    let recommended = plan.recommendation();
    json!({
        "recommended": recommended.mapping.title(),
        "parallel": plan.is_parallel(),
        "reason": plan.reason,
        "mappings": plan.predictions.iter().map(row).collect::<Vec<Value>>(),
        "shard_size": {
            "mapping": granularity.mapping,
            "shard_s": granularity.shard_s,
            "overhead_s": granularity.overhead_s,
            "shards_per_worker": granularity.shards_per_worker,
            "suits": granularity.suits,
            "verdict": granularity.verdict,
            "tasks_min": granularity.tasks.0,
            "tasks_max": granularity.tasks.1,
        },
        "serial_share": plan.serial_share(),
        "speedup_limit": finite(plan.speedup_limit()),
        "scaled_speedup": plan.scaled_speedup(recommended.mapping.workers),
        "pilot": pilot(&plan.profile),
        "version": env!("CARGO_PKG_VERSION"),
        "host": crate::machine::host(),
    })
}

fn row(one: &Prediction) -> Value {
    let mapping = &one.mapping;
    json!({
        "mapping": mapping.title(),
        "name": mapping.name,
        "place": mapping.place,
        "workers": mapping.workers,
        "seconds": one.seconds,
        "low_s": one.low_s,
        "high_s": one.high_s,
        "speedup": one.speedup,
        "efficiency": one.efficiency,
        "break_even_tasks": one.break_even,
        "available": mapping.missing.is_none(),
        "missing": mapping.missing,
        "costs": mapping.costs,
        "costs_source": mapping.source,
    })
}

fn pilot(profile: &Profile) -> Value {
    let done: u64 = profile.rounds.iter().map(|round| round.done).sum();
    let work = profile.work_s();
    let bytes: f64 =
        profile.rounds.iter().filter_map(|round| Some(round.bytes? * round.shards as f64)).sum();
    let extent = match profile.extent {
        Extent::Known => "known",
        Extent::AtMost => "at most",
        Extent::AtLeast => "at least",
    };
    json!({
        "seconds": profile.pilot_s,
        "shards_run": done,
        "rounds": profile.rounds.len(),
        "shards": profile.shards(),
        "extent": extent,
        "work_s": work,
        "work_error_s": profile.work_error_s(),
        "task_s": finite(work / profile.tasks as f64),
        "read_s": profile.read_s,
        "build_s": profile.build_s,
        "prepare_s": profile.prepare_s,
        "merge_s": profile.merge_s(),
        "finish_s": profile.finish_s,
        "partial_bytes": finite(bytes / profile.shards() as f64),
        "travels": profile.needs < Carries::Closures,
        "chained": profile.is_chained,
        "loaded_workers": profile.loaded.0,
        "loaded_slowdown": profile.loaded.1,
    })
}

fn finite(value: f64) -> Value {
    if value.is_finite() { value.into() } else { Value::Null }
}
