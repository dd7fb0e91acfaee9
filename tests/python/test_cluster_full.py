"""Where shared memory has no room: what is said, what goes on."""

import os
import resource
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from conftest import nothing_of_clusters_left

import windfall

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")


@pytest.fixture(scope="module")
def rc():
    with nothing_of_clusters_left(), windfall.Cluster(n=2) as client:
        yield client


def limit(nbytes):
    """Let nothing that this process makes, shared memory too, be larger."""
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (nbytes if nbytes else hard, hard))


@pytest.fixture
def tight(rc):
    """The cluster, whose engines have no room in shared memory for more than 1 MiB."""
    rc[:].apply(limit, 1 << 20).get(30)
    yield rc
    rc[:].apply(limit, 0).get(30)


def test_a_result_without_room_takes_another_way_or_is_an_error(tight):
    pids = tight[:].apply(os.getpid).get(30)
    some = tight[0].apply(lambda: np.arange(1_000_000.0)).get(30)
    assert some.sum() == 499_999.5e6 and some.flags.writeable
    assert len(tight[0].apply(lambda: "x" * 3_000_000).get(30)) == 3_000_000
    with pytest.raises(
        windfall.RemoteError, match="MemoryError: shared memory: .*\n.*hint"
    ) as told:
        tight[0].apply(lambda: np.ones(10_000_000)).get(30)
    assert isinstance(told.value.__cause__, MemoryError)
    assert tight[:].apply(os.getpid).get(30) == pids


def test_a_map_without_room_goes_on_and_loses_nothing(tight):
    view = tight.load_balanced_view()
    results = view.map(lambda n: np.full(400_000, n), range(12)).get(60)
    assert [(len(each), each[0]) for each in results] == [(400_000, n) for n in range(12)]
    outcome = view.map(
        lambda n: np.zeros(10_000_000 if n == 3 else 10), range(6), on_error="return"
    ).get(60)
    assert [len(each) for n, each in enumerate(outcome) if n != 3] == [10] * 5
    assert isinstance(outcome[3], windfall.RemoteError) and "shared memory" in str(outcome[3])


def test_a_client_without_room_is_told_before_anything_is_sent():
    code = """
        import resource
        import numpy as np
        import windfall

        with windfall.Cluster(n=2) as rc:
            view = rc[:]
            hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
            view.scatter("x", np.arange(1_000_000.0)).get()
            print(view.apply(lambda: len(x)).get())
            for work in (
                lambda: view.push({"x": np.ones(10_000_000)}),
                lambda: view.scatter("x", np.ones(20_000_000)),
                lambda: view.map(float, np.ones(1_000_000)),
            ):
                try:
                    work()
                except MemoryError as error:
                    print("hint: it counts as memory" in str(error))
            print(view.map(abs, range(-3, 0)).get(), view.apply(lambda: len(x)).get())
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines() == [
        "[500000, 500000]",
        *["True"] * 3,
        "[3, 2, 1] [500000, 500000]",
    ]
