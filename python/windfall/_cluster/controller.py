"""The process of a controller: `python -m windfall._cluster.controller NAME < options.json`."""

from __future__ import annotations

import sys

from .._core import serve


def main() -> None:
    """Run the cluster named by the argument, with the options on standard input."""
    serve(sys.argv[1], sys.stdin.read())


if __name__ == "__main__":
    main()
