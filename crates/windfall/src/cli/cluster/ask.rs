//! Asks a controller and waits for its answer.

use serde_json::Value;
use windfall::cluster::message::Message;
use windfall::cluster::{Link, Wait, connect};
use windfall::{Error, Result, Stopwatch};

/// How long a controller may take to answer, in microseconds.
const ANSWER_US: u64 = 5_000_000;

/// A connection to the cluster of a name.
pub(super) struct Asker {
    name: String,
    link: Link,
}

impl Asker {
    pub(super) fn new(name: &str) -> Result<Self> {
        let (link, _) = connect(name)?;
        Ok(Self { name: name.to_owned(), link })
    }

    /// Asks and returns the answer; what the controller refuses is an error.
    pub(super) fn ask(&self, request: &Value) -> Result<Value> {
        self.link.send(&Message::Request { request: 1, json: request.to_string() });
        self.link.flush();
        let json = self.answer()?;
        let answer: Value = serde_json::from_str(&json)
            .map_err(|error| Error::wire(format!("an answer of the controller: {error}")))?;
        match answer.get("error").and_then(Value::as_str) {
            Some(text) => Err(Error::io(format!("cluster {}", self.name), text)),
            None => Ok(answer),
        }
    }

    fn answer(&self) -> Result<String> {
        let asked = Stopwatch::start();
        loop {
            while let Some(message) = self.link.take() {
                if let Message::Reply { json, .. } = message {
                    return Ok(json);
                }
            }
            match self.wait_since(&asked) {
                Wait::Messages | Wait::Signal => {}
                Wait::TimedOut => return Err(self.failed("the controller does not answer")),
                Wait::End => return Err(self.failed(&self.link.reason())),
            }
        }
    }

    /// Waits until the controller is gone.
    pub(super) fn wait_for_end(&self) -> Result<()> {
        let asked = Stopwatch::start();
        loop {
            match self.wait_since(&asked) {
                Wait::Messages => drop(self.link.take_all()),
                Wait::Signal => {}
                Wait::TimedOut => return Err(self.failed("the controller does not end")),
                Wait::End => return Ok(()),
            }
        }
    }

    /// Waits for messages, no longer than an answer to what was `asked` may take.
    fn wait_since(&self, asked: &Stopwatch) -> Wait {
        self.link.wait(Some(ANSWER_US.saturating_sub(asked.elapsed_ns() / 1000)))
    }

    fn failed(&self, text: &str) -> Error {
        Error::io(format!("cluster {}", self.name), text)
    }
}
