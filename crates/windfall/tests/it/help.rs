//! The reference of the command is its own help, kept in `docs/reference/cli.md`.
//!
//! `WINDFALL_BLESS=1 cargo test -p windfall --test it help` writes it anew.

use crate::Scratch;

const REFERENCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/cli.md");

#[test]
fn the_reference_is_the_help() {
    let scratch = Scratch::new();
    let help = |arguments: &[&str]| {
        let done = scratch.run(&[arguments, &["--help"]].concat());
        assert_eq!((done.code, done.stderr.as_str()), (0, ""), "{arguments:?}");
        let lines: Vec<&str> = done.stdout.lines().map(str::trim_end).collect();
        lines.join("\n").trim_end().to_owned()
    };
    let top = help(&[]);
    let mut reference = format!(
        "# The `windfall` command\n\n\
         Generated from the command's own help; do not edit by hand.\n\n\
         ```text\n{top}\n```\n"
    );
    let commands = top.split("Commands:\n").nth(1).expect("there are commands");
    for line in commands.lines().take_while(|line| !line.is_empty()) {
        let command = line.split_whitespace().next().expect("a name");
        reference.push_str(&format!(
            "\n## `windfall {command}`\n\n```text\n{}\n```\n",
            help(&[command])
        ));
    }
    if std::env::var_os("WINDFALL_BLESS").is_some() {
        std::fs::write(REFERENCE, &reference).expect("the reference can be written");
    }
    let kept = std::fs::read_to_string(REFERENCE).unwrap_or_default();
    assert!(kept == reference, "docs/reference/cli.md is not the help; run with WINDFALL_BLESS=1");
}
