"""Turn what users pass as `rng` into a 128-bit seed, as SPEC 7 asks."""

from __future__ import annotations

import operator
import secrets
from typing import TypeAlias

import numpy as np

RngLike: TypeAlias = (
    int | np.random.SeedSequence | np.random.BitGenerator | np.random.Generator | None
)

_WIDTH_BITS = 128


def seed_from(rng: RngLike) -> int:
    """Return the seed that `rng` stands for.

    An integer is the seed itself, so that the shell, Python and Rust agree. A
    `SeedSequence` gives 128 bits of its state and is not changed. A `Generator` or
    `BitGenerator` is advanced by two 64-bit draws. `None` asks the operating system.
    """
    if rng is None:
        return secrets.randbits(_WIDTH_BITS)
    if isinstance(rng, np.random.SeedSequence):
        words = rng.generate_state(4, np.uint32)
        return sum(int(word) << (32 * place) for place, word in enumerate(words))
    if isinstance(rng, np.random.Generator):
        rng = rng.bit_generator
    if hasattr(rng, "random_raw"):  # NumPy's bit generators, and the streams of our tasks
        low, high = rng.random_raw(2)
        return int(low) | int(high) << 64
    try:
        seed = operator.index(rng)
    except TypeError:
        raise TypeError(
            f"`rng` is `{rng!r}`; it must be a whole number, a SeedSequence, a Generator or None"
        ) from None
    if not 0 <= seed < 1 << _WIDTH_BITS:
        raise ValueError(f"`rng` is `{seed}`; a seed lies between 0 and 2**128 - 1")
    return seed
