"""Cells that run on engines: `%px` and its kin, in an IPython shell of this process."""

import os
import re
import signal
import threading
import time

import pytest

import windfall
from windfall._cluster import magics

pytest.importorskip("IPython", reason="IPython is not installed")


@pytest.fixture(scope="module")
def shell():
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    made = InteractiveShell.instance(config=config)
    with made.builtin_trap:
        yield made
    InteractiveShell.clear_instance()
    magics._active.clear()


@pytest.fixture(scope="module")
def rc(shell):
    with windfall.Cluster(n=4) as client:
        yield client


@pytest.fixture(autouse=True)
def fresh(rc, shell, capsys):
    magics.activate(magics.OwnFace(rc))
    rc[:].clear().get()
    shell.user_ns.pop("result", None)


@pytest.fixture
def px(shell):
    return lambda line: shell.run_line_magic("px", line)


@pytest.fixture
def cell(shell):
    return lambda line, code: shell.run_cell_magic("px", line, code)


def test_a_cluster_in_ipython_has_px_by_itself(rc, px):
    holder = magics._active.pop("")
    rc._offer_magics()
    assert magics._active[""] is not holder and magics._active[""].face.client is rc
    px("a = 5")
    assert rc[:]["a"] == [5] * 4
    with windfall.Cluster(n=1):
        assert magics._active[""].face.client is rc, "the first cluster keeps it"


def test_what_engines_print_is_labelled(px, cell, capsys):
    px("a = 5")
    cell("", "print(a)\nprint('b', end='')\na")
    lines = capsys.readouterr().out.splitlines()
    assert sorted(lines[:-4]) == sorted(
        [f"[stdout:{n}] {text}" for n in range(4) for text in ("5", "b")]
    )
    for engine, line in enumerate(lines[-4:]):
        assert re.fullmatch(rf"Out\[{engine}:\d+\]: 5", line)


def test_output_is_shown_while_cells_run(rc, cell, capsys):
    seen = []
    original = magics.Live._print

    def note(self, *printed):
        seen.append(time.monotonic())
        original(self, *printed)

    magics.Live._print = note
    try:
        cell("--targets 0", "import time\nfor n in range(3):\n    print(n)\n    time.sleep(0.2)")
    finally:
        magics.Live._print = original
    assert len(seen) == 3 and seen[2] - seen[0] > 0.3


def test_variables_in_braces_are_the_engines(rc, shell, px, cell):
    shell.user_ns.update(x="here", out="result")
    rc[:]["x"] = "there"
    px('y = f"{x}"')
    assert rc[:]["y"] == ["there"] * 4
    cell("-o {out} --noblock", 'y = f"{x}!"')
    assert shell.user_ns["result"].wait() and rc[:]["y"] == ["there!"] * 4


def test_targets_are_chosen_for_a_cell_or_for_good(rc, shell, px, cell):
    for targets, engines in {"1::2": [1, 3], "0,2": [0, 2], "-1": [3], "all": rc.ids}.items():
        rc[:]["a"] = 0
        cell(f"--targets {targets}", "a = 1")
        assert [n for n, a in enumerate(rc[:]["a"]) if a] == engines
    shell.run_line_magic("pxconfig", "--targets 2 --noblock")
    assert px("import windfall; b = windfall.engine_id()").wait()
    assert rc[2]["b"] == 2
    shell.run_line_magic("pxconfig", "--targets all --block")
    assert magics._active[""].face.targets == "all"


def test_groups_collect_what_there_is(cell, capsys):
    code = "from IPython.display import display\nprint('p')\ndisplay(1)\ndisplay(2)"
    orders = {
        "type": "oo1212",
        "engine": "o12o12",
        "order": "oo1122",
    }
    for group, order in orders.items():
        cell(f"--targets 0,1 --no-stream --group-outputs {group}", code)
        lines = capsys.readouterr().out.splitlines()
        found = ["o" if "stdout" in line else line for line in lines if line[:7] != "[output"]
        assert "".join(found) == order


def test_verbose_cells_say_where_they_run(cell, capsys):
    cell("--verbose --targets 0", "pass")
    assert capsys.readouterr().out.startswith("Parallel execution on engine(s): 0")
    cell("--verbose --noblock", "pass").wait()
    assert capsys.readouterr().out.startswith("Async parallel execution on engine(s): all")


def test_a_cell_runs_here_too_if_asked(rc, shell, cell):
    cell("--local", "both = 6 * 7")
    assert shell.user_ns["both"] == 42 and rc[:]["both"] == [42] * 4


def test_the_last_result_is_recalled(shell, cell, capsys):
    cell("--noblock", "6 * 7").wait()
    assert capsys.readouterr().out == ""
    shell.run_line_magic("pxresult", "")
    assert capsys.readouterr().out.count(": 42") == 4
    shell.run_line_magic("pxresult", "-o kept")
    assert [each.text for each in shell.user_ns["kept"].get()] == ["42"] * 4


def test_errors_are_shown_once_as_they_come(px, cell, capsys):
    with pytest.raises(magics.ShownError, match="4 of 4 engines failed"):
        px("1 / 0")
    assert capsys.readouterr().err.count("ZeroDivisionError: division by zero") == 4
    with pytest.raises(windfall.CompositeError, match="ZeroDivisionError"):
        cell("--no-stream", "1 / 0")
    with pytest.raises(windfall.RemoteError, match="ZeroDivisionError"):
        cell("--targets 0", "1 / 0")
    assert capsys.readouterr().err == ""


def test_other_magics_work_within_cells(rc, shell, cell, capsys):
    cell("", "%%time\nsum(range(10))")
    assert capsys.readouterr().out.count("Wall time") == 4
    cell("", "%%capture kept\nprint('inside')")
    assert rc[:]["kept.stdout"] == ["inside\n"] * 4


def test_figures_come_back_by_engine(cell, capsys):
    pytest.importorskip("matplotlib")
    code = "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]);"
    cell("--targets 0,1 -o result", code)
    out = capsys.readouterr().out
    assert out.count("[output:0]") == out.count("[output:1]") == 1


def test_autopx_sends_whole_cells(rc, shell, capsys):
    shell.run_line_magic("autopx", "")
    shell.run_cell("a = 5\nb = a * 2")
    shell.run_cell("b += 1\nprint(b)")
    shell.run_cell("%autopx")
    shell.run_cell("here = 3")
    out = capsys.readouterr().out
    assert "%autopx enabled" in out and "%autopx disabled" in out
    assert out.count("[stdout:") == 4 and "b" not in shell.user_ns
    assert rc[:]["b"] == [11] * 4 and shell.user_ns["here"] == 3


def test_ctrl_c_interrupts_engines_and_is_raised_here(rc, cell, capsys):
    started = time.monotonic()
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        cell("", "import time\nprint('in')\ntime.sleep(30)\nprint('out')")
    assert time.monotonic() - started < 10
    told = capsys.readouterr()
    assert "Sending signal SIGINT to engines" in told.err and "] out" not in told.out
    assert told.out.count("] in") == 4
    assert rc[:].apply(abs, -1).get(10) == [1] * 4


def test_flags_that_do_not_exist_are_named(cell):
    from IPython.core.error import UsageError

    for line, message in {
        "--blok": "no flag `--blok`",
        "--targets": "takes a value",
        "--targets x": "`x` is not a number",
        "--group-outputs=rank": "`--group-outputs` is `rank`",
        "--progress-after soon": "`soon` is not a number",
    }.items():
        with pytest.raises(UsageError, match=message):
            cell(line, "pass")


def test_the_extension_loads(shell, capsys):
    magics._active.clear()
    shell.run_line_magic("load_ext", "windfall")
    assert magics._active or "first cluster" in capsys.readouterr().out


def test_px_is_quick(rc, px):
    px("a = 1")
    times = []
    for _ in range(200):
        started = time.perf_counter()
        px("a = 1")
        times.append(time.perf_counter() - started)
    # On a quiet machine it is well below 1 ms; here it only must not be of another order.
    assert min(times) < 0.005


def test_cells_of_statements_are_kept_counted_and_seen_like_others(rc):
    """They do without what IPython does for cells that show a value."""
    rc[0].execute("seen = []\nget_ipython().events.register('pre_execute', lambda: seen.append(1))")
    before = rc[0].execute("1").get().count
    rc[0].execute("a = 2")
    rc[0].execute("b = a\nc = b + In.count('a = 2')")
    assert rc[0]["c"] == 3
    assert rc[0].execute("c").get().count == before + 3
    assert len(rc[0]["seen"]) >= 4
    with pytest.raises(windfall.RemoteError, match="division by zero") as caught:
        rc[0].execute("d = 1\nd = 1 / 0").get()
    assert "----> 2 d = 1 / 0" in caught.value.traceback
    with pytest.raises(windfall.RemoteError, match="outside function"):
        rc[0].execute("d = 2\nreturn d").get()
    assert rc[0]["d"] == 2  # IPython compiles one statement after the other
    rc[0].execute("get_ipython().events.register('pre_run_cell', lambda info: seen.append(info))")
    rc[0].execute("raw = None")
    assert rc[0].apply(lambda: seen[-1].raw_cell).get() == "raw = None"  # noqa: F821
