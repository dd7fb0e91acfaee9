//! The same bytes whatever the mapping, the instruction set, the format or the way in.

use crate::Scratch;
use windfall::files;

/// One job of each kind, small; each runs a dozen times.
pub(crate) const JOBS: &[&[&str]] = &[
    &["pi", "-n", "3e6"],
    &["integrate", "exp(-x0*x1) + sin(3*x0)", "--bounds=0:1,-1:2", "-n", "3e5"],
    &["integrate", "log(1 + x0^2)", "--bounds=0:inf", "--tolerance", "0.05", "-n", "1e6"],
    &["integrate", "x0 * x1 > 0.2", "--bounds=0:1,0:1", "--method", "stratified", "-n", "1e5"],
    &["integrate", "exp(-(x0^2+x1^2))", "--bounds=-1:1,-1:1", "--method", "sobol", "-n", "1e5"],
    &["bootstrap", "law_school.csv", "--statistic", "correlation(lsat, gpa)"],
    &["bootstrap", "law_school.csv", "-s", "mean(gpa) / mean(lsat)", "--method", "studentised"],
    &["bootstrap", "law_school.csv", "-s", "median(gpa)", "-s", "sd(lsat)", "-n", "40000"],
    &["jackknife", "law_school.csv", "-s", "correlation(lsat, gpa)"],
    &["fit", "law_school.csv", "gpa ~ lsat", "--se", "hc3"],
    &["fit", "law_school.csv", "(gpa > 3) ~ lsat", "--family", "logistic"],
    &["sample", "--model", "gaussian", "--with", "sd=1,10,0.1", "--chains", "5", "-n", "200"],
    &[
        "sample",
        "--model",
        "gaussian",
        "--with",
        "dimensions=3",
        "--sampler",
        "tempering",
        "-n",
        "99",
    ],
    &["sample", "-m", "gaussian", "--with", "dimensions=9", "--sampler", "ensemble", "-n", "50"],
    &[
        "sample",
        "sum(normal_lpdf(gpa, a + b*(lsat - 600)/100, s)) + normal_lpdf(a, 3, 1) + \
         normal_lpdf(b, 0, scale) + exponential_lpdf(s)",
        "law_school.csv",
        "-p",
        "a=real",
        "-p",
        "b=-2:2",
        "-p",
        "s=positive",
        "--constant",
        "scale=2",
        "--derived",
        "ratio=b/s",
        "-n",
        "150",
        "--warmup",
        "200",
    ],
    &[
        "sample",
        "-m",
        "linear",
        "law_school.csv",
        "--with",
        "formula=gpa ~ lsat",
        "--sampler",
        "metropolis",
        "-n",
        "150",
    ],
    &["mixture", "law_school.csv", "--components", "1,2", "--covariance", "spherical"],
    &["mixture", "law_school.csv", "-c", "2", "--init", "kmeans", "--acceleration", "squarem"],
    &[
        "integrate",
        "exp(-x0)",
        "x0^2",
        "--bounds=0:inf",
        "--control",
        "exp(-2*x0)",
        "--control-integral",
        "0.5",
        "--antithetic",
        "-n",
        "1e5",
        "--tolerance",
        "0.01",
    ],
    &["integrate", "exp(cos(x0))", "--bounds=0:2*pi", "-m", "lattice", "--periodic", "-n", "1e5"],
    &["integrate", "exp(-50*(x0-x1)^2)", "x0", "--bounds=0:1,0:1", "-m", "vegas", "-n", "2e5"],
    &[
        "integrate",
        "exp(-50*(x0-x1)^2)",
        "--bounds=0:1,0:1",
        "-m",
        "vegas",
        "--warmup",
        "4",
        "--iterations",
        "3",
        "--relative-tolerance",
        "1e-3",
        "-n",
        "1e6",
    ],
    &["integrate", "log(x0)*exp(-x1)", "--bounds=0:1,0:inf", "-m", "cubature", "-n", "1e5"],
    &["permutation", "law_school.csv", "-s", "correlation(lsat, gpa)", "--permute", "lsat"],
    &[
        "permutation",
        "law_school.csv",
        "-s",
        "mean(lsat*gpa)",
        "--permute",
        "lsat,gpa",
        "--separately",
    ],
    &["permutation", "law_school.csv", "-s", "mean(gpa - lsat/180)", "--samples", "lsat,gpa"],
    &["simulate", "--grid", "n = 10, 30", "-g", "x = t(3)", "-m", "mean(x)", "-m", "median(x)"],
    &["power", "t-test", "--effect", "0.5", "-n", "20:60:20"],
    &["power", "mann-whitney", "-e", "0.5", "-n", "25", "--law", "lognormal(0, 1)", "-s", "3000"],
    &["sample-size", "t-test", "--effect", "0.8", "--simulations", "2e5"],
    &["mixture", "law_school.csv", "-c", "2", "--method", "gibbs", "-n", "50", "--warmup", "20"],
];

#[test]
fn every_worker_count_and_instruction_set_gives_the_same_bytes() {
    let scratch = Scratch::with_law_school();
    for &job in JOBS {
        let expected = scratch.answer(&[job, &["--seed", "11", "--workers", "1"]].concat());
        for workers in ["2", "3", "7"] {
            let answer = scratch.answer(&[job, &["--seed", "11", "--workers", workers]].concat());
            assert_eq!(answer, expected, "{job:?} on {workers} workers");
        }
        for isa in windfall_lanes::available() {
            let arguments = [job, &["--seed", "11", "--workers", "2", "--json"]].concat();
            let mut command = scratch.command(&arguments);
            let done =
                crate::Done::of(command.env("WINDFALL_ISA", isa.to_string()).output().unwrap());
            let mut answer = done.object();
            let run = answer.shift_remove("run").unwrap();
            assert_eq!(run["isa"], isa.to_string());
            assert_eq!(answer, expected, "{job:?} on {isa}");
        }
    }
}

#[test]
fn the_library_gives_the_bytes_of_the_command() {
    let scratch = Scratch::with_law_school();
    for &job in JOBS {
        let expected =
            scratch.answer(&[job, &["--seed", "11", "--write-job", "job.toml"]].concat());
        let path = scratch.path().join("job.toml");
        let spec = files::read_job(&path).unwrap();
        let answer = windfall::solve(&spec, &files::Folder::of(&path)).unwrap();
        assert_eq!(answer.to_json(), expected, "{job:?}");
    }
}

#[test]
fn csv_and_parquet_give_the_same_answer() {
    let scratch = Scratch::with_law_school();
    let table = files::read(&scratch.path().join("law_school.csv")).unwrap();
    for name in ["same.parquet", "same.tsv"] {
        files::write(&scratch.path().join(name), &table).unwrap();
        let of = |data| {
            scratch.answer(&["bootstrap", data, "-s", "correlation(lsat, gpa)", "--seed", "5"])
        };
        assert_eq!(of(name), of("law_school.csv"));
    }
}

#[test]
fn a_written_job_runs_from_anywhere_to_the_same_answer() {
    let scratch = Scratch::with_law_school();
    scratch.put("deep/er/placeholder", "");
    for job in ["deep/er/job.toml", "job.json"] {
        // Without a seed: the job that is written holds the one that was drawn.
        let bootstrap =
            ["bootstrap", "law_school.csv", "-s", "correlation(lsat, gpa)", "-n", "2e4"];
        let expected = scratch.answer(&[&bootstrap[..], &["--write-job", job]].concat());
        assert_eq!(scratch.answer(&["run", job]), expected, "{job}");
        // A job written from a job, elsewhere.
        assert_eq!(scratch.answer(&["run", job, "--write-job", "deep/again.toml"]), expected);
        assert_eq!(scratch.answer(&["run", "deep/again.toml"]), expected);
        let other = scratch.answer(&["run", job, "--seed", "1"]);
        assert_ne!(other["interval"], expected["interval"]);
    }
    for (job, arguments) in [("a.toml", JOBS[2]), ("b.json", JOBS[4]), ("c.toml", JOBS[7])] {
        let expected = scratch.answer(&[arguments, &["--write-job", job]].concat());
        assert_eq!(scratch.answer(&["run", job]), expected, "{job}");
    }
}

#[test]
fn the_distribution_is_written_in_the_same_bits_to_each_format() {
    let scratch = Scratch::with_law_school();
    let bootstrap = ["bootstrap", "law_school.csv", "-s", "mean(gpa)", "--seed", "8", "-n", "500"];
    let plain = scratch.answer(&bootstrap);
    let mut columns = Vec::new();
    for name in ["out.csv", "out.tsv", "out.parquet"] {
        assert_eq!(scratch.answer(&[&bootstrap[..], &["--out", name]].concat()), plain);
        let table = files::read(&scratch.path().join(name)).unwrap();
        columns.push(table.numbers("mean(gpa)").unwrap().to_vec());
    }
    assert_eq!(columns[0].len(), 500);
    assert!(columns.iter().all(|column| *column == columns[0]));
    assert_eq!(scratch.answer(&[&bootstrap[..], &["--plot", "p.svg"]].concat()), plain);
    let svg = std::fs::read_to_string(scratch.path().join("p.svg")).unwrap();
    assert!(svg.contains("500 resamples · seed 8") && svg.ends_with("</svg>\n"));
    scratch.answer(&[&bootstrap[..], &["--plot", "p.png"]].concat());
    let expected = ["law_school.csv", "out.csv", "out.parquet", "out.tsv", "p.png", "p.svg"];
    assert_eq!(scratch.names(), expected);
}
