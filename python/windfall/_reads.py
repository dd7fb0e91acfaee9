"""What code reads of the world: globals, what it imports, and the packages that those are of."""

from __future__ import annotations

import dis
import importlib
import sys
import sysconfig
import types
from importlib import metadata
from pathlib import Path
from typing import Any, cast

PYTHON = "Python"
"""The package of the standard library, whose version is that of the language."""

MISSING = object()
"""What stands under a name that is not there."""


def globals_of(code: types.CodeType, namespace: dict[str, Any]) -> dict[str, Any]:
    """Return what code reads: globals, and modules that it imports, by name.

    Of a module of the user's only what is looked up in it, if that is in sight.
    """
    found: dict[str, Any] = {}
    steps = [step for step in dis.get_instructions(code) if step.opname != "EXTENDED_ARG"]
    for place, step in enumerate(steps):
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"):
            name, value = _looked_up(steps[place : place + _DOTS_MAX], namespace)
            if value is not MISSING:
                found[name] = value
        elif step.opname == "IMPORT_NAME":
            level, names = steps[place - 2].argval, steps[place - 1].argval
            found.update(_imported("." * level + step.argval, names, namespace))
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            found.update(globals_of(constant, namespace))
    return found


_DOTS_MAX = 8
"""How many names are followed through modules and packages, as in `helpers.models.linear`."""


def _looked_up(steps: list[dis.Instruction], namespace: dict[str, Any]) -> tuple[str, Any]:
    """Return the global that the first step reads, or what the next ones look up in a module."""
    name = steps[0].argval
    # Names of Python's own say where code stands; builtins are those of the language.
    value = MISSING if name.startswith("__") else namespace.get(name, MISSING)
    for step in steps[1:]:
        is_known = isinstance(value, types.ModuleType) and not package_of(value.__name__)
        if not is_known or step.opname not in ("LOAD_ATTR", "LOAD_METHOD"):
            break
        if not hasattr(value, step.argval):
            break
        name, value = f"{name}.{step.argval}", getattr(value, step.argval)
    return name, value


def _imported(
    name: str, names: tuple[str, ...] | None, namespace: dict[str, Any]
) -> dict[str, types.ModuleType]:
    """Return the modules that an `import` inside a function asks for, those that there are."""
    found: dict[str, types.ModuleType] = {}
    for each in (
        name,
        *(f"{name}{'' if name.endswith('.') else '.'}{last}" for last in names or ()),
    ):
        try:
            module = importlib.import_module(each, namespace.get("__package__"))
        except Exception:  # a name in a module; or it fails there too, which is what the code does
            continue
        found[f"import {each}"] = module
    return found


def at(module: str | None, qualname: str) -> Any:
    """Return what stands under a name in a module."""
    value: Any = sys.modules.get(module or "")
    for name in qualname.split("."):
        value = getattr(value, name, MISSING)
    return value


def home_of(value: Any) -> types.ModuleType | None:
    """Return the user's module that a function or class comes from."""
    if not isinstance(value, (types.FunctionType, type)) or package_of(value.__module__):
        return None
    return sys.modules.get(value.__module__ or "")


def place_of(value: Any) -> str | None:
    """Return where an installed package holds an object, such as a distribution, if one does."""
    if package_of(type(value).__module__) in ("", PYTHON):
        return None
    top = type(value).__module__.partition(".")[0]
    places = [place for place in _held().get(id(value), ()) if at(*place) is value]
    if not places:
        return None
    # Its own package first: others may have taken it from there.
    module, name = min(places, key=lambda place: (place[0].partition(".")[0] != top, place))
    return f"{package_of(module)}: {name}"


def _held() -> dict[int, list[tuple[str, str]]]:
    """Return where installed packages hold what they hold, by address: modules and names."""
    if len(sys.modules) != _HELD[0]:
        held: dict[int, list[tuple[str, str]]] = {}
        for module, loaded in list(sys.modules.items()):
            if package_of(module) not in ("", PYTHON):
                for name, value in list(getattr(loaded, "__dict__", {}).items()):
                    held.setdefault(id(value), []).append((module, name))
        _HELD[:] = len(sys.modules), held
    return cast("dict[int, list[tuple[str, str]]]", _HELD[1])


_HELD: list[Any] = [0, {}]
"""How many modules there were when it was last looked, and what they held."""


def package_of(module: str | None) -> str:
    """Return the package that a module belongs to, with its version; nothing for a user's own."""
    top = (module or "").partition(".")[0]
    if top not in sys.modules:
        return ""
    if top not in _PACKAGES:
        _PACKAGES[top] = _package(top)
    return _PACKAGES[top]


_PACKAGES: dict[str, str] = {}
"""What is known of top modules."""


def _package(top: str) -> str:
    loaded = sys.modules[top]
    if top in ("__main__", "windfall"):
        return f"{top} {loaded.__version__}" if top == "windfall" else ""
    files = [getattr(loaded, "__file__", None) or "", *getattr(loaded, "__path__", ())]
    if not set(Path(files[0] or files[-1]).parts) & {"site-packages", "dist-packages"}:
        library = Path(sysconfig.get_path("stdlib"))
        is_there = not files[0] or library in Path(files[0]).parents
        return PYTHON if is_there and top in sys.stdlib_module_names else ""
    try:
        return f"{top} {metadata.version(top)}"
    except metadata.PackageNotFoundError:
        names = sorted(set(metadata.packages_distributions().get(top, ())))
        return ", ".join(f"{name} {metadata.version(name)}" for name in names)
