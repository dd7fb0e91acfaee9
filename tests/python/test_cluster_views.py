"""Views: which engines, what they do, names, parts."""

import math
import sys

import numpy as np
import pandas as pd
import pytest

import windfall


def test_views_are_chosen_by_number_slice_and_list(rc):
    assert rc.ids == [0, 1, 2] and len(rc) == 3
    assert [rc[:].targets, rc[1:].targets, rc[::2].targets] == [[0, 1, 2], [1, 2], [0, 2]]
    assert [rc[0].targets, rc[-1].targets, rc[[2, 0]].targets] == [[0], [2], [2, 0]]
    assert [view.targets for view in rc] == [[0], [1], [2]]
    assert repr(rc[1]) == "<DirectView 1>" and repr(rc[:]) == "<DirectView [0, 1, 2]>"
    with pytest.raises(IndexError, match="no engine `7`.*\n.*hint: there are"):
        rc[7]
    with pytest.raises(windfall.InputError, match="no engines"):
        rc[5:].apply(abs, 1)


def test_a_call_runs_on_every_engine_of_a_view(rc):
    assert rc[:].apply(windfall.engine_id).get(10) == [0, 1, 2]
    assert rc[[2, 0]].apply(windfall.engine_id).get(10) == [2, 0]
    assert rc[1].apply(windfall.engine_id).get(10) == 1
    assert rc[1:2].apply(windfall.engine_id).get(10) == [1]
    assert rc[0].apply(lambda *args, **kwargs: (args, kwargs), 1, f=2).get(10) == ((1,), {"f": 2})


def test_a_balanced_call_runs_on_one_of_them(rc):
    view = rc.load_balanced_view()
    assert view.apply(windfall.engine_id).get(10) in rc.ids
    some = rc.load_balanced_view([2])
    assert {some.apply(windfall.engine_id).get(10) for _ in range(5)} == {2}
    assert [view.apply(pow, n, 2).get(10) for n in range(4)] == [0, 1, 4, 9]


@pytest.mark.parametrize(
    "args",
    [
        (0, -1, 2**31 - 1, 2**31, -(2**31) - 1, 2**63 - 1, -(2**63)),
        (2**63,),
        (10**30, 1),
        (1.5, -0.0, math.inf, 5e-324),
        (None, True, False),
        ("", "é", "x" * 255),
        ("x" * 256, "\ud800"),
        (np.float64(1.5), np.int32(7)),
        ([1], {"a": (2,)}, b"bytes"),
    ],
    ids=str,
)
def test_arguments_arrive_as_they_are(rc, args):
    view = rc.load_balanced_view()
    for few in (args, args[:1], args[:2], args[:3], ()):
        came = view.apply(lambda *given: given, *few).get(10)
        assert repr(came) == repr(few) and list(map(type, came)) == list(map(type, few))


def test_functions_are_told_apart_call_by_call(rc):
    view, offset = rc.load_balanced_view(), 1
    functions = [lambda x: x + 1, lambda x: x * 10, lambda x: x + offset]
    results = [view.apply(functions[n % 3], n) for n in range(30)]
    assert [each.get(10) for each in results] == [functions[n % 3](n) for n in range(30)]
    offset = 5
    assert view.apply(functions[2], 1).get(10) == 6
    assert [each.name for each in results[:1]] == ["<lambda>"]


def test_names_are_pushed_and_pulled(rc):
    view = rc[:]
    assert view.push({"a": 1, "b": [2]}).get(10) == [None] * 3
    assert view.pull("a").get(10) == [1, 1, 1]
    assert view.pull(["a", "b"]).get(10) == [[1, [2]]] * 3
    view["c"] = 5
    assert view["c"] == [5, 5, 5] and rc[1]["c"] == 5
    assert rc[0].apply(lambda: a + c).get(10) == 6  # noqa: F821
    view.execute("import types; box = types.SimpleNamespace(x=1)").get(30)
    rc[0]["box.x"] = 3
    assert view["box.x"] == [3, 1, 1]
    with pytest.raises(windfall.RemoteError, match="name 'nowhere' is not defined"):
        rc[0]["nowhere"]
    with pytest.raises(windfall.InputError, match="`1x` is not a name"):
        view.push({"1x": 1})


def test_clearing_forgets_names_but_not_the_shell(rc):
    rc[0].execute("a = 1").get(30)
    rc[0].clear().get(10)
    with pytest.raises(windfall.RemoteError, match="NameError"):
        rc[0]["a"]
    assert rc[0].execute("1 + 1").get(10).text == "2"


def test_a_large_array_is_pushed_once_and_each_engine_has_its_own(rc):
    array = np.arange(100_000.0)
    rc[:].push({"x": array}).get(10)
    rc[0].apply(lambda: x.__setitem__(0, 9)).get(10)  # noqa: F821
    assert [float(each[0]) for each in rc[:]["x"]] == [9, 0, 0]


@pytest.mark.parametrize("dist", ["b", "r"])
@pytest.mark.parametrize(
    "sequence",
    [
        list(range(10)),
        range(10),
        tuple("abcdefg"),
        np.arange(10),
        np.arange(60_000.0).reshape(-1, 3),
        [],
        [1],
    ],
    ids=["list", "range", "tuple", "array", "large", "empty", "one"],
)
def test_what_is_scattered_is_gathered(rc, sequence, dist):
    result = rc[:].scatter("part", sequence, dist)
    assert repr(result) == "<AsyncResult: scatter>"
    result.get(10)
    parts = rc[:]["part"]
    if dist == "r":
        assert all(np.array_equal(part, sequence[n::3]) for n, part in enumerate(parts))
    else:
        assert max(map(len, parts)) - min(map(len, parts)) <= 1
    gathered = rc[:].gather("part", dist).get(10)
    assert np.array_equal(gathered, sequence if hasattr(sequence, "dtype") else list(sequence))
    assert isinstance(gathered, np.ndarray) == isinstance(sequence, np.ndarray)


def test_scattered_arrays_are_writable_and_apart(rc):
    array = np.zeros((30_000, 3))
    rc[:].scatter("rows", array).get(10)

    def fill():
        rows[:] = windfall.engine_id()  # noqa: F821
        return rows.shape  # noqa: F821

    import windfall  # noqa: PLC0415

    assert rc[:].apply(fill).get(10) == [(10_000, 3)] * 3
    assert np.array_equal(rc[:].gather("rows").get(10)[::10_000, 0], [0, 1, 2])


def test_large_arrays_are_put_together_as_numpy_would(rc):
    array = np.arange(3_000_001, dtype=np.int32)  # 12 MB, by several threads
    rc[:].scatter("x", array).get(30)
    rc[1].execute("x = x.astype('float64')").get(30)
    joined = rc[:].gather("x").get(30)
    assert joined.dtype == np.float64 and np.array_equal(joined, array)
    rc[:].scatter("x", array.reshape(-1, 1)[:3_000_000].reshape(-1, 3)).get(30)
    assert np.array_equal(rc[:].gather("x").get(30).ravel(), array[:3_000_000])
    rc[0].execute("x = x[:, :2]").get(30)
    with pytest.raises(ValueError, match="must match exactly"):
        rc[:].gather("x").get(30)


def mapped_bytes():
    """Return the file behind each byte range of this process that belongs to a segment."""
    with open("/proc/self/maps") as maps:
        lines = [line.split() for line in maps if "memfd:windfall" in line]
    return {int(line[4]) for line in lines}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells which pages were written to")
def test_an_array_that_lies_in_a_segment_is_passed_on_not_copied(rc):
    rc[0].push({"whole": np.arange(600_000.0)}).get(30)
    whole = rc[0]["whole"]
    before = mapped_bytes()
    assert whole.sum() == 599_999 * 300_000 and before  # reading it changes nothing
    rc[:].scatter("part", whole).get(30)
    assert all(before & seen for seen in rc[:].apply(mapped_bytes).get(30))
    assert rc[:].apply(lambda: (len(part), part[0])).get(30) == [  # noqa: F821
        (200_000, 0.0),
        (200_000, 2e5),
        (200_000, 4e5),
    ]
    # What is written on either side stays there.
    rc[:].execute("part[0] = -1.0").get(30)
    assert whole[0] == 0.0
    whole[1] = -2.0
    assert rc[0].apply(lambda: part[1]).get(30) == 1.0  # noqa: F821
    # And it is copied from then on, so that what was written travels.
    rc[:].scatter("part", whole).get(30)
    assert rc[0].apply(lambda: part[:3].tolist()).get(30) == [0.0, -2.0, 2.0]  # noqa: F821
    assert rc[0].apply(lambda a: a[1], whole).get(30) == -2.0


def test_frames_are_scattered_by_rows(rc):
    frame = pd.DataFrame({"x": range(7), "y": list("abcdefg")})
    for dist in "br":
        rc[:].scatter("frame", frame, dist).get(30)
        pd.testing.assert_frame_equal(rc[:].gather("frame", dist).get(30), frame)


def test_flat_parts_are_elements(rc):
    rc[:].scatter("x", [10, 20, 30], flatten=True).get(10)
    assert rc[:]["x"] == [10, 20, 30]
    assert rc[:].gather("x").get(10) == [10, 20, 30]
    rc[:].scatter("g", iter(range(3))).get(10)
    assert rc[:]["g"] == [[0], [1], [2]]
    with pytest.raises(windfall.InputError, match="`dist` is `q`"):
        rc[:].scatter("x", [1], "q")


def test_options_are_checked_where_they_are_given(rc):
    view = rc.load_balanced_view()
    with pytest.raises(windfall.InputError, match="no option `retires`"):
        view.options(retires=2)
    with pytest.raises(windfall.InputError, match="`retries` is `-1`"):
        view.options(retries=-1)
    with pytest.raises(windfall.InputError, match="balanced"):
        rc[:].options(retries=1)
    with pytest.raises(windfall.InputError, match="`timeout_s` is `0`"):
        view.options(timeout_s=0)


def test_a_task_follows_and_waits_for_another(rc):
    view = rc.load_balanced_view()
    first = view.apply(windfall.engine_id)
    where = first.get(10)
    then = view.options(follow=first)
    assert {then.apply(windfall.engine_id).get(10) for _ in range(4)} == {where}
    failed = view.apply(lambda: 1 / 0)
    with pytest.raises(windfall.ImpossibleDependency):
        view.options(after=failed).apply(abs, 1).get(10)
    late = view.options(after=[first, failed], on_failure=True)
    assert late.apply(abs, -1).get(10) == 1


def test_a_task_that_fails_is_tried_again_elsewhere(rc):
    def only_on_two():
        import windfall

        if windfall.engine_id() != 2:
            raise ValueError("not here")
        return "done"

    view = rc.load_balanced_view()
    assert view.options(retries=3).apply(only_on_two).get(10) == "done"


def test_a_task_that_finds_its_need_unmet_goes_elsewhere(rc):
    def needs_two():
        import windfall

        if windfall.engine_id() != 2:
            raise windfall.UnmetDependency
        return windfall.engine_id()

    def never():
        import windfall

        raise windfall.UnmetDependency

    view = rc.load_balanced_view()
    assert view.apply(needs_two).get(10) == 2
    with pytest.raises(windfall.ImpossibleDependency):
        view.apply(never).get(10)


def test_an_interactive_call_has_the_engines_names(rc):
    rc[:]["size"] = 4
    assert rc[:].apply_interactive(lambda k: size * k, 2).get(10) == [8] * 3  # noqa: F821


def test_threads_of_libraries_are_limited(rc):
    import os

    assert rc[:].apply(os.getenv, "OMP_NUM_THREADS").get(10) == ["1"] * 3
    rc[:].limit_threads(2).get(30)
    assert rc[:].apply(os.getenv, "OMP_NUM_THREADS").get(10) == ["2"] * 3
