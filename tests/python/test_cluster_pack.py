"""Objects to bytes and back: arrays are mapped and writable, errors name what is at fault."""

import threading

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from windfall import SerializationError
from windfall._cluster.pack import SEGMENT_BYTES_MIN, pack, pack_call, unpack


def there_and_back(value):
    return unpack(*pack(value))


@pytest.mark.parametrize("value", [None, 3, "text", [1, {"a": (2.5, b"x")}], {1, 2}, range(5)])
def test_plain_values_come_back(value):
    body, segment = pack(value)
    assert segment is None
    assert unpack(body, segment) == value


@pytest.mark.parametrize("count", [0, 1, 1000, 100_000])
def test_arrays_come_back_writable_and_large_ones_in_a_segment(count):
    array = np.arange(count, dtype=float)
    body, segment = pack({"a": array, "b": [array[::2], 1]})
    assert (segment is not None) == (1.5 * array.nbytes >= SEGMENT_BYTES_MIN)
    assert len(body) < SEGMENT_BYTES_MIN
    back = unpack(body, segment)
    assert np.array_equal(back["a"], array)
    assert np.array_equal(back["b"][0], array[::2])
    back["a"][:] = 7
    again = unpack(body, segment)
    assert np.array_equal(again["a"], array), "what one reader writes is its own"


def test_an_array_of_a_segment_is_mapped_not_copied():
    array = np.zeros(10_000_000)
    body, segment = pack(array)
    assert segment.nbytes >= array.nbytes
    assert not unpack(body, segment).flags.owndata


def test_a_long_pickle_lies_in_the_segment_too():
    value = [b"x" * SEGMENT_BYTES_MIN, np.arange(10)]
    body, segment = pack(value)
    assert len(body) < 100
    back = unpack(body, segment)
    assert back[0] == value[0]
    assert np.array_equal(back[1], value[1])


def test_frames_and_tables_come_back():
    frame = pd.DataFrame({"x": np.arange(50_000.0), "y": ["a", "b"] * 25_000})
    pd.testing.assert_frame_equal(there_and_back(frame), frame)
    table = pa.table({"x": np.arange(50_000.0)})
    assert there_and_back(table).equals(table)


def test_a_function_goes_by_value():
    offset = 3
    assert there_and_back([lambda x: x + offset])[0](4) == 7


class Holder:
    def __init__(self, lock):
        self.inner = {"deep": [1, lock]}


def test_the_part_that_cannot_be_pickled_is_named():
    lock = threading.Lock()
    with pytest.raises(SerializationError, match=r"the value\.inner\['deep'\]\[1\].*lock"):
        pack(Holder(lock))
    with pytest.raises(SerializationError, match=r"argument 2 of `f`\[0\].*"):
        pack_call((1, [lock]), {}, "f")
    with pytest.raises(SerializationError, match="argument `key` of `f`"):
        pack_call((), {"key": lock}, "f")
    with pytest.raises(SerializationError, match="`lock`, which .* uses"):
        pack(lambda: lock)
