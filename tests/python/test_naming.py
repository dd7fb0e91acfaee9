"""Names of code: the same in every process, and others as soon as anything that is read changes."""

import ctypes
import functools
import importlib
import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from conftest import ROOT

import windfall
from windfall._functions import integrand, named
from windfall._naming import name_of

FUNCTION = """
import collections, dataclasses, enum, functools
import numpy as np

SCALE = 2.0
WEIGHTS = np.arange(3.0)
LABELS = {"a": {1, 2}, "b": [None, ...]}

class Kind(enum.Enum):
    ROUND = 1
    FLAT = 2

@dataclasses.dataclass
class Model:
    slope: float = 1.5
    parts: list = dataclasses.field(default_factory=list)
    def at(self, x):
        return self.slope * x + ODD.weight

class Odd:
    __slots__ = ("weight", "itself")
    def __init__(self, weight):
        self.weight = weight
        self.itself = self
    @property
    def twice(self):
        return 2 * self.weight

ODD = Odd(7)
Point = collections.namedtuple("Point", "x y")

def helper(x):
    return SCALE * x if x in {"left", "right", "middle"} else fall(x - 1)

def fall(n):
    return helper(n) if n else 0

@functools.lru_cache(maxsize=8)
def cached(n):
    return n + 1

def make(shift):
    def function(x, power=2, *, offset=0.5):
        inner = lambda y: y + WEIGHTS.sum()
        return helper(x) ** power + offset + shift + inner(x) + len(LABELS) + cached(3)
    return function

function = make(3)
parts = [function, functools.partial(function, power=3), Model(parts=[1]).at, Kind.FLAT,
         Point(1, 2), ODD.twice, np.float32(1.5), np.random.default_rng(4), Model, Odd]
"""

CHANGES = {
    "a constant of a helper": ('"middle"', '"centre"'),
    "what a helper does": ("SCALE * x", "SCALE + x"),
    "what a helper of a helper does": ("if n else 0", "if n else 1"),
    "a constant inside a lambda": ("lambda y: y +", "lambda y: 2 * y +"),
    "a default": ("power=2", "power=4"),
    "the default of a keyword": ("offset=0.5", "offset=0.25"),
    "the value of a closure variable": ("make(3)", "make(4)"),
    "its type": ("make(3)", "make(3.0)"),
    "a global": ("SCALE = 2.0", "SCALE = 2.5"),
    "an array": ("np.arange(3.0)", "np.array([0, 1, 2.5])"),
    "the type of an array": ("np.arange(3.0)", "np.arange(3)"),
    "the shape of an array": ("np.arange(3.0)", "np.arange(3.0).reshape(1, 3)"),
    "a global within others": ("{1, 2}", "{1, 3}"),
    "a cached function": ("return n + 1", "return n + 2"),
}

OTHER_PARTS = {
    "an argument of partial": ("power=3)", "power=5)"),
    "a default of a class": ("slope: float = 1.5", "slope: float = 1.25"),
    "data of an instance": ("Model(parts=[1])", "Model(parts=[2])"),
    "a method": ("self.slope * x", "self.slope + x"),
    "a global that a method reads": ("Odd(7)", "Odd(8)"),
    "a property": ("2 * self.weight", "3 * self.weight"),
    "a member": ("Kind.FLAT,", "Kind.ROUND,"),
    "the state of a generator": ("default_rng(4)", "default_rng(5)"),
    "a scalar": ("np.float32(1.5)", "np.float64(1.5)"),
}


def made(source, name="function"):
    namespace = {"__name__": "made"}
    exec(source, namespace)
    return namespace[name]


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_a_function_has_another_name_once_it_changes(change):
    old, new = CHANGES[change]
    assert old in FUNCTION
    assert name_of(made(FUNCTION)) != name_of(made(FUNCTION.replace(old, new)))


@pytest.mark.parametrize("change", OTHER_PARTS, ids=str)
def test_so_has_everything_that_can_be_called_or_read(change):
    old, new = OTHER_PARTS[change]
    assert old in FUNCTION
    assert name_of(made(FUNCTION, "parts")) != name_of(made(FUNCTION.replace(old, new), "parts"))


def test_what_changes_nothing_keeps_the_name():
    others = [
        "\n\n\n# a remark" + FUNCTION,
        FUNCTION.replace("SCALE = 2.0", "UNUSED = 9\nSCALE = 2.0  # another remark"),
        FUNCTION.replace("{1, 2}", "{2, 1}"),
    ]
    for what in ("function", "parts"):
        assert {name_of(made(other, what)) for other in others} == {name_of(made(FUNCTION, what))}


PRINT = """
import sys
sys.path.insert(0, sys.argv[1])
from windfall._naming import name_of
import wf_naming_subject as subject
print(name_of(subject.function).digest, name_of(subject.parts).digest)
print(name_of(compile("f'{1:.3f}'", "here", "eval")).language)
"""


def names_in_another_process(folder, source, seed):
    folder.mkdir()
    (folder / "wf_naming_subject.py").write_text(source)
    environment = {**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", PRINT, folder],
        capture_output=True,
        text=True,
        env=environment,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_names_are_the_same_in_every_process_and_place(tmp_path):
    one, two, changed = (
        names_in_another_process(tmp_path / str(seed), source, seed)
        for seed, source in [
            (1, FUNCTION),
            (2, "# moved down a line\n" + FUNCTION),
            (3, FUNCTION.replace("SCALE = 2.0", "SCALE = 2.5")),
        ]
    )
    assert one == two != changed
    assert one[1] == "CPython {}.{}".format(*sys.version_info)


@pytest.fixture
def helpers(tmp_path, monkeypatch):
    """Writes the module `wf_helpers` and the package `wf_package`, and imports them anew."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(text, inner="LEVEL = 1\n"):
        (tmp_path / "wf_helpers.py").write_text(text)
        (tmp_path / "wf_package").mkdir(exist_ok=True)
        (tmp_path / "wf_package" / "__init__.py").write_text("")
        (tmp_path / "wf_package" / "inner.py").write_text(inner)
        for name in ("wf_helpers", "wf_package", "wf_package.inner"):
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        return importlib.import_module("wf_helpers")

    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield write
    for name in ("wf_helpers", "wf_package", "wf_package.inner"):
        sys.modules.pop(name, None)


HELPERS = "import wf_package.inner as inner\nRATE = 3\ndef used(x):\n    return x + inner.LEVEL\n"


@pytest.mark.parametrize(
    "function",
    [
        "import wf_helpers\nfunction = lambda x: wf_helpers.used(x) + wf_helpers.RATE",
        "import wf_helpers\nfunction = lambda x: pick(wf_helpers)\npick = lambda m: m.used(1)",
        "from wf_helpers import used, RATE\nfunction = lambda x: used(x) + RATE",
        "def function(x):\n    import wf_helpers\n    return wf_helpers.used(x)",
        "def function(x):\n    from wf_helpers import used\n    return used(x)",
    ],
    ids=["attribute", "handed on", "taken", "imported inside", "taken inside"],
)
def test_modules_of_the_user_count_by_what_is_read_of_them(helpers, function):
    def name(*texts):
        helpers(*texts)
        return name_of(made(function))

    assert name(HELPERS) == name(HELPERS)
    names = [
        name(HELPERS),
        name(HELPERS.replace("x + inner", "x - inner")),
        name(HELPERS, "LEVEL = 2\n"),
    ]
    assert len(set(names)) == 3


def test_what_is_set_in_a_module_counts_too(helpers):
    module = helpers(HELPERS)
    function = made("import wf_helpers\nfunction = lambda x: wf_helpers.RATE * x")
    before = name_of(function)
    module.RATE = 4
    assert name_of(function) != before


def test_what_is_installed_counts_by_its_version(monkeypatch):
    from windfall import _reads

    function = made("import numpy as np\nfunction = lambda x: np.sin(x)")
    before = name_of(function)
    monkeypatch.setattr(_reads.metadata, "version", lambda name: f"{name} of the future")
    monkeypatch.setattr(_reads, "_PACKAGES", {})
    assert name_of(function) != before


def test_objects_that_a_package_holds_go_by_name():
    stats = pytest.importorskip("scipy.stats", reason="SciPy is not installed")
    source = "from scipy.stats import norm\nfrom scipy.special import gammaln\n"
    function = made(source + "function = lambda x: norm.pdf(x) + gammaln(x)")
    before = name_of(function)
    stats.norm.rvs(random_state=None)  # the generator behind it moves on
    np.random.default_rng().normal()
    assert name_of(function) == before
    assert name_of(stats.norm(1, 2)) == name_of(stats.norm(1, 2)) != name_of(stats.norm(1, 3))
    assert name_of(np.sin) != name_of(np.cos)


def test_compiled_code_goes_by_its_source():
    numba = pytest.importorskip("numba", reason="numba is not installed")

    def compiled(factor, **options):
        inner = numba.njit(**options)(lambda x: factor * x)
        return numba.cfunc("float64(int32, CPointer(float64))")(lambda n, x: inner(x[0]))

    def name(*args, **options):
        return named(integrand(compiled(*args, **options), dimensions=1))

    assert name(2.0) == name(2.0)
    assert len({name(2.0), name(3.0), name(2.0, fastmath=True)}) == 3


def pointer():
    kind = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_int, ctypes.POINTER(ctypes.c_double))
    return kind(lambda n, x: 1.0)


@pytest.mark.parametrize(
    ("held", "kind"),
    [
        (threading.Lock(), "lock"),
        (pointer(), "CFunctionType"),
        ((n for n in range(3)), "generator"),
        (sys.stderr, None),
        (np.frompyfunc(lambda x: x + 1, 1, 1), "ufunc"),
        (ctypes.pythonapi, "PyDLL"),
    ],
    ids=["lock", "pointer", "generator", "file", "ufunc", "library"],
)
def test_what_is_of_this_process_alone_is_named_in_the_error(held, kind):
    table = {"inside": [held]}

    def function(x):
        return table["inside"]

    with pytest.raises(windfall.InputError) as caught:
        name_of(function)
    assert "the entry `'inside'` of the closure variable `table` of `function`" in str(caught.value)
    assert f"`{kind or type(held).__name__}`" in str(caught.value)
    assert "leave `checkpoint` out" in caught.value.hint
    assert str(caught.value).endswith(caught.value.hint)


def test_methods_bound_by_hand_and_wrapped_functions():
    class Box:
        def __init__(self, size):
            self.size = size

    def bound(function, size):
        box = Box(size)
        return name_of(function.__get__(box))

    small, large = (lambda self: self.size), (lambda self: 2 * self.size)
    assert bound(small, 1) == bound(small, 1)
    assert len({bound(small, 1), bound(small, 2), bound(large, 1)}) == 3
    wrapped = [functools.wraps(small)(lambda x, k=k: k) for k in (1, 1, 2)]
    first, again, other = map(name_of, wrapped)
    assert first == again != other


def test_a_function_that_poses_as_one_of_a_package_is_the_users():
    def posing(factor):
        namespace = {"__name__": "made", "factor": factor}
        exec("def mine(x):\n    return factor * x", namespace)
        return functools.wraps(np.linalg.norm)(namespace["mine"])

    assert name_of(posing(2)) == name_of(posing(2)) != name_of(posing(3))


def test_a_very_deep_value_is_refused_and_not_a_crash():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(windfall.InputError, match="recursion"):
        name_of(deep)
    while deep:  # or its end would be as deep
        deep = deep.pop()
