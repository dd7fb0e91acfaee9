"""What the magics do on views of IPython Parallel's kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._cluster import client as core
from .._cluster.remote import Cell
from .error import AlreadyDisplayedError, RemoteError
from .results import AsyncResult

if TYPE_CHECKING:
    from .direct import DirectView


class Face:
    """A view, as the magics see it."""

    raises_interrupt = False
    """Ctrl-C interrupts the engines and lets the notebook go on."""

    def __init__(self, view: DirectView) -> None:
        self.view = view

    @property
    def client(self) -> core.Client:
        """Windfall's own client."""
        return self.view.client.core

    @property
    def block(self) -> bool:
        """Whether magics wait."""
        return self.view.block

    @block.setter
    def block(self, block: bool) -> None:
        self.view.block = block

    @property
    def targets(self) -> Any:
        """The engines."""
        return self.view.targets

    @targets.setter
    def targets(self, targets: Any) -> None:
        self.view.targets = self.view.client._targets(targets)

    @property
    def is_single(self) -> bool:
        """Whether the view is of one engine, whose outputs carry no label."""
        return isinstance(self.view.targets, int)

    def execute(self, code: str) -> tuple[AsyncResult, Any]:
        """Run a cell; return the result, and the cluster's own result."""
        result = self.view.execute(code, silent=False, block=False)
        result._fname = "%px"
        return result, result._parts[0].core

    def cells(self, result: AsyncResult) -> list[Cell | None]:
        """Return what the last expressions came to, as far as the engines have ended."""
        return [part.shown(result_only=True).result for part in result._parts]

    def error(self, result: AsyncResult, is_shown: bool) -> BaseException | None:
        """Return the error that a result ended with; one that says less if it was shown."""
        error = result.exception()
        if is_shown and isinstance(error, RemoteError):
            return AlreadyDisplayedError(error)
        return error
