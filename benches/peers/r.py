"""R as a peer: one session for all calls, so that its start is not timed."""

from __future__ import annotations

import atexit
import shutil
import subprocess
from functools import cache


def installed(*packages: str) -> bool:
    """Return whether R and these of its packages are there."""
    if shutil.which("R") is None:
        return False
    found = " && ".join(f'requireNamespace("{name}", quietly=TRUE)' for name in packages)
    return not packages or call(f"as.numeric({found})") == 1


def call(code: str) -> float:
    """Run `code` in the session and return its value, one number."""
    session = _session()
    session.stdin.write(f"cat(({{{code}}}), '\\n')\n")
    session.stdin.flush()
    answer = session.stdout.readline()
    if not answer.strip():
        raise RuntimeError(f"R gave no number for {code}")
    return float(answer)


@cache
def _session() -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    session = subprocess.Popen(
        ["R", "--no-echo", "--no-save", "--no-restore"], stdin=pipe, stdout=pipe, text=True
    )
    atexit.register(session.kill)
    return session


def vector(values) -> str:
    """Return numbers as R reads them, all digits."""
    return "c(" + ",".join(repr(float(value)) for value in values) + ")"


def power(simulations: int, n: int, effect: float) -> float:
    """Return the power of a t test as R's users simulate it."""
    one = f"t.test(rnorm({n}, {effect}), rnorm({n}), var.equal=TRUE)$p.value"
    return call(f"set.seed(1); mean(replicate({simulations}, {one}) < 0.05)")


def permutation_means(permutations: int) -> float:
    """Return coin's approximate p-value for what `samples` put in the session."""
    law = f"coin::approximate(nresample={permutations})"
    test = f"coin::oneway_test(x ~ g, distribution={law})"
    return call(f"set.seed(1); as.numeric(coin::pvalue({test}))")


def samples(a, b) -> None:
    """Put two samples in the session, as coin takes them."""
    labels = f'factor(rep(c("a", "b"), c({len(a)}, {len(b)})))'
    call(f"x <- {vector([*a, *b])}; g <- {labels}; length(x)")
