//! Flags that say which test is meant and what data it is to see, for power and sample size.

use super::number;
use clap::Args;
use serde::Serialize;
use serde_json::Value;

/// A test and its data.
#[derive(Args, Debug, Serialize)]
pub(in crate::cli) struct TestDesign {
    /// The test: t-test, welch, one-sample-t, paired-t, anova, equivalence, cluster, proportion,
    /// proportions, fisher, goodness-of-fit, independence, correlation, linear-regression,
    /// logistic-regression, mann-whitney, wilcoxon or log-rank
    #[arg(value_name = "TEST")]
    test: String,
    /// The effect in the test's measure: d, f, h, w, r, slope, odds ratio or hazard ratio
    #[arg(long, short, value_name = "EFFECT", value_parser = number, allow_hyphen_values = true)]
    effect: Option<Value>,
    /// The level at which the test rejects [default: 0.05]
    #[arg(long, short, value_name = "ALPHA", value_parser = number, allow_negative_numbers = true)]
    alpha: Option<Value>,
    /// two-sided, less or greater [default: two-sided]
    #[arg(long, value_name = "SIDE")]
    alternative: Option<String>,
    /// The law of a sample, such as 'normal(0.5, 1)' or 'gamma(2, 1.5)'; once for each sample
    #[arg(long = "group", value_name = "LAW", help_heading = "Data")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    groups: Vec<String>,
    /// The law of data that the effect only moves [default: normal(0, 1)]
    #[arg(long, value_name = "LAW", help_heading = "Data")]
    law: Option<String>,
    /// The law of the predictor of a regression [default: normal(0, 1)]
    #[arg(long, value_name = "LAW", help_heading = "Data")]
    predictor: Option<String>,
    /// Size of the second sample over the first [default: 1]
    #[arg(long, value_name = "RATIO", value_parser = number, help_heading = "Data")]
    ratio: Option<Value>,
    /// Samples of an analysis of variance
    #[arg(long, value_name = "N", value_parser = number, help_heading = "Data")]
    arms: Option<Value>,
    /// Largest difference that counts as equivalence, in standard deviations
    #[arg(long, value_name = "MARGIN", value_parser = number, help_heading = "Data")]
    margin: Option<Value>,
    /// The proportion of each sample, such as 0.6,0.4
    #[arg(long, value_name = "P,…", value_parser = number, help_heading = "Data")]
    proportions: Option<Value>,
    /// Mean [default: 0] or proportion [default: 0.5] of the null hypothesis, for one sample
    #[arg(
        long,
        value_name = "VALUE",
        value_parser = number,
        allow_hyphen_values = true,
        help_heading = "Data"
    )]
    null: Option<Value>,
    /// Chances of a table's cells, such as 0.5,0.3,0.2 or, row by row, '0.1,0.2;0.3,0.4'
    #[arg(long, value_name = "P,…", value_parser = number, help_heading = "Data")]
    probabilities: Option<Value>,
    /// Chances of the null hypothesis [default: even]
    #[arg(long, value_name = "P,…", value_parser = number, help_heading = "Data")]
    null_probabilities: Option<Value>,
    /// Cells of a table, or rows and columns as 2,3, where only the effect w is given
    #[arg(long, value_name = "N,…", value_parser = number, help_heading = "Data")]
    cells: Option<Value>,
    /// Further predictors of a linear regression [default: 0]
    #[arg(long, value_name = "N", value_parser = number, help_heading = "Data")]
    covariates: Option<Value>,
    /// Share of the predictor's variance that these explain [default: 0]
    #[arg(long, value_name = "SHARE", value_parser = number, help_heading = "Data")]
    r_squared: Option<Value>,
    /// Probability of the outcome of a logistic regression at predictor 0 [default: 0.5]
    #[arg(long, value_name = "P", value_parser = number, help_heading = "Data")]
    base_rate: Option<Value>,
    /// Subjects of a cluster
    #[arg(long, value_name = "N", value_parser = number, help_heading = "Data")]
    cluster_size: Option<Value>,
    /// Correlation of two subjects of a cluster
    #[arg(long, value_name = "ICC", value_parser = number, help_heading = "Data")]
    icc: Option<Value>,
    /// Median survival of the second group [default: 1]
    #[arg(long, value_name = "TIME", value_parser = number, help_heading = "Data")]
    median: Option<Value>,
    /// For how long subjects enter, evenly [default: 0]
    #[arg(long, value_name = "TIME", value_parser = number, help_heading = "Data")]
    accrual: Option<Value>,
    /// How long the last to enter is followed [default: to the event]
    #[arg(long, value_name = "TIME", value_parser = number, help_heading = "Data")]
    follow_up: Option<Value>,
    /// Rate at which subjects are lost [default: 0]
    #[arg(long, value_name = "RATE", value_parser = number, help_heading = "Data")]
    dropout: Option<Value>,
    /// Draw every value, even where sums or counts of them would do
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    full_data: bool,
}
