"""A function of Python on engines as ranks of MPI that Slurm started: the same bytes as on threads.

python tests/slurm/ranks.py NAME                connects to a cluster that a batch job started
salloc ... python tests/slurm/ranks.py          starts one in this allocation
"""

import json
import sys
from pathlib import Path

import numpy as np

import windfall

GALAXIES = Path(__file__).resolve().parents[2] / "examples/galaxies.csv"
ENGINES = 2


def spread(x, axis=-1):
    """The distance between the quartiles."""
    return np.subtract(*np.percentile(x, [75, 25], axis=axis))


def told(**on):
    """The answers with code of one's own, less what may differ from run to run."""
    results = [
        windfall.bootstrap(GALAXIES, spread, n_resamples=4000, rng=1, **on),
        windfall.simulate(
            lambda rng, n: rng.exponential(size=n),
            {"mean": np.mean, "median": np.median},
            conditions={"n": [5, 20]},
            truth=1,
            n_replicates=200,
            rng=2,
            **on,
        ),
    ]
    answers = [{**result.to_dict(), "run": None} for result in results]
    return json.dumps(answers), {result.run["workers"] for result in results}


def check(client):
    client.wait_for_engines(ENGINES, 60)
    here, _ = told(workers=1)
    there, workers = told(on=client)
    assert there == here, f"{there}\nis not\n{here}"
    assert workers == {ENGINES}, workers
    ranks = client[:].apply(lambda: int(__import__("os").environ["SLURM_PROCID"])).get(60)
    assert ranks == list(range(1, ENGINES + 1)), ranks
    print(f"the same bytes on {ENGINES} engines, ranks {ranks} of Slurm")


def main():
    if len(sys.argv) > 1:
        check(windfall.Client(sys.argv[1]))
    else:
        with windfall.Cluster(n=ENGINES, launcher="slurm") as client:
            check(client)


if __name__ == "__main__":
    main()
