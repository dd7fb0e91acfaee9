//! How far a submission is.

use super::super::exit::{Done, Exit, print};
use super::super::prepared::Prepared;
use super::folder::{Folder, missing, partials};
use serde_json::json;
use std::path::Path;

/// Prints how far the submission in the folder at `path` is.
pub(in super::super) fn show(path: &Path, as_json: bool) -> Done {
    let folder = Folder::open(path)?;
    let prepared = Prepared::new(&folder.job()?, false)?;
    let (missing, all) = missing(&prepared, &partials(path)?)?;
    let states = folder.states()?;
    let count = |wanted: &str| states.iter().filter(|state| *state == wanted).count();
    let (running, pending) = (count("RUNNING"), count("PENDING"));
    let has_answer = path.join("answer.json").exists();
    let there = all - missing.len();
    if as_json {
        let object = json!({
            "dir": path, "array": folder.jobs[0], "merge": folder.jobs[1], "shards": all,
            "shards_there": there, "missing": missing.to_string(), "queued": states.len(),
            "running": running, "answer": has_answer,
        });
        print(&format!("{object}\n"))?;
        return Ok(Exit::Done);
    }
    let others = states.len() - running - pending;
    let mut text = format!(
        "array {}, merge {}: {there} of {all} shards are there\n\
         {running} tasks run, {pending} wait, {others} in other states\n",
        folder.jobs[0], folder.jobs[1]
    );
    let dir = path.display();
    text.push_str(&match (has_answer, states.is_empty()) {
        (true, _) => format!("the answer is there: windfall fetch {dir}\n"),
        (false, false) => String::new(),
        (false, true) if missing.is_empty() => format!("all is there: windfall fetch {dir}\n"),
        (false, true) => format!(
            "missing: {missing}\nwhat their tasks said is in {dir}/logs; `windfall submit` with \
             --dir {dir} submits them again\n"
        ),
    });
    print(&text)?;
    Ok(Exit::Done)
}
