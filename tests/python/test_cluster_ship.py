"""Functions that travel: pickled once while nothing changes, anew when something has."""

import functools
import math
import threading
import warnings

import numpy as np
import pytest

import windfall
from windfall._cluster import ship as shipping
from windfall._cluster.load import load
from windfall._cluster.ship import interactive, ship


def defined(code, **names):
    """Run code as a script or notebook would."""
    space = {"__name__": "__main__", **names}
    exec(code, space)
    return space


def test_an_importable_function_travels_by_its_name():
    shipped = ship(math.hypot)
    assert len(shipped.body) < 60
    assert load(shipped.body, {})(3, 4) == 5
    assert ship(math.hypot) is shipped or ship(math.hypot) == shipped


def test_a_function_is_pickled_once_while_nothing_changes():
    space = defined("import math\na = 2\ndef g(x): return x + a\ndef f(x): return math.sqrt(g(x))")
    first = ship(space["f"])
    assert ship(space["f"]) is first
    assert load(first.body, {})(2) == 2


def test_a_changed_global_is_seen():
    space = defined("a = 2\ndef g(): return a\ndef f(): return g()")
    first = ship(space["f"])
    space["a"] = 3
    second = ship(space["f"])
    assert first.name != second.name
    assert load(second.body, {})() == 3
    exec("def g(): return a + 1", space)
    assert load(ship(space["f"]).body, {})() == 4


def test_a_changed_list_is_seen():
    space = defined("a = [1]\ndef f(): return sum(a)")
    assert load(ship(space["f"]).body, {})() == 1
    space["a"].append(5)
    assert load(ship(space["f"]).body, {})() == 6


def test_a_changed_closure_is_seen():
    count = 1

    def f():
        return count

    assert load(ship(f).body, {})() == 1
    count = 2
    assert load(ship(f).body, {})() == 2


def test_a_function_that_is_gone_is_forgotten():
    before = len(shipping._known)
    space = defined("def f(n): return n and f(n - 1)")
    ship(space["f"])
    assert len(shipping._known) == before + 1
    del space["f"]
    assert len(shipping._known) == before


@pytest.mark.parametrize("function", [functools.partial(pow, 2), "a b".split, np.add])
def test_other_callables_travel(function):
    arguments = {pow: (3,), np.add: (1, 2)}.get(getattr(function, "func", function), ())
    assert load(ship(function).body, {})(*arguments) == function(*arguments)


def test_names_are_those_that_travelled_then_the_engines():
    space = defined("a = 1\ndef f(): return a, b, len('xy')")
    here = {"a": 10, "b": 20}
    function = load(ship(space["f"]).body, here)
    assert function() == (1, 20, 2)
    here["b"] = 21
    assert function() == (1, 21, 2)
    del here["b"]
    with pytest.raises(NameError, match="'b'"):
        function()


def test_what_needs_nothing_from_the_engine_is_called_as_it_is():
    space = defined("a = 1\ndef f(): return a")
    assert not hasattr(load(ship(space["f"]).body, {}), "__wrapped__")


def test_names_that_are_written_are_the_engines():
    space = defined("def f():\n    global n\n    n = 5")
    here = {}
    load(ship(space["f"]).body, here)()
    assert here == {"n": 5}


def test_an_interactive_function_has_the_engines_names_alone():
    space = defined("a = 1\ndef f(k=2): return a * k")
    here = {"a": 10}
    assert load(interactive(space["f"]).body, here)() == 20


def test_a_large_variable_draws_a_warning_that_names_it(monkeypatch):
    space = defined("def f(): return big.sum()", big=np.zeros(2_000_000))
    with pytest.warns(windfall.CaptureWarning, match="`big`, 16 MB, travels inside .*`f`"):
        ship(space["f"])
    monkeypatch.setattr(shipping, "FUNCTION_BYTES_MAX", 10_000_000)
    with pytest.raises(windfall.SerializationError, match="`big`, 16 MB"):
        ship(space["f"])


def test_a_small_one_draws_none():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ship(lambda: 1)


def test_the_variable_that_cannot_travel_is_named():
    space = defined("def f(): return lock", lock=threading.Lock())
    with pytest.raises(windfall.SerializationError, match="`lock`, which `f` uses"):
        ship(space["f"])
    with pytest.raises(TypeError, match="not a function"):
        ship(3)
