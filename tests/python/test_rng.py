"""Seeds: SPEC 7, and the same meaning in every language."""

import numpy as np
import pytest

import windfall
from windfall._rng import seed_from


def test_an_integer_is_the_seed():
    assert seed_from(42) == 42
    assert windfall.pi(1000, rng=42).seed == 42
    assert windfall.pi(1000, rng=np.int64(42)).seed == 42
    assert windfall.pi(1000, rng=2**128 - 1).seed == 2**128 - 1


def test_a_result_can_be_repeated_from_its_seed():
    first = windfall.pi(100_000)
    assert windfall.pi(100_000, rng=first.seed).to_json() == first.to_json()
    assert windfall.pi(100_000).seed != first.seed


def test_a_seed_sequence_gives_its_state_and_is_not_changed():
    sequence = np.random.SeedSequence(5)
    words = np.random.SeedSequence(5).generate_state(2, np.uint64)
    assert seed_from(sequence) == int(words[0]) | int(words[1]) << 64
    assert seed_from(sequence) == seed_from(np.random.SeedSequence(5))
    assert sequence.n_children_spawned == 0


def test_a_generator_is_advanced():
    generator = np.random.default_rng(3)
    first, second = seed_from(generator), seed_from(generator)
    assert first != second
    assert seed_from(np.random.default_rng(3)) == first


@pytest.mark.parametrize("bad", [-1, 2**128, 1.5, "seven"])
def test_other_seeds_are_refused(bad):
    with pytest.raises((ValueError, TypeError), match="rng|seed"):
        windfall.pi(10, rng=bad)
