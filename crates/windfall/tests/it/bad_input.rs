//! Bad input: a clear message, the right code, nothing on standard output, nothing left behind.

use crate::Scratch;

/// Files that have something wrong, by name.
const FILES: [(&str, &str); 10] = [
    ("good.csv", "x,y\n1,2\n2,3\n3,5\n"),
    ("empty.csv", ""),
    ("nan.csv", "x,y\n1,2\n2,NA\n3,5\n"),
    ("one.csv", "x,y\n1,2\n"),
    ("text.csv", "x,y\n1,a\n2,b\n3,c\n"),
    ("ragged.csv", "x,y\n1,2\n3\n"),
    (
        "misspelt.toml",
        "problem = 'bootstrap'\ndata = 'good.csv'\nstatistic = 'mean(x)'\nresampels = 9",
    ),
    ("good.toml", "problem = 'pi'\nn = 1000\nseed = 1"),
    ("unknown.toml", "problem = 'boostrap'"),
    ("broken.toml", "problem = \n"),
];

fn refused(arguments: &[&str], parts: &[&str]) {
    let scratch = Scratch::new();
    FILES.iter().for_each(|(name, text)| scratch.put(name, text));
    let before = scratch.names();
    let done = scratch.run(arguments);
    assert_eq!(done.code, 2, "{arguments:?}: {}", done.stderr);
    assert_eq!(done.stdout, "", "{arguments:?}");
    assert!(done.stderr.starts_with("error: "), "{arguments:?}: {}", done.stderr);
    for part in parts {
        assert!(done.stderr.contains(part), "{arguments:?}: no {part} in {}", done.stderr);
    }
    assert_eq!(scratch.names(), before, "{arguments:?}");
}

#[test]
fn data_that_cannot_be_used_is_named() {
    let mean = |file| ["bootstrap", file, "--statistic", "mean(y)", "--out", "out.csv"];
    refused(&mean("empty.csv"), &["`empty.csv`: is empty"]);
    refused(&mean("none.csv"), &["`none.csv`: no such file"]);
    refused(&mean("nan.csv"), &["`y`", "`NaN` in row 1", "hint: "]);
    refused(&mean("one.csv"), &["too few", "`1`"]);
    refused(&mean("text.csv"), &["`y`", "numbers"]);
    refused(&mean("ragged.csv"), &["line 3: 1 fields where the header has 2"]);
    refused(&["bootstrap", "good.csv", "--statistic", "mean(z)"], &["`z`"]);
    refused(&["bootstrap", "good.csv", "-s", "mean(x)", "--strata", "s"], &["`s`"]);
}

#[test]
fn options_that_cannot_be_are_named() {
    let bootstrap = |more: &[&'static str]| {
        [&["bootstrap", "good.csv", "--statistic", "mean(x)"][..], more].concat()
    };
    refused(&bootstrap(&["--resamples", "0"]), &["resamples", "`0`"]);
    refused(&bootstrap(&["--resamples", "many"]), &["`resamples`", "many"]);
    refused(&bootstrap(&["--level", "95"]), &["`level` is `95`"]);
    refused(&bootstrap(&["--method", "bcb"]), &["`method`", "bcb"]);
    refused(&bootstrap(&["--workers", "0"]), &["`--workers` is `0`"]);
    refused(&bootstrap(&["--seed", "-1"]), &["--seed"]);
    refused(&bootstrap(&["--out", "out.xlsx"]), &["`out.xlsx`", ".parquet"]);
    refused(&bootstrap(&["--plot", "out.pdf"]), &["`out.pdf`", ".svg"]);
    refused(&bootstrap(&["--resampels", "9"]), &["--resampels", "--resamples"]);
    refused(&["pi", "-n", "0"], &["`0`"]);
    refused(&["bootstrap", "good.csv"], &["--statistic"]);
}

#[test]
fn plans_that_cannot_be_made_are_named() {
    refused(&["plan"], &["FILE"]);
    refused(&["plan", "none.toml"], &["`none.toml`: there is no such file"]);
    refused(&["plan", "misspelt.toml"], &["`resampels`; did you mean `resamples`?"]);
    refused(&["plan", "misspelt.toml", "--pilot", "0"], &["`--pilot` is `0`"]);
    refused(&["plan", "misspelt.toml", "--workers", "0"], &["`--workers` is `0`"]);
    refused(&["plan", "misspelt.toml", "--elsewhere", "no"], &["`--elsewhere` is `no`"]);
    refused(&["plan", "good.toml", "--run=threds"], &["unknown mapping `threds`", "`threads`"]);
    refused(&["plan", "good.toml", "--history"], &["--history"]);
    refused(&["plan", "--run", "--history"], &["--history"]);
}

#[test]
fn permutations_that_change_nothing_are_named() {
    let permutation = |more: &[&'static str]| [&["permutation", "good.csv"][..], more].concat();
    refused(&permutation(&["-s", "mean(x)"]), &["`groups` is `missing`", "hint: "]);
    refused(&permutation(&["-s", "mean(x)", "--permute", "x"]), &["`mean(x)`", "must pair `x`"]);
    refused(&permutation(&["-s", "mean(x)", "--permute", "z"]), &["`z`"]);
    refused(&permutation(&["-s", "t(x)", "--groups", "y"]), &["`t`", "two groups", "f"]);
    refused(&permutation(&["-s", "mean(x)", "--samples", "x", "-n", "0"]), &["resamples", "`0`"]);
    refused(&permutation(&["-s", "mean(x)", "--samples", "x", "--separately"]), &["--permute"]);
    let apart = ["-s", "sd(x) + mean(y)", "--permute", "x,y", "--separately"];
    refused(&permutation(&apart), &["one that permutations change"]);
    let both = ["-s", "mean(x)", "--samples", "x", "--groups", "y"];
    refused(&permutation(&both), &["the only one of"]);
    let side = ["-s", "mean(x)", "--samples", "x", "--alternative", "both"];
    refused(&permutation(&side), &["alternative", "both", "two-sided"]);
    refused(&permutation(&["--permute", "x"]), &["--statistic"]);
}

#[test]
fn tests_and_laws_that_cannot_be_are_named() {
    let power = |more: &[&'static str]| [&["power", "t-test", "-n", "20"][..], more].concat();
    refused(&power(&[]), &["`effect` is `missing`", "hint: "]);
    refused(&power(&["--effect", "big"]), &["`effect` is `big`"]);
    refused(&power(&["--effect", "1", "--alpha", "5"]), &["`alpha` is `5`"]);
    refused(&power(&["--effect", "1", "--icc", "0.1"]), &["`icc`", "`t-test` has no use for it"]);
    refused(&power(&["--group", "normal(0, 1)"]), &["`groups`", "2 laws"]);
    refused(&power(&["--effect", "1", "--law", "norml(0, 1)"]), &["did you mean `normal`"]);
    refused(&power(&["--effect", "1", "--simulations", "0"]), &["too few simulations"]);
    refused(&power(&["--effect", "1", "--alternative", "both"]), &["alternative", "both"]);
    refused(&["power", "t-tset", "-n", "20", "-e", "1"], &["did you mean `t-test`"]);
    refused(&["power", "t-test", "-e", "1"], &["`n` is `missing`", "hint: "]);
    refused(&["sample-size", "t-test", "-e", "1", "--power", "1.5"], &["`power` is `1.5`"]);
    refused(&["sample-size", "t-test", "-e", "1,2"], &["`effect` is `2`", "one number"]);
}

#[test]
fn formulas_and_bounds_report_all_that_is_wrong() {
    let one = ["--bounds=0:1", "-n", "100"];
    refused(&[&["integrate", "sine(x0) + x0 +* 2"][..], &one].concat(), &["sine", "*"]);
    refused(&["integrate", "x0", "--bounds=0:one"], &["one"]);
    refused(&["integrate", "x0", "--bounds=0:nan"], &["nan"]);
    refused(&["integrate", "x0", "--bounds=0,1"], &["`0` is no pair"]);
    refused(&["integrate", "x1", "--bounds=0:1"], &["x1"]);
    refused(&["integrate", "x0"], &["bounds"]);
}

#[test]
fn methods_of_integrals_refuse_what_they_have_no_use_for() {
    let of = |more: &[&str], parts: &[&str]| {
        refused(&[&["integrate", "x0", "--bounds=0:1"][..], more].concat(), parts);
    };
    of(&["--method", "monte"], &["monte", "`method`"]);
    of(&["--method", "vegas", "-n", "50"], &["50", "at least 400"]);
    of(&["--iterations", "5"], &["`iterations` is `5`", "methods that use it: vegas"]);
    of(&["--method", "vegas", "--warmup", "-1"], &["`warmup` is `-1"]);
    of(&["--method", "sobol", "--antithetic"], &["`antithetic`", "plain, stratified"]);
    of(&["--method", "cubature", "--control", "x0"], &["`control` is `x0`"]);
    of(&["--method", "cubature", "-n", "20"], &["20", "at least 21"]);
    of(&["--method", "lattice", "--replicates", "1"], &["`replicates` is `1`"]);
    of(&["--control", "sin(x0)"], &["`sin(x0)`", "a polynomial", "control_integral"]);
    of(&["--control", "x0", "--control-integral", "inf"], &["inf"]);
    of(&["--control-integral", "1"], &["each of 0 controls"]);
    of(&["--relative-tolerance", "0"], &["`relative_tolerance` is `0`"]);
    let both = ["integrate", "x0", "x0 +", "--bounds=0:1"];
    refused(&both, &["x0 +"]);
}

#[test]
fn mixtures_that_cannot_be_are_named() {
    let mixture = |more: &[&'static str]| [&["mixture", "good.csv"][..], more].concat();
    refused(&mixture(&[]), &["`components` is `missing`", "hint: "]);
    refused(&mixture(&["-c", "0"]), &["`components` is `0`"]);
    refused(&mixture(&["-c", "4"]), &["too few rows: `3`, at least 4"]);
    refused(&mixture(&["-c", "1,two"]), &["`components`", "two"]);
    refused(&mixture(&["-c", "2", "--covariance", "fool"]), &["`covariance`", "fool"]);
    refused(&mixture(&["-c", "2", "--columns", "x,z"]), &["unknown column `z`"]);
    refused(&mixture(&["-c", "2", "--tolerance", "-1"]), &["`tolerance` is `-1`"]);
    refused(&mixture(&["--start", "{means}"]), &["--start", "JSON"]);
    refused(&mixture(&["--start", "{\"means\": [1, 2, 3]}"]), &["`means`", "rows of 2 numbers"]);
    let gibbs = |more: &[&'static str]| mixture(&[&["-m", "gibbs"][..], more].concat());
    refused(&gibbs(&["-c", "1,2"]), &["`components` is `2`", "hint: "]);
    refused(&gibbs(&["-c", "2", "--draws", "3"]), &["`draws` is `3`"]);
    refused(&gibbs(&["-c", "2", "--prior", "{\"shrink\": 1}"]), &["`prior`", "shrink"]);
    refused(&gibbs(&["-c", "2", "--prior", "{\"shrinkage\": 0}"]), &["`prior.shrinkage` is `0`"]);
    refused(&["mixture", "nan.csv", "-c", "2"], &["`y`", "`NaN` in row 1"]);
    refused(&["mixture", "text.csv", "-c", "2", "--columns", "y"], &["`y`", "numbers"]);
}

#[test]
fn studies_that_cannot_be_are_named() {
    let study = |more: &[&'static str]| {
        let base = ["simulate", "--grid", "n = 9", "-g", "x = normal(0, 1)", "-m", "mean(x)"];
        [&base[..], more].concat()
    };
    refused(&study(&["-n", "0"]), &["replicates", "`0`"]);
    refused(&study(&["--level", "2"]), &["`level` is `2`"]);
    refused(&study(&["--grid", "d : 3"]), &["`d : 3`", "hint: "]);
    refused(&study(&["--conditions", "good.csv"]), &["--conditions"]);
    refused(&study(&["-g", "y = 2 * z"]), &["z"]);
    refused(&study(&["-m", "meen(x)"]), &["did you mean `mean`?"]);
    refused(&study(&["--truth", "mu"]), &["mu"]);
    refused(&study(&["--measure", "bais"]), &["did you mean `bias`?"]);
    refused(&study(&["--extend", "good.csv"]), &["column", "`n`"]);
    refused(&study(&["--keep", "kept.xlsx"]), &["`kept.xlsx`"]);
    refused(&["simulate", "-g", "x = t(3)", "-m", "mean(x)"], &["`rows` is `missing`", "hint: "]);
}

#[test]
fn models_and_their_options_are_checked() {
    let fit = |more: &[&'static str]| [&["fit", "good.csv"][..], more].concat();
    refused(&fit(&["y ~ xx + log(w)"]), &["`xx` at column 5", "`w` at column 14", "did you mean"]);
    refused(&fit(&["y + x"]), &["without `~`", "hint: "]);
    refused(&fit(&["y ~ x", "--by", "g"]), &["unknown column `g`"]);
    refused(&fit(&["y ~ x", "--family", "gauss"]), &["`family`", "gauss"]);
    refused(&fit(&["y ~ x", "--se", "cr1"]), &["`se` is `cr1`", "hint: "]);
    refused(&fit(&["y ~ x", "--se", "hc3", "--lags", "2"]), &["`lags` is `2`", "hint: "]);
    refused(&fit(&["y ~ x", "--lags", "-1"]), &["lags", "-1"]);
    refused(&fit(&["y ~ x", "--ridge", "-1"]), &["`ridge` is `-1`"]);
    refused(&fit(&["y ~ x", "--quantile", "0.2"]), &["`quantile` is `0.2`"]);
    refused(&["fit", "text.csv", "y ~ x"], &["text with 3 labels"]);
    refused(&["fit", "good.csv"], &["<FORMULA>"]);
}

#[test]
fn job_files_name_the_nearest_key_and_problem() {
    refused(&["run", "misspelt.toml"], &["`resampels`; did you mean `resamples`?"]);
    refused(&["run", "unknown.toml"], &["`boostrap`; did you mean `bootstrap`?"]);
    refused(&["run", "broken.toml"], &["job file", "TOML"]);
    refused(&["run", "none.toml"], &["`none.toml`", "--write-job"]);
    refused(&["verify", "misspelt.toml"], &["did you mean `resamples`?"]);
    refused(&["verify", "none.toml", "--json"], &["`none.toml`"]);
}

#[test]
fn what_cannot_be_written_is_said_after_the_answer() {
    let scratch = Scratch::with_law_school();
    let bootstrap = ["bootstrap", "law_school.csv", "--statistic", "mean(gpa)", "--seed", "1"];
    let done = scratch.run(&[&bootstrap[..], &["--out", "no/folder/out.csv"]].concat());
    assert_eq!(done.code, 1);
    assert!(done.stderr.contains("`no/folder/out.csv`: no such file or directory"));
    assert!(done.stdout.contains("mean(gpa)"), "the work is not lost");
    let done = scratch.run(&["pi", "-n", "1e4", "--write-job", "no/folder/job.toml"]);
    assert_eq!((done.code, done.stdout.as_str()), (1, ""));
    assert_eq!(scratch.names(), ["law_school.csv"]);
}

#[test]
fn a_problem_without_a_distribution_says_so() {
    let scratch = Scratch::new();
    scratch.put("pi.toml", "problem = 'pi'\nn = 1000");
    let done = scratch.run(&["run", "pi.toml", "--plot", "pi.svg"]);
    assert_eq!(done.code, 2);
    assert!(done.stderr.contains("simulates a distribution"), "{}", done.stderr);
    assert_eq!(scratch.names(), ["pi.toml"]);
}

#[test]
fn chains_that_cannot_run_are_refused() {
    let sample = |more: &[&'static str]| {
        [&["sample", "--model", "gaussian", "--with", "dimensions=2"][..], more].concat()
    };
    refused(&["sample", "--model", "gausian"], &["`gausian`", "did you mean `gaussian`"]);
    refused(&["sample", "--model", "gaussian"], &["`dimensions`", "missing"]);
    refused(&sample(&["good.csv"]), &["`data`", "no use for it"]);
    refused(&sample(&["--chains", "0"]), &["`chains` is `0`"]);
    refused(&sample(&["--draws", "many"]), &["`draws`", "many"]);
    refused(&sample(&["--sampler", "gibbs"]), &["`sampler`", "gibbs"]);
    refused(&sample(&["--walkers", "8"]), &["`walkers` is `8`", "`ensemble`"]);
    refused(&sample(&["--init", "1"]), &["`init`", "x[0], x[1]"]);
    refused(&sample(&["--target-acceptance", "2"]), &["`target_acceptance` is `2`"]);
    refused(&sample(&["--with", "sd=1,-1"]), &["`sd`", "-1"]);
    refused(&sample(&["--with", "sdd=1,1"]), &["`sdd`", "did you mean `sd`"]);
}

#[test]
fn models_that_make_no_sense_are_refused() {
    let sample = |more: &[&'static str]| [&["sample"][..], more].concat();
    let line = "sum(normal_lpdf(y, a + b*x, 1)) + normal_lpdf(a, 0, 9) + normal_lpdf(b, 0, 9)";
    let both = ["-p", "a=real", "-p", "b=real"];
    let of = |more: &[&'static str]| [&["sample", line][..], more, &both].concat();
    refused(&sample(&[]), &["hint: "]);
    refused(&sample(&["normal_lpdf(a, 0, 1)"]), &["`parameters`", "missing"]);
    refused(&sample(&["normal_lpdf(a, 0, 1) + c", "-p", "a=real"]), &["`c`"]);
    refused(&sample(&["normal_lpdf(a, 0", "-p", "a=real"]), &["never closed"]);
    let without_prior = ["normal_lpdf(a, 0, 1)", "-p", "a=real", "-p", "b=real"];
    refused(&sample(&without_prior), &["`b`", "add a prior"]);
    refused(&sample(&["normal_lpdf(a, 0, 1)", "-p", "a=rael"]), &["`parameters.a`", "rael"]);
    refused(&sample(&["normal_lpdf(a, 0, 1)", "-p", "a=3:1"]), &["`parameters.a`"]);
    refused(&of(&[]), &["unknown variable `y`"]);
    refused(&sample(&["sum(a)", "-p", "a=real"]), &["`data`", "missing", "formula has sums"]);
    refused(&of(&["none.csv"]), &["`none.csv`", "no such file"]);
    refused(&of(&["nan.csv"]), &["`y`", "`NaN` in row 1"]);
    refused(&of(&["text.csv"]), &["`y`", "numbers"]);
    refused(&of(&["good.csv", "-p", "x=real"]), &["`x`", "a parameter and a column"]);
    refused(&sample(&["normal_lpdf(a, 0, 1)", "good.csv", "-p", "a=real"]), &["`data`", "no rows"]);
    let derived = ["--derived", "c=2*d"];
    refused(&of(&[&["good.csv"][..], &derived].concat()), &["derived `c`", "`d`"]);
    refused(&of(&["good.csv", "--constant", "s=big"]), &["`constants.s`", "big"]);
    let linear = |more: &[&'static str]| [&["sample", "-m", "linear"][..], more].concat();
    refused(&linear(&["good.csv"]), &["`formula`", "missing"]);
    refused(&linear(&["--with", "formula=y ~ x"]), &["`data`", "missing"]);
    refused(&linear(&["good.csv", "--with", "formula=y ~ z"]), &["`z`"]);
    refused(&linear(&["nan.csv", "--with", "formula=y ~ x"]), &["`y`"]);
}
