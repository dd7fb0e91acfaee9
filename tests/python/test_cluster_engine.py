"""Engines: cells, output, display, interrupts, deaths, restarts."""

import os
import signal
import time

import pytest

import windfall
from windfall._cluster.output import OUTPUT_BYTES_MAX


def test_code_runs_as_cells_with_the_last_value_shown(rc):
    cells = rc[:].execute("a = 20\na + 1").get(30)
    assert [cell.text for cell in cells] == ["21"] * 3
    cell = rc[0].execute("b = a").get(10)
    assert cell.text == "" and repr(cell) == f"<Cell {cell.count}>"
    assert rc[0]["b"] == 20
    assert rc[0].execute("b", silent=True).get(10).count == cell.count


def test_magics_work(rc):
    rc[0].execute("%load_ext autoreload").get(30)
    result = rc[0].execute("%%time\nsum(range(10))")
    result.get(10)
    assert "Wall time" in result.stdout
    result = rc[0].execute("!echo from a shell")
    result.get(10)
    assert "from a shell" in result.stdout


def test_plain_python_is_taken_as_it_is_and_the_rest_as_ipython_takes_it(rc):
    view = rc[0]
    view.execute("a = 1").get(30)
    view.execute("b = a + 1\nc = '''\n%time\n'''").get(30)
    assert (view["a"], view["b"], view["c"]) == (1, 2, "\n%time\n")
    assert view.execute("a\nc").get(30).text == repr("\n%time\n")
    assert view.execute("pwd").get(30).text == repr(os.getcwd())  # a magic without its sign
    view.execute("d = !echo yes").get(30)
    assert list(view["d"]) == ["yes"]
    waits = "import asyncio\nawait asyncio.sleep(0, 'waited')"
    assert view.execute(waits).get(30).text == "'waited'"
    shout = "lambda lines: [line.replace('ten', '10') for line in lines]"
    view.execute(f"get_ipython().input_transformers_post.append({shout})").get(30)
    view.execute("e = ten").get(30)
    assert view["e"] == 10
    view.execute("get_ipython().input_transformers_post.pop()").get(30)


def test_an_error_in_a_cell_shows_the_cell(rc):
    with pytest.raises(windfall.RemoteError, match="1 / zero") as caught:
        rc[0].execute("zero = 0\n1 / zero").get(30)
    assert type(caught.value.__cause__) is ZeroDivisionError
    assert "\x1b[" not in caught.value.traceback
    with pytest.raises(windfall.RemoteError, match="SyntaxError"):
        rc[0].execute("1 +").get(10)


def test_classes_of_a_cell_come_here(rc):
    rc[0].execute("class Point:\n    def __init__(self, x): self.x = x\np = Point(3)").get(30)
    assert rc[0]["p"].x == 3
    assert rc[0].apply(lambda: get_ipython().user_ns["p"].x).get(10) == 3  # noqa: F821


def test_a_file_is_run(rc, tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import os\nname = os.path.basename(__file__)\n")
    rc[:].run(script).get(30)
    assert rc[:]["name"] == ["script.py"] * 3


def test_what_is_printed_comes_with_the_result(rc):
    def talk():
        import sys

        print("out", windfall.engine_id())
        print("err", file=sys.stderr)
        sys.stdout.write("no end")

    import windfall

    result = rc[:].apply(talk)
    result.get(10)
    assert result.stdout == [f"out {n}\nno end" for n in range(3)]
    assert result.stderr == ["err\n"] * 3
    silent = rc[0].apply(abs, -1)
    silent.get(10)
    assert silent.stdout == "" and silent.outputs == []


def test_what_is_printed_comes_while_the_task_runs(rc):
    def talk():
        import time

        for n in range(3):
            print(n)
            time.sleep(0.2)
        print("…", end="")
        time.sleep(0.4)

    seen = []
    result = rc[0].apply(talk)
    began = time.monotonic()
    with result.watch_output(lambda *found: seen.append((time.monotonic() - began, found))):
        result.wait(10)
    texts = [found[3].decode() for _, found in seen]
    assert texts == ["0\n", "1\n", "2\n", "…"]
    assert seen[0][0] < 0.3 and seen[-1][0] < seen[0][0] + 0.9
    assert {found[1:3] for _, found in seen} == {(0, 0)}


def test_what_a_program_prints_comes_too(rc):
    result = rc[0].apply(os.system, "echo from a program")
    assert result.get(10) == 0
    deadline = time.monotonic() + 5
    while "from a program" not in result.stderr + result.stdout and time.monotonic() < deadline:
        result = rc[0].apply(lambda: __import__("os").system("echo from a program; sleep 0.1"))
        result.get(10)
    assert "from a program" in result.stderr


def test_endless_printing_is_cut_off(rc):
    def flood():
        line = "x" * 1000
        for _ in range(10_000):
            print(line)

    result = rc[0].apply(flood)
    result.get(30)
    assert len(result.stdout) <= OUTPUT_BYTES_MAX + 100
    assert result.stdout.endswith("[cut off: a task may print 4194304 bytes]\n")
    after = rc[0].apply(print, "again")
    after.get(10)
    assert after.stdout == "again\n"


def test_what_is_displayed_comes_by_type(rc):
    result = rc[0].execute(
        "from IPython.display import display, HTML\ndisplay(HTML('<b>x</b>'))\nprint('y')\n3"
    )
    cell = result.get(30)
    assert result.outputs[0]["data"]["text/html"] == "<b>x</b>"
    assert result.stdout == "y\n" and cell.data == {"text/plain": "3"}


def test_figures_are_displayed(rc):
    code = "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]);"
    result = rc[0].execute(code)
    result.get(60)
    assert any("image/png" in output["data"] for output in result.outputs)


def test_values_are_published_while_a_task_runs(rc):
    def work():
        import windfall

        for done in range(3):
            windfall.publish(done=done)
        return "end"

    result = rc[0].apply(work)
    assert result.get(10) == "end" and result.metadata.data == {"done": 2}
    windfall.publish(done=1)


def test_an_engine_that_dies_is_named_and_replaced(rc):
    rc[:].push({"a": 1}).get(10)
    before = rc.pids[1]
    with pytest.raises(windfall.EngineError, match="engine 1 .* was killed by SIGKILL") as caught:
        rc[1].apply(os.kill, before, signal.SIGKILL).get(10)
    error = caught.value
    assert (error.engine, error.pid, error.signal, error.label) == (1, before, 9, "kill")
    assert error.peak_bytes > 1_000_000 and error.tries == 1
    rc.wait_for_engines()
    assert rc.ids == [0, 1, 2] and rc.pids[1] != before
    assert rc[1].apply(windfall.engine_id).get(10) == 1


def test_a_crash_tells_where(rc):
    def crash():
        import ctypes

        ctypes.string_at(0)

    with pytest.raises(windfall.EngineError, match="(?s)SIGSEGV.*in crash"):
        rc[0].apply(crash).get(20)
    rc.wait_for_engines()


def test_a_task_goes_elsewhere_when_its_engine_dies(rc):
    def die_on_zero():
        import os
        import signal

        import windfall

        if windfall.engine_id() == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return windfall.engine_id()

    view = rc.load_balanced_view().options(retries=2)
    results = [view.apply(die_on_zero) for _ in range(6)]
    assert {result.get(20) for result in results} <= {1, 2}
    rc.wait_for_engines()


def test_an_engine_is_restarted(rc):
    before = rc.pids
    rc[2]["a"] = 1
    rc[2].restart()
    assert rc.pids[2] != before[2] and rc.pids[0] == before[0]
    with pytest.raises(windfall.RemoteError, match="NameError"):
        rc[2]["a"]


def test_the_queue_is_told(rc):
    result = rc[0].apply(time.sleep, 0.3)
    told = rc.queue_status()
    assert set(told) == {0, 1, 2, "unassigned"}
    assert told[0]["tasks"] == 1 and told[1]["tasks"] == 0
    result.get(10)


def test_ctrl_c_here_ends_the_task_there(rc):
    import threading

    result = rc[0].apply(time.sleep, 60)
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        result.get()
    with pytest.raises(windfall.RemoteError, match="KeyboardInterrupt"):
        result.get(10)
    assert rc[0].apply(abs, -1).get(10) == 1


def test_ctrl_c_ends_all_that_is_waited_for(rc):
    import threading

    results = [rc[n].apply(time.sleep, 60) for n in (0, 1, 1)]
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        rc.wait(results)
    kinds = [type(result.exception(10)) for result in results]
    assert kinds[:2] == [windfall.RemoteError] * 2
    assert kinds[2] in (windfall.TaskAborted, windfall.RemoteError)
