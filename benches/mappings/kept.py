"""What keeping partials costs: a run with a checkpoint beside a plain one, a merge of a million.

    python benches/mappings/kept.py [--write]

Needs the package blake3, to make a million partials of one.
"""

import json
import statistics
import struct
import subprocess
import tempfile
import time
from pathlib import Path

import blake3
from places import WINDFALL as windfall
from results import keep

HEAD, CHECK = 96, 8
POINTS_PER_TASK, TASKS_PER_SHARD = 1 << 16, 16


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        keep("What keeping partials costs", f"{checkpoint(Path(folder))}\n\n{merge(Path(folder))}")


def run(*command: str) -> tuple[float, dict]:
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return time.perf_counter() - began, json.loads(done.stdout)


def checkpoint(folder: Path, rounds: int = 9) -> str:
    """About one partial a millisecond, one worker, in turn with a plain run."""
    job = folder / "long.toml"
    text = "problem = 'integrate'\nformula = 'exp(-x0^2)'\nbounds = [[0, 1]]\nn = 8e8\nseed = 1\n"
    job.write_text(text)
    command = (windfall, "run", str(job), "--workers", "1", "--json")
    ratios, seconds = [], []
    for number in range(rounds):
        plain, expected = run(*command)
        kept, answer = run(*command, "--checkpoint", str(folder / f"kept-{number}"))
        assert answer["estimate"] == expected["estimate"]
        ratios.append(kept / plain)
        seconds.append(plain)
    count = subprocess.run([windfall, "shard", job, "--count"], capture_output=True, check=True)
    rate = int(count.stdout) / statistics.median(seconds) / 1e3
    median = statistics.median(ratios)
    verdict = "reached" if median <= 1.02 else "MISSED"
    return (
        f"A checkpointed run over a plain one, in turn, median of {rounds}: {median:.3f} at"
        f" {rate:.1f} partials a millisecond (goal 1.02 at 1: {verdict})."
    )


def merge(folder: Path, shards: int = 1_000_000) -> str:
    """A million partials of `pi`, all with the bytes of the first."""
    n = shards * TASKS_PER_SHARD * POINTS_PER_TASK
    job = folder / "job.toml"
    job.write_text(f"problem = 'pi'\nseed = 1\nn = {n}\n")
    first = folder / "first"
    subprocess.run([windfall, "shard", job, "0", "--out", first], check=True)
    one = first.read_bytes()
    middle, last = one[:48], one[72 : HEAD - CHECK]
    partial = one[HEAD:-CHECK]
    # The last shard is marked with the length of the job.
    subprocess.run([windfall, "shard", job, str(shards - 1), "--out", first], check=True)
    with (folder / "million").open("wb") as out:
        for index in range(shards - 1):
            place = struct.pack(
                "<3Q", index, index * TASKS_PER_SHARD, (index + 1) * TASKS_PER_SHARD
            )
            frame = middle + place + last
            frame += blake3.blake3(frame).digest()[:CHECK] + partial
            out.write(frame + blake3.blake3(frame).digest()[:CHECK])
        out.write(first.read_bytes())
    times = []
    for _ in range(5):
        seconds, answer = run(
            windfall, "merge", str(job), str(folder / "million"), "--json", "--quiet"
        )
        assert answer["n"] == n and abs(answer["estimate"] - 3.14159) < 0.01
        times.append(seconds)
    median = statistics.median(times)
    verdict = "reached" if median <= 2 else "MISSED"
    return (
        f"`windfall merge` of {shards:,} partials, median of {len(times)}: {median:.2f} s"
        f" (goal 2 s: {verdict})."
    )


if __name__ == "__main__":
    main()
