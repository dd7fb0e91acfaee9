//! The planner: every problem can be planned, a pilot says what it does not know, and what is kept
//! is read back. No test looks at how long anything takes.

use crate::{Done, LAW_SCHOOL, Scratch, number};
use serde_json::{Map, Value};
use std::process::Command;
use windfall::plan::{self, Costs, Extent, Here, Mapping, Plan};
use windfall::{Cancel, Control, ErrorKind, JobSpec};

/// A plan on two workers after a pilot of so many seconds.
fn planned(job: &JobSpec, pilot_s: f64) -> Plan {
    let here = Here { pilot_s, ..Here::new(2) };
    let source = windfall_conformance::source();
    plan::of_job(job, &source, &here, &Control::default())
        .unwrap_or_else(|error| panic!("{}: {error}", job.to_json()))
}

fn job(text: &str) -> JobSpec {
    JobSpec::from_toml(text).unwrap()
}

#[test]
fn every_problem_can_be_planned_whole_or_in_part() {
    for job in windfall_conformance::jobs() {
        for pilot_s in [1e-6, 0.03] {
            let plan = planned(&job, pilot_s);
            let told = job.to_json();
            assert_eq!(plan.predictions[0].mapping.title(), "serial");
            assert!(plan.recommendation().mapping.missing.is_none(), "{told}");
            assert!(!plan.reason.is_empty() && !plan.granularity.verdict.is_empty());
            for one in &plan.predictions {
                let ordered =
                    0.0 < one.low_s && one.low_s < one.seconds && one.seconds < one.high_s;
                assert!(ordered && one.high_s.is_finite(), "{told}: {one:?}");
            }
            let share = plan.serial_share();
            assert!((0.0..=1.0).contains(&share), "{told}: {share}");
            for round in &plan.profile.rounds {
                assert!(round.done <= round.shards && round.mean_s >= 0.0, "{told}: {round:?}");
            }
            // One worker's time is the work and what is serial, and nothing else.
            let parts = plan.profile.work_s() + plan.profile.serial_s();
            let gap = (plan.predictions[0].seconds / parts - 1.0).abs();
            assert!(gap < 1e-6, "{told}: {gap}");
        }
    }
}

#[test]
fn a_job_that_fits_into_the_pilot_is_known_whole() {
    let plan = planned(&job("problem = 'pi'\nn = 3000000\nseed = 1"), 60.0);
    let problem =
        plan::build(&job("problem = 'pi'\nn = 3000000\nseed = 1"), &windfall_conformance::source());
    let shards = problem.unwrap().0.shards().count();
    assert_eq!((plan.profile.rounds.len(), plan.profile.extent), (1, Extent::Known));
    assert_eq!((plan.profile.rounds[0].done, plan.profile.shards()), (shards, shards));
    assert_eq!(plan.profile.rounds[0].work_variance(), 0.0);
}

#[test]
fn a_pilot_cut_short_sees_all_rounds_and_the_finish() {
    // The acceleration of a BCa interval of such a statistic is a round of its own.
    let text = "problem = 'bootstrap'\ndata = 'law'\nstatistic = 'trimmed_mean(lsat, 0.1)'\n\
                method = 'bca'\nresamples = 2000000\nseed = 1";
    let plan = planned(&job(text), 1e-6);
    assert!(plan.profile.rounds.iter().any(|round| round.done < round.shards));
    assert_eq!(plan.profile.extent, Extent::Known);
    assert!(plan.profile.finish_s.is_some());
    assert_eq!(plan.profile.rounds.last().map(|round| round.shards), {
        let problem = plan::build(&job(text), &windfall_conformance::source()).unwrap().0;
        Some(problem.shards().count())
    });
}

#[test]
fn what_is_not_known_is_said() {
    let tolerant = "problem = 'integrate'\nformula = 'x0'\nbounds = [[0, 1]]\nn = 1000000000\n\
                    tolerance = 1e-9\nseed = 1";
    let plan = planned(&job(tolerant), 1e-6);
    assert_eq!(plan.profile.extent, Extent::AtMost);
    let search = "problem = 'sample_size'\ntest = 't-test'\neffect = 0.5\npower = 0.8\nseed = 1";
    assert_eq!(planned(&job(search), 1e-6).profile.extent, Extent::AtLeast);
}

#[test]
fn rounds_that_need_what_others_have_found_are_told() {
    let vegas = "problem = 'integrate'\nformula = 'exp(-40*(x0 - x1)^2)'\n\
                 bounds = [[0, 1], [0, 1]]\nn = 2000000\nmethod = 'vegas'\nseed = 1";
    let tolerant = "problem = 'integrate'\nformula = 'x0'\nbounds = [[0, 1]]\nn = 30000000\n\
                    tolerance = 1e-4\nseed = 1";
    assert!(planned(&job(vegas), 10.0).profile.is_chained);
    assert!(!planned(&job(tolerant), 10.0).profile.is_chained);
}

#[test]
fn a_failing_task_is_named_and_a_stop_ends_the_pilot() {
    let spec = job("problem = 'pi'\nn = 1e12\nseed = 1");
    let source = windfall_conformance::source();
    let cancel = Cancel::default();
    cancel.stop();
    let control = Control { cancel, observer: None };
    let error = plan::of_job(&spec, &source, &Here::new(2), &control).unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Interrupted);
    let text =
        "problem = 'integrate'\nformula = 'log(x0 - 2)'\nbounds = [[0, 1]]\nn = 1000\nseed = 1";
    let error = plan::of_job(&job(text), &source, &Here::new(2), &Control::default());
    assert!(matches!(error.unwrap_err().kind(), ErrorKind::Task { .. }));
}

const JOB: &str = "problem = 'bootstrap'\ndata = 'law_school.csv'\n\
                   statistic = 'correlation(lsat, gpa)'\nresamples = 20000\nseed = 1\n";

fn with_job() -> Scratch {
    let scratch = Scratch::new();
    scratch.put("law_school.csv", LAW_SCHOOL);
    scratch.put("job.toml", JOB);
    scratch
}

/// What `windfall plan` prints with `--json`, on two workers.
fn object(scratch: &Scratch, more: &[&str]) -> Map<String, Value> {
    let plan = ["plan", "job.toml", "--workers", "2", "--state", "state", "--pilot", "0.02"];
    scratch.json(&[&plan[..], more].concat())
}

#[test]
fn a_plan_tells_what_the_job_fixes_and_under_run_all_else() {
    let scratch = with_job();
    let before = scratch.names();
    let object = object(&scratch, &["--elsewhere", "64"]);
    let keys: Vec<&str> = object.keys().map(String::as_str).collect();
    assert_eq!(keys, ["problem", "tasks", "tasks_per_shard", "shards", "run"]);
    let run = object["run"].as_object().unwrap();
    let mappings = run["mappings"].as_array().unwrap();
    let named = |name: &str| mappings.iter().find(|row| row["name"] == name).unwrap();
    for name in ["serial", "threads", "new-engines", "mpi", "slurm", "dask", "ray", "spark"] {
        let row = named(name);
        assert_eq!(row["available"] == true, row["missing"].is_null(), "{row}");
        let speedup =
            named("serial")["seconds"].as_f64().unwrap() / row["seconds"].as_f64().unwrap();
        assert!((speedup / row["speedup"].as_f64().unwrap() - 1.0).abs() < 1e-9);
        let workers = row["workers"].as_f64().unwrap();
        assert!((speedup / workers / row["efficiency"].as_f64().unwrap() - 1.0).abs() < 1e-9);
    }
    assert_eq!((&named("threads")["workers"], &named("spark")["workers"]), (&2.into(), &64.into()));
    assert!(mappings.iter().any(|row| row["mapping"] == run["recommended"]));
    let (share, limit) = (number(run, "serial_share"), number(run, "speedup_limit"));
    assert!((share * limit - 1.0).abs() < 1e-9);
    assert_eq!(scratch.names(), before, "nothing is written unless it is asked for");
}

#[test]
fn people_get_a_table_and_a_verdict() {
    let scratch = with_job();
    let done = scratch.run(&["plan", "job.toml", "--workers", "2", "--state", "state"]);
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
    assert!(done.stdout.starts_with("job.toml: bootstrap, "), "{}", done.stdout);
    for part in ["threads × 2", "90 % interval", "not here", "pays from", "--calibrate"] {
        assert!(done.stdout.contains(part), "no {part} in {}", done.stdout);
    }
    let shard = done.stdout.lines().find(|line| line.trim_start().starts_with("shard "));
    assert!(shard.is_some_and(|line| line.ends_with(" tasks a shard would suit")), "{shard:?}");
}

/// The last lines of what `windfall plan` prints, less its notes, with `folder` on the path.
fn verdict(scratch: &Scratch, folder: &str, job: &str, more: &[&str]) -> String {
    let plan = ["plan", job, "--workers", "2", "--state", "state", "--pilot", "0.02"];
    let mut command = scratch.command(&[&plan[..], more].concat());
    let done = Done::of(with_path(&mut command, scratch, folder).output().unwrap());
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
    let verdict = |line: &&str| line.starts_with("take ") || line.starts_with("do not ");
    done.stdout.lines().find(verdict).unwrap_or_default().to_owned()
}

/// The command with a folder of the scratch before all others on its path.
fn with_path<'a>(command: &'a mut Command, scratch: &Scratch, folder: &str) -> &'a mut Command {
    let before = std::env::var_os("PATH").unwrap_or_default();
    let all = std::env::split_paths(&before);
    let path = std::env::join_paths(std::iter::once(scratch.path().join(folder)).chain(all));
    command.env("PATH", path.unwrap())
}

/// What every mapping that could be here costs, but for `free`, which costs nothing.
fn hours_but_for(free: &str) -> String {
    let names = ["threads", "engines", "new-engines", "mpi", "slurm"];
    let start_s = |name| if name == free { 0 } else { 36_000_000 };
    let rows = names.map(|name| format!(r#""{name}": {{"start_s": {}}}"#, start_s(name)));
    format!(r#"{{"mappings": {{{}}}}}"#, rows.join(", "))
}

#[test]
fn one_worker_is_taken_where_others_cannot_help_and_others_where_they_do() {
    let scratch = with_job();
    scratch.put("one_shard.toml", "problem = 'pi'\nn = 1000\nseed = 1\n");
    let told = verdict(&scratch, "nothing", "one_shard.toml", &[]);
    let right = "do not parallelise: all its tasks lie in one shard, and a shard is never shared";
    assert_eq!(told, right);
    // Days, which others would halve if they could start before the answer is there.
    scratch.put("long.toml", "problem = 'pi'\nn = 1e14\nseed = 1\n");
    scratch.put("state/calibration.json", &hours_but_for("nothing"));
    let told = verdict(&scratch, "nothing", "long.toml", &[]);
    assert!(told.starts_with("do not parallelise: one worker takes "), "{told}");
    assert!(told.ends_with("and to start others costs more than they save"), "{told}");
    // The same job where a thousand workers cost nothing: whatever the pilot has found of busy
    // cores, no shard takes as many times as long.
    scratch.put("programs/sbatch", "");
    scratch.put("state/calibration.json", &hours_but_for("slurm"));
    let told = verdict(&scratch, "programs", "long.toml", &["--elsewhere", "1000"]);
    assert!(told.starts_with("take slurm × 1000: slurm × 1000 takes "), "{told}");
}

#[test]
fn engines_at_hand_take_the_place_of_what_is_known_of_their_like() {
    let spec = job("problem = 'pi'\nn = 3000000\nseed = 1");
    let plan_on = |here: Here| {
        let source = windfall_conformance::source();
        let here = Here { pilot_s: 1e-6, elsewhere: 64, ..here };
        plan::of_job(&spec, &source, &here, &Control::default()).unwrap()
    };
    let rows = |plan: &Plan, name: &str| -> Vec<Mapping> {
        let rows = plan.predictions.iter().map(|one| one.mapping.clone());
        rows.filter(|row| row.name == name).collect()
    };
    let far = &rows(&plan_on(Here::new(2)), "dask")[0];
    assert!(far.missing.is_some() && far.costs.start_s > 0.0 && far.workers == 64);
    let near = plan_on(Here::new(2).with_given("dask", None, 3).unwrap());
    let [dask] = &rows(&near, "dask")[..] else { panic!("one row of Dask") };
    let expected = Costs { start_s: 0.0, ..far.costs };
    assert_eq!((dask.missing.clone(), dask.workers, dask.costs), (None, 3, expected));
    assert_eq!(near.predictions.last().unwrap().mapping.title(), "dask × 3");
    let cluster = plan_on(Here::new(2).with_given("rank-engines", Some("lab"), 4).unwrap());
    let title = cluster.predictions.last().unwrap().mapping.title();
    assert_eq!(title, "rank-engines of lab × 4");
    let error = Here::new(2).with_given("dusk", None, 3).unwrap_err().to_string();
    assert!(error.contains("unknown mapping `dusk`") && error.contains("`dask`"), "{error}");
}

/// Programs that do at once what they are asked to submit, and have nothing in their queue.
const SBATCH: &str = r#"#!/bin/sh
for word; do
  case $word in --array=0-*) last=${word#--array=0-} ;; *.sh) script=$word ;; esac
done
export SLURM_ARRAY_JOB_ID=1 SLURM_ARRAY_TASK_ID
for SLURM_ARRAY_TASK_ID in $(seq 0 "${last:-0}"); do bash "$script" >&2 || exit 1; done
echo 1
"#;

#[cfg(unix)]
#[test]
fn an_array_of_slurm_is_run_beside_the_job_and_leaves_nothing() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = with_job();
    scratch.put("programs/sbatch", SBATCH);
    scratch.put("programs/squeue", "#!/bin/sh\n");
    for name in ["sbatch", "squeue"] {
        let path = scratch.path().join("programs").join(name);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let before = scratch.names();
    let plan = ["plan", "job.toml", "--run=slurm", "--elsewhere", "3", "--state", "state"];
    let mut command = scratch.command(&[&plan[..], &["--pilot", "0.02", "--json"]].concat());
    let done = Done::of(with_path(&mut command, &scratch, "programs").output().unwrap());
    assert_eq!(done.code, 0, "{}", done.stderr);
    let object = done.object();
    let runs = object["run"]["runs"].as_array().unwrap();
    assert_eq!((runs.len(), &runs[0]["mapping"]), (1, &"slurm".into()));
    assert_eq!(runs[0]["workers"], 3);
    let after = [&before[..], &["state".to_owned()]].concat();
    assert_eq!(scratch.names(), after);
    // What fails is told, and nothing is left of it either.
    scratch.put("programs/sbatch", "#!/bin/sh\necho no such partition >&2\nexit 1\n");
    let mut command = scratch.command(&plan);
    let done = Done::of(with_path(&mut command, &scratch, "programs").output().unwrap());
    assert!(done.code != 0 && done.stderr.contains("no such partition"), "{}", done.stderr);
    assert_eq!(scratch.names(), after);
}

#[test]
fn runs_are_kept_beside_their_predictions_and_shown() {
    let scratch = with_job();
    let object = object(&scratch, &["--run=threads"]);
    let runs = object["run"]["runs"].as_array().unwrap();
    assert_eq!((runs.len(), &runs[0]["mapping"]), (1, &"threads".into()));
    let (predicted, actual) = (&runs[0]["predicted_s"], &runs[0]["actual_s"]);
    let (predicted, actual) = (predicted.as_f64().unwrap(), actual.as_f64().unwrap());
    let error = (predicted - actual).abs() / actual;
    assert!((runs[0]["error"].as_f64().unwrap() - error).abs() < 1e-12);
    object_of_recommended(&scratch);
    let lines = std::fs::read_to_string(scratch.path().join("state/history.jsonl")).unwrap();
    assert_eq!(lines.lines().count(), 2);
    assert!(lines.lines().all(|line| line.contains(r#""job":"job.toml""#)), "{lines}");
    let history = scratch.json(&["plan", "--history", "--state", "state"]);
    let rows = history["run"]["mappings"].as_array().unwrap();
    let all = rows.iter().find(|row| row["mapping"] == "all").unwrap();
    assert_eq!(all["pairs"], 2);
    let told = scratch.run(&["plan", "--history", "--state", "state"]);
    assert!(told.stdout.contains("median error"), "{}", told.stdout);
    let none = scratch.run(&["plan", "--history", "--state", "empty"]);
    assert!(none.stdout.starts_with("no runs are kept in empty"), "{}", none.stdout);
    assert!(!scratch.names().contains(&"empty".to_owned()));
}

fn object_of_recommended(scratch: &Scratch) {
    let object = object(scratch, &["--run=recommended"]);
    let runs = object["run"]["runs"].as_array().unwrap();
    let name = runs[0]["mapping"].as_str().unwrap();
    assert!(object["run"]["recommended"].as_str().unwrap().starts_with(name));
}

#[cfg(unix)]
#[test]
fn costs_are_measured_once_and_used_from_then_on() {
    let scratch = with_job();
    let calibrated = ["plan", "--calibrate", "--workers", "2", "--state", "state"];
    let object = scratch.json(&calibrated);
    let mappings = object["run"]["calibration"]["mappings"].as_object().unwrap();
    let names: Vec<&str> = mappings.keys().map(String::as_str).collect();
    // Those of MPI too, where it is installed.
    for name in ["engines", "new-engines", "threads"] {
        assert!(names.contains(&name), "{names:?}");
    }
    assert!(mappings["new-engines"]["start_s"].as_f64().unwrap() > 0.0);
    let plan = self::object(&scratch, &[]);
    for row in plan["run"]["mappings"].as_array().unwrap() {
        let measured = row["costs_source"] == "measured here";
        assert_eq!(measured, mappings.contains_key(row["name"].as_str().unwrap()), "{row}");
    }
    assert_eq!(scratch.names(), ["job.toml", "law_school.csv", "state"]);
}

#[test]
fn a_broken_state_is_named_and_costs_may_be_given_by_hand() {
    let scratch = with_job();
    scratch.put("state/calibration.json", r#"{"mappings": {"mpi": {"start_s": 100}}}"#);
    let plan = object(&scratch, &[]);
    let rows = plan["run"]["mappings"].as_array().unwrap();
    let mpi = rows.iter().find(|row| row["name"] == "mpi").unwrap();
    assert!(mpi["seconds"].as_f64().unwrap() > 100.0);
    scratch.put("state/history.jsonl", "{}\n");
    let done = scratch.run(&["plan", "job.toml", "--state", "state"]);
    assert_eq!(done.code, 2);
    assert!(done.stderr.contains("line 1 is no pair"), "{}", done.stderr);
    scratch.put("state/calibration.json", r#"{"mappings": {"mpi": {"start": 100}}}"#);
    let done = scratch.run(&["plan", "job.toml", "--state", "state"]);
    assert!(done.code == 2 && done.stderr.contains("unknown field `start`"), "{}", done.stderr);
}
