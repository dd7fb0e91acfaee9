//! The jobs of the suite: one for each path through the problems.

use windfall_core::{Error, JobSpec, Result, Source, Table};

/// As job files have them, less their seed.
const JOBS: &[&str] = &[
    "problem = 'pi'\nn = 3000001",
    "problem = 'integrate'\nformula = 'exp(-x0^2 - x1^2)'\nbounds = [[-1, 1], [0, 2]]\n\
     n = 500001",
    "problem = 'integrate'\nformula = 'x0^2 + x1^2 < 1'\nbounds = [[-1, 1], [0, 2]]\n\
     n = 500000\nmethod = 'stratified'",
    "problem = 'integrate'\nformula = 'exp(-x0^2 - x1^2)'\nbounds = [[0, 'inf'], [0, 2]]\n\
     n = 300000\nmethod = 'sobol'",
    "problem = 'integrate'\nformula = 'x0 * x1'\nbounds = [[0, 1], [0, 1]]\n\
     n = 4000000\ntolerance = 0.0003",
    "problem = 'integrate'\nformula = ['exp(-x0^2)', 'x0^2']\nbounds = [[-1, 1], [0, 2]]\n\
     n = 100001\nantithetic = true\ncontrol = '1 - x0^2'",
    "problem = 'integrate'\nformula = 'exp(sin(x0))'\nbounds = [[0, '2*pi']]\n\
     n = 100000\nmethod = 'lattice'\nperiodic = true",
    "problem = 'integrate'\nformula = ['exp(-40*(x0 - x1)^2)', 'x0']\n\
     bounds = [[0, 1], [0, 1]]\nn = 400000\nmethod = 'vegas'",
    "problem = 'integrate'\nformula = 'exp(-40*(x0 - x1)^2)'\nbounds = [[0, 1], [0, 'inf']]\n\
     relative_tolerance = 0.002\nmethod = 'vegas'",
    "problem = 'integrate'\nformula = ['sqrt(x0*x1)', 'abs(x0 - x1)']\n\
     bounds = [[0, 1], [0, 1]]\nn = 100000\nmethod = 'cubature'",
    "problem = 'bootstrap'\ndata = 'law'\nstatistic = 'correlation(lsat, gpa)'\n\
     method = 'bca'\nresamples = 100000\ndistribution = true",
    "problem = 'bootstrap'\ndata = 'law'\nstatistic = ['median(lsat)', 'sd(gpa)']\n\
     resamples = 20000",
    "problem = 'bootstrap'\ndata = 'law'\nstatistic = 'trimmed_mean(lsat, 0.1)'\n\
     method = 'basic'\nresamples = 200000",
    "problem = 'bootstrap'\ndata = 'law'\nstatistic = 'mean(gpa)'\nmethod = 'studentised'\n\
     resamples = 20000\ntolerance = 0.001",
    "problem = 'bootstrap'\ndata = 'law'\nstatistic = 'mean(gpa)'\nblocks = 'stationary'\n\
     block_length = 3\nmethod = 'percentile'\nresamples = 5000",
    "problem = 'bootstrap'\ndata = 'law'\nstatistic = 'mean(gpa)'\nbayesian = true\n\
     method = 'percentile'\nresamples = 5000",
    "problem = 'fit'\ndata = 'law'\nformula = 'gpa ~ lsat'\nse = 'hc3'",
    "problem = 'fit'\ndata = 'law'\nformula = 'gpa ~ lsat'\nlags = 2",
    "problem = 'fit'\ndata = 'law'\nformula = 'gpa ~ lsat + I(lsat^2) + I(lsat^3)'",
    "problem = 'fit'\ndata = 'law'\nformula = '(gpa > 3) ~ lsat'\nfamily = 'logistic'",
    "problem = 'fit'\ndata = 'law'\nformula = 'lsat ~ gpa'\nfamily = 'poisson'\n\
     cluster = 'gpa'",
    "problem = 'fit'\ndata = 'law'\nformula = 'gpa ~ lsat'\nfamily = 'quantile'",
    "problem = 'fit'\ndata = 'law'\nformula = 'lsat ~ 1'\nby = 'gpa'\nridge = 2",
    "problem = 'jackknife'\ndata = 'law'\nstatistic = 'correlation(lsat, gpa)'",
    "problem = 'sample'\nmodel = 'gaussian'\nsd = [1, 9, 0.1]\nchains = 5\nwarmup = 150\n\
     draws = 100\ndistribution = true",
    "problem = 'sample'\nmodel = 'gaussian'\ndimensions = 2\nsampler = 'metropolis'\n\
     chains = 3\nwarmup = 200\ndraws = 100\nthin = 3\ninit = [1, -1]",
    "problem = 'sample'\nmodel = 'gaussian'\ndimensions = 2\nsampler = 'ensemble'\n\
     walkers = 6\nchains = 2\nwarmup = 50\ndraws = 40",
    "problem = 'sample'\nmodel = 'gaussian'\ndimensions = 2\nsampler = 'tempering'\n\
     rungs = 3\nhottest = 10\nchains = 3\nwarmup = 200\ndraws = 100",
    "problem = 'mixture'\ndata = 'law'\ncomponents = [1, 2]\nstarts = 3\n\
     distribution = true",
    "problem = 'mixture'\ndata = 'law'\ncomponents = 2\ncovariance = 'tied'\n\
     init = 'kmeans'\nacceleration = 'squarem'\nstandard_errors = true",
    "problem = 'mixture'\ndata = 'law'\ncovariance = 'diag'\niterations = 4\n\
     start = [{ means = [[550, 3], [650, 3.3]] }, { means = [[550, 3.3], [650, 3]] }]",
    "problem = 'permutation'\ndata = 'law'\npermute = 'lsat'\ndistribution = true\n\
     statistic = ['correlation(lsat, gpa)', 'kendall(lsat, gpa)']\nresamples = 20000",
    "problem = 'permutation'\ndata = 'law'\npermute = ['lsat', 'gpa']\nseparately = true\n\
     statistic = 'mean(lsat*gpa)'\nstrata = 'side'\nresamples = 600",
    "problem = 'permutation'\ndata = 'law'\nsamples = ['lsat', 'gpa']\n\
     statistic = 'mean(lsat - 180*gpa)'\nresamples = 40000",
    "problem = 'permutation'\ndata = 'law'\ngroups = 'year'\n\
     statistic = ['t(lsat)', 'median_difference(gpa)']\nresamples = 5000\n\
     tolerance = 0.004",
    "problem = 'permutation'\ndata = 'law'\ngroups = 'year'\nstatistic = 'welch_t(gpa)'\n\
     exceedances = 200\nresamples = 100000\nstrata = 'side'",
    "problem = 'simulate'\ngrid = ['n = 8, 20', 'd = 0, 1']\nreplicates = 60\n\
     generate = ['x = normal(d, 1)', 'y = gamma(2, 1 + x^2)']\ntruth = 'd'\n\
     method = ['mean(x)', 'slope(y, x)', 'sd(y)/mean(y); interval = basic; resamples = 49']\n\
     distribution = true",
    "problem = 'power'\ntest = 't-test'\neffect = 0.5\nn = '20:60:20'\nsimulations = 30003",
    "problem = 'power'\ntest = 'welch'\neffect = [0.4, 0.8]\nn = 21\nratio = 1.5\n\
     simulations = 5003\nfull_data = true",
    "problem = 'power'\ntest = 'mann-whitney'\neffect = 0.7\nn = 12\nlaw = 'gamma(2)'\n\
     tolerance = 0.01",
    "problem = 'power'\ntest = 'log-rank'\neffect = 0.5\nn = 30\naccrual = 1\n\
     follow_up = 2\ndropout = 0.1\nsimulations = 1000",
    "problem = 'power'\ntest = 'logistic'\neffect = 2\nn = 60\nsimulations = 1000",
    "problem = 'power'\ntest = 'fisher'\nproportions = [0.7, 0.3]\nn = 20",
    "problem = 'sample_size'\ntest = 'paired-t'\neffect = 0.8\nsimulations = 40000",
    "problem = 'sample_size'\ntest = 'wilcoxon'\neffect = 0.8\nsimulations = 5000",
    "problem = 'sample'\ndata = 'law'\nmodel = 'linear'\nformula = 'gpa ~ lsat'\nchains = 3\n\
     warmup = 100\ndraws = 50",
    "problem = 'sample'\ndata = 'law'\nmodel = 'logistic'\nformula = 'I(gpa > 3.1) ~ lsat'\n\
     prior_sd = 5\nchains = 2\nwarmup = 100\ndraws = 50",
    "problem = 'sample'\ndata = 'law'\nmodel = 'poisson'\nformula = 'lsat ~ gpa'\nchains = 2\n\
     warmup = 100\ndraws = 50",
    "problem = 'sample'\ndata = 'law'\nmodel = 'mixture'\noutcome = 'gpa'\ncomponents = 2\n\
     chains = 2\nwarmup = 100\ndraws = 50",
    "problem = 'sample'\nmodel = 'eight-schools'\nchains = 2\nwarmup = 100\ndraws = 50",
    "problem = 'sample'\ndata = 'law'\nlog_density = 'sum(normal_lpdf(gpa, m, s)) - s'\n\
     parameters = {m = 'real', s = 'positive'}\nderived = {cv = 's/m'}\nchains = 2\n\
     warmup = 100\ndraws = 50",
    "problem = 'mixture'\ndata = 'law'\nstart = { means = [[550, 3], [650, 3.3]] }\n\
     iterations = 0\ndistribution = true",
    "problem = 'mixture'\ndata = 'law'\ncomponents = 2\nmethod = 'gibbs'\nchains = 3\n\
     warmup = 20\ndraws = 30\ndistribution = true",
    "problem = 'mixture'\ndata = 'law'\ncomponents = 2\nmethod = 'gibbs'\nchains = 2\n\
     warmup = 5\ndraws = 20\ncovariance = 'spherical'\norder = 'none'",
];

/// Small jobs that together take every path of every problem.
pub fn jobs() -> Vec<JobSpec> {
    let read = |text: &str| {
        let mut spec = JobSpec::from_toml(text).expect("the suite's jobs are valid TOML");
        spec.seed = Some(20_261_122u64.into());
        spec
    };
    JOBS.iter().copied().map(read).collect()
}

/// The data of the suite's jobs: the law schools of Efron & Tibshirani (1993), table 3.1.
pub fn source() -> impl Source {
    struct LawSchool;
    impl Source for LawSchool {
        fn table(&self, path: &str) -> Result<Table> {
            if path != "law" {
                return Err(Error::io(path, "the suite has only `law`"));
            }
            let lsat = [
                576., 635., 558., 578., 666., 580., 555., 661., 651., 605., 653., 575., 545., 572.,
                594.,
            ];
            let gpa = [
                3.39, 3.30, 2.81, 3.03, 3.44, 3.07, 3.00, 3.43, 3.36, 3.13, 3.12, 2.74, 2.76, 2.88,
                2.96,
            ];
            // Two made-up columns, for designs with groups and strata.
            let of = |row: usize, modulus: usize| (row * 7 % 5 % modulus) as f64;
            let year = (0..15).map(|row| of(row, 2)).collect();
            let side = (0..15).map(|row| of(row, 3).min(1.0)).collect();
            Table::from_numbers([
                ("lsat", lsat.to_vec()),
                ("gpa", gpa.to_vec()),
                ("year", year),
                ("side", side),
            ])
        }
    }
    LawSchool
}
