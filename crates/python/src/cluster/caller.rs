//! One function under the same options again and again: a call costs little more than its bytes.

use super::client::ClientLink;
use super::name;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyRange, PyString, PyTuple};
use windfall::cluster::message::{Bytes, EngineId, Payload, Submission};

/// Submits calls of one function, each as a task on whichever engine is free first.
#[pyclass(frozen, module = "windfall._core")]
pub struct Caller {
    link: Py<ClientLink>,
    /// The results to come, by task.
    pending: Py<PyDict>,
    /// Makes such a result of the range of its tasks.
    result: Py<PyAny>,
    submission: Submission,
    /// The packed arguments of a call that has none.
    empty: Bytes,
}

#[pymethods]
impl Caller {
    #[new]
    #[pyo3(signature = (link, pending, result, targets, function, empty, label, retries = 0,
        timeout_s = None))]
    #[allow(clippy::too_many_arguments)] // The face for Python gives them names.
    fn new(
        link: Py<ClientLink>,
        pending: Py<PyDict>,
        result: Py<PyAny>,
        targets: Option<Vec<EngineId>>,
        function: &[u8],
        empty: &[u8],
        label: String,
        retries: u32,
        timeout_s: Option<f64>,
    ) -> PyResult<Self> {
        let submission = Submission {
            targets,
            balanced: true,
            function: Some(name(function)?),
            label,
            retries,
            timeout_us: super::client::timeout_us(timeout_s),
            ..Submission::default()
        };
        Ok(Self { link, pending, result, submission, empty: Bytes::from(empty) })
    }

    /// Submits a call with these arguments and returns the result to come; none, and nothing is
    /// submitted, if they are not all numbers, short texts and the like.
    fn call<'py>(&self, args: &Bound<'py, PyTuple>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = args.py();
        let body = match args.is_empty() {
            true => Some(self.empty.clone()),
            false => packed(args),
        };
        let Some(body) = body else { return Ok(None) };
        let link = self.link.get();
        let first = link.take_numbers(1);
        // It is known before it is sent, so that whoever reads meanwhile knows whose it is.
        let tasks = PyRange::new(py, first as isize, first as isize + 1)?;
        let result = self.result.bind(py).call1((tasks,))?;
        self.pending.bind(py).set_item(first, &result)?;
        link.send(Submission { first, payload: Payload::of(body), ..self.submission.clone() });
        Ok(Some(result))
    }
}

/// The pickle, of protocol 5, of `(args, {})`.
fn packed(args: &Bound<'_, PyTuple>) -> Option<Bytes> {
    let mut pickle = vec![0x80, 5];
    let tuple = match args.len() {
        1 => 0x85,
        2 => 0x86,
        3 => 0x87,
        _ => {
            pickle.push(b'(');
            b't'
        }
    };
    for value in args.iter_borrowed() {
        put(&mut pickle, &value)?;
    }
    pickle.extend_from_slice(&[tuple, b'}', 0x86, b'.']);
    Some(Bytes::from(pickle))
}

fn put(pickle: &mut Vec<u8>, value: &Bound<'_, PyAny>) -> Option<()> {
    if value.is_exact_instance_of::<PyInt>() {
        let number: i64 = value.extract().ok()?;
        match i32::try_from(number) {
            Ok(number) => {
                pickle.push(b'J');
                pickle.extend_from_slice(&number.to_le_bytes());
            }
            Err(_) => {
                pickle.extend_from_slice(&[0x8a, 8]);
                pickle.extend_from_slice(&number.to_le_bytes());
            }
        }
    } else if value.is_exact_instance_of::<PyFloat>() {
        let number: f64 = value.extract().ok()?;
        pickle.push(b'G');
        pickle.extend_from_slice(&number.to_be_bytes());
    } else if value.is_none() {
        pickle.push(b'N');
    } else if let Ok(truth) = value.cast_exact::<PyBool>() {
        pickle.push(if truth.is_true() { 0x88 } else { 0x89 });
    } else if let Ok(text) = value.cast_exact::<PyString>() {
        let text: String = text.extract().ok()?;
        let length = u8::try_from(text.len()).ok()?;
        pickle.extend_from_slice(&[0x8c, length]);
        pickle.extend_from_slice(text.as_bytes());
    } else {
        return None;
    }
    Some(())
}
