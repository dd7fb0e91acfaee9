"""What the Python tests share: paths, the law schools, and a watch for things left behind."""

import os
import threading
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]

# Law school admissions, Efron & Tibshirani (1993), table 3.1.
LSAT = [576, 635, 558, 578, 666, 580, 555, 661, 651, 605, 653, 575, 545, 572, 594]
GPA = [
    *(3.39, 3.30, 2.81, 3.03, 3.44, 3.07, 3.00, 3.43),
    *(3.36, 3.13, 3.12, 2.74, 2.76, 2.88, 2.96),
]


@pytest.fixture
def law():
    return {"lsat": np.array(LSAT, float), "gpa": np.array(GPA)}


@pytest.fixture
def examples():
    return ROOT / "examples"


@pytest.fixture(autouse=True)
def nothing_left_behind():
    """Fail a test that leaves threads or shared-memory segments behind."""
    segments = set(os.listdir("/dev/shm")) if os.path.isdir("/dev/shm") else set()
    before = {thread.ident for thread in threading.enumerate()}
    yield
    after = {t.ident for t in threading.enumerate() if not t.daemon}
    assert after <= before
    if segments:
        assert set(os.listdir("/dev/shm")) <= segments
