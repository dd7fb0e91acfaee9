"""The jobs that are run on every mapping, and what an answer is without what may differ."""

import hashlib
import json

import numpy as np
from results import ROOT

import windfall

NOTHING = ROOT / "benches/mappings/nothing.toml"
FILE = ROOT / "benches/mappings/health.toml"
GALAXIES = ROOT / "examples/galaxies.csv"


def spread(x, axis=-1):
    """The distance between the quartiles, by NumPy."""
    return np.subtract(*np.percentile(x, [75, 25], axis=axis))


def function(**on):
    """The bootstrap of a real table with a user's function as the statistic."""
    return windfall.bootstrap(GALAXIES, spread, n_resamples=600_000, rng=1974, **on)


def call(job, **on):
    """Run a job file, or the job with the function, from Python."""
    return (function(**on) if job is function else windfall.run(job, **on)).to_dict()


def digest(answer):
    """Return the hash of an answer less its key `run`."""
    rest = {key: value for key, value in answer.items() if key != "run"}
    text = json.dumps(rest, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
