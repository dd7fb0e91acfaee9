"""Ctrl-C returns the estimate so far; progress is shown; nothing hangs."""

import signal
import threading
import time

import pytest

import windfall


def interrupt_after(seconds):
    main = threading.main_thread().ident
    timer = threading.Timer(seconds, signal.pthread_kill, (main, signal.SIGINT))
    timer.daemon = True
    timer.start()
    return timer


def test_the_first_interrupt_returns_what_is_done():
    timer = interrupt_after(0.3)
    began = time.monotonic()
    with pytest.warns(windfall.IncompleteWarning):
        result = windfall.pi(10**13, rng=1)
    timer.join()
    assert time.monotonic() - began < 30
    assert not result.complete
    assert 0 < result.n < 10**13
    assert abs(result.estimate - 3.141592653589793) < 6 * result.mcse
    assert "INCOMPLETE" in repr(result) and "incomplete" in result._repr_html_()


def test_an_interrupt_in_python_code_returns_what_is_done():
    timer = interrupt_after(0.3)
    with pytest.warns(windfall.IncompleteWarning):
        result = windfall.integrate(lambda x: float(x[0]), [(0, 1)], n=10**9, rng=1)
    timer.join()
    assert abs(result.estimate - 0.5) < 6 * result.mcse


def test_progress_can_be_watched():
    seen = []
    windfall.pi(10**9, rng=1, progress=lambda *facts: seen.append(facts))
    assert seen
    done, most, estimate, mcse, seconds = seen[-1]
    assert 0 < done <= most
    assert abs(estimate - 3.141592653589793) < 10 * mcse
    assert seconds > 0


def test_an_exception_of_the_watcher_comes_through():
    def watcher(*_):
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        windfall.pi(10**12, rng=1, progress=watcher)
