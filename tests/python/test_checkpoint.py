"""Runs that are cut off go on with the same bytes; folders of other jobs are refused."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
from conftest import ROOT
from test_naming import pointer
from test_same_bytes import shell_binary

import windfall
from windfall import _functions

MAGIC = b"wfpart\xff"
"""How every partial in a journal begins."""

BOX = [(0, 1), (0, 1)]
TABLE = {"x": np.arange(40.0) ** 1.5, "side": ["left", "right"] * 20}


def journal(folder):
    return folder / "partials"


def partials(folder):
    return journal(folder).read_bytes().count(MAGIC)


def bump(x):
    return np.exp(-((x[0] - 0.3) ** 2) - x[1])


def spread(x, axis=-1):
    return np.std(x, axis=axis)


def log_density(q):
    return -0.5 * float(q @ q), -q


JOBS = {
    "pi": lambda **how: windfall.pi(3_000_000, rng=1, **how),
    "integrate": lambda **how: windfall.integrate(bump, BOX, n=300_000, rng=1, **how),
    "vegas": lambda **how: windfall.integrate(
        bump, BOX, n=60_000, method="vegas", iterations=3, warmup=3, rng=1, **how
    ),
    "bootstrap": lambda **how: windfall.bootstrap(
        TABLE, spread, n_resamples=5000, method="bca", rng=1, **how
    ),
    "jackknife": lambda **how: windfall.jackknife(TABLE, "mean(x)", **how),
    "permutation": lambda **how: windfall.permutation_test(
        TABLE, "mean_difference(x)", groups="side", n_resamples=50_000, rng=1, **how
    ),
    "power": lambda **how: windfall.power(
        "t-test", [20, 40], effect=0.5, n_simulations=20_000, rng=1, **how
    ),
    "sample_size": lambda **how: windfall.sample_size(
        "t-test", effect=0.8, n_simulations=20_000, rng=1, **how
    ),
    "simulate": lambda **how: windfall.simulate(
        lambda rng, n: rng.normal(size=n),
        {"mean": np.mean},
        conditions={"n": [5, 9]},
        truth=0,
        n_replicates=100,
        rng=1,
        **how,
    ),
    "sample": lambda **how: windfall.sample(
        log_density, parameters=["a", "b"], warmup=50, draws=50, rng=1, **how
    ),
    "mixture": lambda **how: windfall.mixture(TABLE, 2, columns="x", n_init=2, rng=1, **how),
    "fit_many": lambda **how: windfall.fit_many(TABLE, "x ~ 1", by="side", **how),
    "run": lambda **how: windfall.run({"problem": "pi", "n": 3_000_000, "seed": 1}, **how),
}


@pytest.mark.filterwarnings("ignore::windfall.ConvergenceWarning")
@pytest.mark.parametrize("job", JOBS, ids=str)
def test_every_problem_keeps_its_shards_and_runs_none_twice(job, tmp_path):
    plain = JOBS[job]()
    first = JOBS[job](checkpoint=tmp_path / "kept")
    kept = partials(tmp_path / "kept")
    assert first == plain and first.run["shards_kept"] == 0 and kept > 0
    second = JOBS[job](checkpoint=str(tmp_path / "kept"))
    assert second == plain and second.run["shards_kept"] == kept
    assert partials(tmp_path / "kept") == kept


SCRIPT = """
import sys
import numpy as np
import windfall

CENTRE = np.array([[0.3], [0.6]])

def bump(x):
    return np.exp(-np.abs(x - CENTRE[:, :1] if x.ndim == 2 else x - CENTRE[:, 0]).sum(axis=0))

kept = sys.argv[1] if len(sys.argv) > 1 else None
result = windfall.integrate(bump, [(0, 1), (0, 1)], n=6_000_000, rng=5, checkpoint=kept)
print(result.to_json())
"""


def script(tmp_path, *arguments, text=SCRIPT):
    (tmp_path / "job.py").write_text(text)
    return [sys.executable, tmp_path / "job.py", *arguments]


def output(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_run_killed_at_many_moments_goes_on_to_the_same_bytes(tmp_path):
    plain = output(script(tmp_path))
    kept, killed = tmp_path / "kept", 0
    for more in (1, 5, 2, 9, 0, 3):
        size = journal(kept).stat().st_size if journal(kept).exists() else 0
        child = subprocess.Popen(script(tmp_path, kept), stdout=subprocess.DEVNULL, cwd=ROOT)
        while child.poll() is None:
            if journal(kept).exists() and journal(kept).stat().st_size > size + 150 * more:
                child.kill()
                killed += 1
                break
            time.sleep(0.001)
        child.wait()
    assert killed >= 3, "the job is too short to be killed"
    assert output(script(tmp_path, kept)) == plain
    count = partials(kept)
    assert output(script(tmp_path, kept)) == plain
    assert partials(kept) == count, "all of it was there"


def test_a_full_disk_ends_the_run_and_loses_nothing(tmp_path):
    resource = pytest.importorskip("resource", reason="this system limits no file sizes")
    kept = tmp_path / "kept"

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    done = subprocess.run(
        script(tmp_path, kept), capture_output=True, text=True, preexec_fn=limit, cwd=ROOT
    )
    assert done.returncode == 1
    assert "FileError" in done.stderr and "make room" in done.stderr
    assert 1 < partials(kept) < 40
    assert output(script(tmp_path, kept)) == output(script(tmp_path))


def test_an_interrupted_run_goes_on(tmp_path):
    main = threading.main_thread().ident
    kept, plain = tmp_path / "kept", windfall.pi(1_000_000_000, rng=3)

    def stop_early(*_):
        if journal(kept).exists() and partials(kept) > 3 and not stopped:
            stopped.append(True)
            signal.pthread_kill(main, signal.SIGINT)

    stopped = []
    with pytest.warns(windfall.IncompleteWarning):
        part = windfall.pi(1_000_000_000, rng=3, checkpoint=kept, progress=stop_early)
    assert not part.complete
    whole = windfall.pi(1_000_000_000, rng=3, checkpoint=kept)
    assert whole == plain and whole.run["shards_kept"] > 3


@pytest.mark.parametrize(
    ("job", "short", "long"),
    [
        (lambda n, **how: windfall.pi(n, **how), 3_000_000, 9_000_000),
        (lambda n, **how: windfall.integrate(bump, BOX, n=n, **how), 900_000, 2_000_000),
        (
            lambda n, **how: windfall.bootstrap(
                TABLE, spread, n_resamples=n, method="percentile", **how
            ),
            20_000,
            50_000,
        ),
    ],
    ids=["pi", "integrate", "bootstrap"],
)
def test_a_longer_run_uses_a_shorter_one_and_its_seed(job, short, long, tmp_path):
    first = job(short, checkpoint=tmp_path)
    longer = job(long, checkpoint=tmp_path)
    assert longer.seed == first.seed and longer.run["shards_kept"] > 0
    assert longer == job(long, rng=first.seed)


def test_a_job_file_without_a_seed_takes_that_of_the_folder(tmp_path):
    (tmp_path / "job.toml").write_text("problem = 'pi'\nn = 100000\n")
    one, two = (windfall.run(tmp_path / "job.toml", checkpoint=tmp_path / "kept") for _ in range(2))
    three = windfall.run({"problem": "pi", "n": 100_000}, checkpoint=tmp_path / "kept")
    assert one == two == three and one.seed > 2**64


def scaled(factor):
    return lambda x: factor * x[0]


def integral(function=None, **changed):
    given = {"bounds": BOX, "n": 100_000, "rng": 1, **changed}
    return lambda kept: windfall.integrate(function or scaled(2), checkpoint=kept, **given)


@pytest.mark.parametrize(
    ("other", "key", "hint"),
    [
        (lambda kept: windfall.pi(1000, rng=1, checkpoint=kept), "problem", "another folder"),
        (integral(rng=2), "seed", "another folder"),
        (integral(bounds=[(0, 1), (0, 2)]), "bounds", "another folder"),
        (integral(antithetic=True), "antithetic", "another folder"),
        (integral("x0"), "formula", "another folder"),
        (integral(scaled(3)), "function", "the function, or something that it reads"),
        (integral(lambda x: 2 * x[0]), "function", "the function, or something that it reads"),
    ],
    ids=["problem", "seed", "bounds", "option", "no code", "closure", "code"],
)
def test_a_folder_of_another_job_is_refused(other, key, hint, tmp_path):
    mine = integral()
    first = mine(tmp_path)
    before = journal(tmp_path).read_bytes()
    with pytest.raises(windfall.InputError, match=f"^`{key}` is ") as caught:
        other(tmp_path)
    assert hint in caught.value.hint and f"as in `{tmp_path}`" in str(caught.value)
    assert journal(tmp_path).read_bytes() == before
    assert mine(tmp_path) == first


def test_a_folder_of_other_data_is_refused(tmp_path):
    mean = lambda x: windfall.bootstrap({"x": x}, "mean(x)", rng=1, checkpoint=tmp_path)  # noqa: E731
    mean(np.arange(9.0))
    with pytest.raises(windfall.InputError, match="^`data` is "):
        mean(np.arange(9.0) + 1)
    mean(np.arange(9.0))


def test_a_folder_of_another_python_is_refused(monkeypatch, tmp_path):
    mine = integral()
    mine(tmp_path)
    named = _functions.named
    monkeypatch.setattr(_functions, "named", lambda code: (named(code)[0], "CPython 3.1"))
    with pytest.raises(windfall.InputError, match=r"CPython 3\.1") as caught:
        mine(tmp_path)
    assert "go on with the same version" in caught.value.hint


@pytest.mark.parametrize("damage", ["gone", "empty", "torn", "edited"])
def test_a_damaged_job_file_costs_nothing_but_the_seed(damage, tmp_path):
    file = tmp_path / "job.json"
    mine = integral()
    first = mine(tmp_path)
    whole, kept = file.read_bytes(), journal(tmp_path).read_bytes()
    bent = {
        "empty": b"",
        "torn": whole[: len(whole) // 2],
        "edited": whole.replace(b'"seed":1', b'"seed":2'),
    }
    file.unlink() if damage == "gone" else file.write_bytes(bent[damage])
    for unsure in (integral(rng=None), integral(rng=2), integral(scaled(3))):
        with pytest.raises(windfall.FileError, match=r"job\.json") as caught:
            unsure(tmp_path)
        assert "seed of the run that began it" in caught.value.hint
    again = mine(tmp_path)
    assert again == first and again.run["shards_kept"] == kept.count(MAGIC)
    assert file.read_bytes() == whole and journal(tmp_path).read_bytes() == kept


def test_code_that_was_changed_between_two_processes_is_refused(tmp_path):
    (tmp_path / "helper.py").write_text("def weight(x):\n    return x[0]\n")
    text = SCRIPT.replace("import windfall", "import windfall, helper").replace(
        "return np", "return helper.weight(x) * np"
    )
    text = text.replace("6_000_000", "60_000")
    plain = output(script(tmp_path, tmp_path / "kept", text=text))
    # Remarks and places change nothing.
    (tmp_path / "helper.py").write_text("# the first\n\ndef weight(x):\n    return x[0]\n")
    assert output(script(tmp_path, tmp_path / "kept", text="\n\n" + text)) == plain
    (tmp_path / "helper.py").write_text("def weight(x):\n    return x[1]\n")
    done = subprocess.run(
        script(tmp_path, tmp_path / "kept", text=text), capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 1 and "InputError: `function` is `" in done.stderr


def test_executors_and_threads_go_on_from_each_other(tmp_path):
    plain = windfall.integrate(bump, BOX, n=1_500_000, rng=1)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        there = windfall.integrate(bump, BOX, n=700_000, rng=1, on=pool, checkpoint=tmp_path)
        assert partials(tmp_path) > 1 and there.run["shards_kept"] == 0
        here = windfall.integrate(bump, BOX, n=900_000, rng=1, checkpoint=tmp_path)
        assert here.run["shards_kept"] > 0
        last = windfall.integrate(bump, BOX, n=1_500_000, rng=1, on=pool, checkpoint=tmp_path)
    assert last.run["shards_kept"] > here.run["shards_kept"]
    assert last == plain


def test_engines_and_threads_go_on_from_each_other(rc, tmp_path):
    plain = windfall.integrate(bump, BOX, n=900_000, rng=1)
    windfall.integrate(bump, BOX, n=700_000, rng=1, on=rc, checkpoint=tmp_path)
    longer = windfall.integrate(bump, BOX, n=900_000, rng=1, checkpoint=tmp_path)
    assert longer == plain and longer.run["shards_kept"] > 0
    again = windfall.integrate(bump, BOX, n=900_000, rng=1, on=rc, checkpoint=tmp_path)
    assert again == plain and again.run["shards_kept"] > longer.run["shards_kept"]


def test_python_and_the_shell_go_on_from_each_other(tmp_path):
    (tmp_path / "x.csv").write_text("x\n" + "\n".join(f"{x}.5" for x in range(30)) + "\n")
    job = "problem = 'bootstrap'\ndata = 'x.csv'\nstatistic = 'mean(x)'\nmethod = 'percentile'\n"

    def shell(n):
        (tmp_path / "job.toml").write_text(f"{job}resamples = {n}\n")
        command = [shell_binary(), "run", "job.toml", "--checkpoint", "kept", "--json"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        answer.pop("run")
        return answer

    def python(n, **how):
        return windfall.bootstrap(
            tmp_path / "x.csv",
            "mean(x)",
            n_resamples=n,
            method="percentile",
            distribution=False,
            **how,
        )

    kept = tmp_path / "kept"
    first = python(400_000, checkpoint=kept)
    begun = partials(kept)
    assert shell(800_000) == json.loads(python(800_000, rng=first.seed).to_json())
    assert partials(kept) > begun
    last = python(1_200_000, checkpoint=kept)
    assert last.run["shards_kept"] > begun
    assert last == python(1_200_000, rng=first.seed)
    assert shell(1_200_000) == json.loads(last.to_json())


def test_whole_numbers_are_the_same_with_and_without_a_point(tmp_path):
    (tmp_path / "job.toml").write_text(
        "problem = 'integrate'\nseed = 1\nformula = 'x0'\nbounds = [[0, 1]]\nn = 200000\n"
    )
    done = subprocess.run(
        [shell_binary(), "run", "job.toml", "--checkpoint", "kept"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    result = windfall.integrate("x0", [(0, 1.0)], n=2e5, rng=1, checkpoint=tmp_path / "kept")
    assert result.run["shards_kept"] == partials(tmp_path / "kept")


def test_damage_is_told_and_its_shard_runs_again(tmp_path):
    mine = integral(n=900_000)
    plain, count = mine(tmp_path), partials(tmp_path)
    bytes_ = bytearray(journal(tmp_path).read_bytes())
    bytes_[200] ^= 1
    journal(tmp_path).write_bytes(bytes_[:-5])
    with pytest.warns(UserWarning, match="are damaged") as caught:
        again = mine(tmp_path)
    assert again == plain and again.run["shards_kept"] == count - 2
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match=f"{count} partials are whole"):
        assert mine(tmp_path).run["shards_kept"] == count


def test_one_run_at_a_time_has_a_folder(tmp_path):
    refused = []

    def second(*_):
        try:
            windfall.pi(1000, rng=1, checkpoint=tmp_path)
        except windfall.FileError as error:
            refused.append(error)

    windfall.pi(1_000_000_000, rng=1, checkpoint=tmp_path, progress=second)
    assert refused and "another run writes it" in str(refused[0])
    windfall.pi(1_000_000_000, rng=1, checkpoint=tmp_path)


def test_functions_without_a_name_are_refused_before_anything_is_written(tmp_path):
    lock = threading.Lock()

    def guarded(x):
        with lock:
            return x[0]

    for function, hint in [(guarded, "leave `checkpoint` out"), (pointer(), "numba's @cfunc")]:
        with pytest.raises(windfall.InputError, match="`checkpoint` names") as caught:
            windfall.integrate(function, BOX, n=1000, rng=1, checkpoint=tmp_path / "kept")
        assert hint in caught.value.hint and str(caught.value).endswith(caught.value.hint)
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize("wrong", [3, True, b"kept"])
def test_what_is_no_path_is_refused(wrong):
    with pytest.raises(windfall.InputError, match="the path of a folder"):
        windfall.pi(1000, checkpoint=wrong)


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "kept").write_text("")
    with pytest.raises(windfall.FileError, match="kept"):
        windfall.pi(1000, checkpoint=tmp_path / "kept")


def test_a_plan_writes_nothing(tmp_path):
    windfall.plan(windfall.pi, 1_000_000, checkpoint=tmp_path / "kept", pilot=0.01)
    assert os.listdir(tmp_path) == []


def test_a_study_that_is_made_longer_keeps_its_new_shards(tmp_path):
    study = JOBS["simulate"](checkpoint=tmp_path / "first")
    longer = study.extend(300, checkpoint=tmp_path / "second")
    again = study.extend(300, checkpoint=tmp_path / "second")
    assert longer == again == study.extend(300)
    assert again.run["shards_kept"] == partials(tmp_path / "second") > 0
