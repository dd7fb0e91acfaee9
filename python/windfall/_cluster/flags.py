"""The flags of `%%px` and its kin."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

from .show import GROUPS


class Flags:
    """What a `%%px` line asks for; None where it asks for nothing."""

    def __init__(self) -> None:
        self.block: bool | None = None
        self.targets: str | None = None
        self.stream: bool | None = None
        self.verbose: bool | None = None
        self.progress_after_s: float | None = None
        self.signal: str | None = None
        self.group: str | None = None
        self.name: str | None = None
        self.local = False


_SETS: dict[str, tuple[str, Any]] = {
    "-b": ("block", True),
    "--block": ("block", True),
    "-a": ("block", False),
    "--noblock": ("block", False),
    "--stream": ("stream", True),
    "--no-stream": ("stream", False),
    "--verbose": ("verbose", True),
    "--no-verbose": ("verbose", False),
    "--local": ("local", True),
    "-r": ("group", "order"),
    "-e": ("group", "engine"),
}
_TAKES: dict[str, tuple[str, Callable[[str], Any]]] = {
    "-t": ("targets", str),
    "--targets": ("targets", str),
    "--progress-after": ("progress_after_s", float),
    "--signal-on-interrupt": ("signal", str),
    "--group-outputs": ("group", str),
    "-o": ("name", str),
    "--out": ("name", str),
}


def flags_of(line: str) -> Flags:
    """Return the flags of a magic's line.

    >>> flags = flags_of("--noblock --targets 1::2 -o result")
    >>> flags.block, flags.targets, flags.name
    (False, '1::2', 'result')
    """
    flags, words = Flags(), shlex.split(line)
    while words:
        word, _, inline = words.pop(0).partition("=")
        if word in _SETS and not inline:
            setattr(flags, *_SETS[word])
        elif word in _TAKES:
            if not inline and not words:
                raise usage(f"`{word}` takes a value")
            name, kind = _TAKES[word]
            value = inline or words.pop(0)
            try:
                setattr(flags, name, kind(value))
            except ValueError:
                raise usage(f"`{word} {value}`: `{value}` is not a number") from None
        else:
            raise usage(f"there is no flag `{word}`; there are {', '.join([*_SETS, *_TAKES])}")
    if flags.group not in (None, *GROUPS):
        raise usage(f"`--group-outputs` is `{flags.group}`; there are {', '.join(GROUPS)}")
    return flags


def usage(message: str) -> Exception:
    """Return the error of a magic that was not called rightly."""
    from IPython.core.error import UsageError

    error: Exception = UsageError(message)
    return error


def targets_of(text: str, ids: list[int]) -> Any:
    """Return targets as `--targets` gives them: a number, a list, a slice of all, or `all`.

    >>> targets_of("1::2", [0, 1, 2, 3]), targets_of("-1", [0, 1]), targets_of("0,1", [0, 1, 2])
    ([1, 3], -1, [0, 1])
    """
    text = text.strip()
    if "all" in text:
        return "all"
    try:
        if ":" in text:
            ends = [int(part) if part.strip() else None for part in text.split(":")]
            return ids[slice(*ends)]
        numbers = [int(part) for part in text.strip("[]()").split(",") if part.strip()]
    except (TypeError, ValueError):
        raise usage(f"`{text}` is not a number, a list, a slice or `all`") from None
    return numbers if text[:1] in "[(" or "," in text else numbers[0]
