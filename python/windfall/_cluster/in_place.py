"""Arrays that lie in `windfall.shared` memory, seen in place by other processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .. import _core, shared

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Sent(NamedTuple):
    """An array, as another process finds it."""

    place: shared.Place
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: np.dtype[Any]


def sent(array: Any) -> Sent | None:
    """Return where a `shared.Array`, or a NumPy view of one, lies; None for anything else."""
    view = array.array if isinstance(array, shared.Array) else array
    kind = type(view)
    if kind.__module__ != "numpy" or not hasattr(view, "base"):
        return None
    base = view
    while type(base) is kind:
        base = base.base
    if not isinstance(base, _core.SharedArray):
        return None
    offset = _address(view) - _address(base.bytes())
    shared.keep_for_a_while(base)
    return Sent(base.send(), offset, view.shape, view.strides, view.dtype)


def _address(array: NDArray[Any]) -> int:
    address: int = array.__array_interface__["data"][0]
    return address


def seen(there: Sent) -> NDArray[Any]:
    """Return an array that another process has sent, in place."""
    import numpy as np

    known = shared._here.get(there.place[2:])
    core = known._core if known is not None else _core.SharedArray.open(there.place, [], "uint8")
    return np.ndarray(there.shape, there.dtype, core.bytes(), there.offset, there.strides)
