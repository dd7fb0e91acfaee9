"""The tools side by side, each behind the same few verbs; what one cannot do it does not have."""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np


def nothing() -> None:
    """Do nothing: what is left is the tool's own cost."""


def nothing_of(_: Any) -> None:
    """Do nothing with an item."""


def next_number(x: int) -> int:
    """The trivial function of the maps."""
    return x + 1


def sleep(seconds: float) -> float:
    """A task of a known length."""
    import time

    time.sleep(seconds)
    return seconds


def total(part: Any) -> float:
    """Look at all of an array."""
    return float(part.sum())


class Tool:
    """A tool with `n` workers, from construction to `stop`."""

    name = ""
    singles_share = 1.0
    """The part of the single tasks that a slow tool does; its time is scaled."""
    map_share = 1.0

    def stop(self) -> None:
        """End everything."""


class Windfall(Tool):
    name = "windfall"

    def __init__(self, n: int) -> None:
        import windfall

        self.cluster = windfall.Cluster(n=n)
        self.rc = self.cluster.client
        self.all = self.rc[:]
        self.any = self.rc.load_balanced_view()

    def stop(self) -> None:
        self.cluster.stop()

    def everywhere(self) -> None:
        self.all.apply(nothing).get()

    def call(self) -> None:
        self.any.apply(nothing).get()

    def keepers(self) -> list[int]:
        """Return the processes that know of tasks: this one and the controller."""
        return [os.getpid(), self.cluster.info["controller"]]

    def singles(self, count: int) -> list[int]:
        apply = self.any.apply
        return [task.get() for task in [apply(next_number, i) for i in range(count)]]

    def map(self, items: Any) -> list[int]:
        return list(self.any.map(next_number, items).get())

    def uneven(self, seconds: list[float]) -> None:
        self.any.map(sleep, seconds).get()

    def scatter(self, array: Any) -> None:
        self.all.scatter("a", array).get()

    def gather(self) -> Any:
        return self.all.gather("a").get()

    def push(self, array: Any) -> None:
        self.all.push({"b": array}).get()

    def cell(self) -> None:
        self.all.execute("a = 1").get()

    def kill(self) -> tuple[float, float]:
        """Kill an engine that works: when it is noticed, and when another is there."""
        import signal

        task = self.rc[0].apply(sleep, 30.0)
        time.sleep(0.2)
        pid = self.rc.pids()[0] if callable(self.rc.pids) else self.rc.pids[0]
        began = time.perf_counter()
        os.kill(pid, signal.SIGKILL)
        error = task.exception(10.0)
        noticed = time.perf_counter() - began
        assert error is not None
        self.rc[0].apply(nothing).get()
        return noticed, time.perf_counter() - began


class IPyParallel(Tool):
    name = "ipyparallel"
    singles_share = 0.1
    map_share = 0.01

    def __init__(self, n: int) -> None:
        import logging

        import ipyparallel as ipp

        self.cluster = ipp.Cluster(n=n, log_level=logging.ERROR)
        self.rc = self.cluster.start_and_connect_sync()
        self.all = self.rc[:]
        self.any = self.rc.load_balanced_view()

    def stop(self) -> None:
        self.rc.close()
        self.cluster.stop_cluster_sync()

    def everywhere(self) -> None:
        self.all.apply_sync(nothing)

    def call(self) -> None:
        self.any.apply_sync(nothing)

    def singles(self, count: int) -> list[int]:
        return [task.get() for task in [self.any.apply_async(next_number, i) for i in range(count)]]

    def map(self, items: Any) -> list[int]:
        return list(self.any.map_sync(next_number, items, chunksize=100))

    def uneven(self, seconds: list[float]) -> None:
        self.any.map_sync(sleep, seconds)

    def scatter(self, array: Any) -> None:
        self.all.scatter("a", array, block=True)

    def gather(self) -> Any:
        return self.all.gather("a", block=True)

    def push(self, array: Any) -> None:
        self.all.push({"b": array}, block=True)

    def cell(self) -> None:
        self.all.execute("a = 1", block=True)


class Pool(Tool):
    name = "multiprocessing.Pool"

    def __init__(self, n: int) -> None:
        self.n = n
        self.pool = multiprocessing.get_context("spawn").Pool(n)

    def stop(self) -> None:
        self.pool.terminate()
        self.pool.join()

    def everywhere(self) -> None:
        self.pool.map(nothing_of, range(self.n), chunksize=1)

    def call(self) -> None:
        self.pool.apply(nothing)

    def singles(self, count: int) -> list[int]:
        tasks = [self.pool.apply_async(next_number, (i,)) for i in range(count)]
        return [task.get() for task in tasks]

    def map(self, items: Any) -> list[int]:
        return self.pool.map(next_number, items)

    def uneven(self, seconds: list[float]) -> None:
        self.pool.map(sleep, seconds, chunksize=1)

    def scatter(self, array: Any) -> None:
        self.pool.map(total, np.array_split(array, self.n), chunksize=1)


class _Executor(Tool):
    """Whatever has the face of `concurrent.futures`."""

    executor: concurrent.futures.Executor
    n: int

    def stop(self) -> None:
        self.executor.shutdown()

    def everywhere(self) -> None:
        list(self.executor.map(nothing_of, range(self.n)))

    def call(self) -> None:
        self.executor.submit(nothing).result()

    def singles(self, count: int) -> list[int]:
        tasks = [self.executor.submit(next_number, i) for i in range(count)]
        return [task.result() for task in tasks]

    def uneven(self, seconds: list[float]) -> None:
        list(self.executor.map(sleep, seconds))

    def scatter(self, array: Any) -> None:
        list(self.executor.map(total, np.array_split(array, self.n)))


class Loky(_Executor):
    name = "loky"
    singles_share = 0.2
    map_share = 0.1

    def __init__(self, n: int) -> None:
        from loky import ProcessPoolExecutor

        self.n = n
        self.executor = ProcessPoolExecutor(n)

    def stop(self) -> None:
        self.executor.shutdown(kill_workers=True)  # type: ignore[call-arg]

    def map(self, items: Any) -> list[int]:
        return list(self.executor.map(next_number, items, chunksize=1000))


class Mpire(Tool):
    name = "mpire"
    singles_share = 0.2
    map_share = 0.2

    def __init__(self, n: int) -> None:
        from mpire import WorkerPool

        self.n = n
        self.pool = WorkerPool(n_jobs=n, keep_alive=True)

    def stop(self) -> None:
        self.pool.terminate()

    def everywhere(self) -> None:
        self.pool.map(nothing_of, range(self.n), chunk_size=1)

    def call(self) -> None:
        self.pool.apply(nothing)

    def singles(self, count: int) -> list[int]:
        tasks = [self.pool.apply_async(next_number, (i,)) for i in range(count)]
        return [task.get() for task in tasks]

    def map(self, items: Any) -> list[int]:
        return self.pool.map(next_number, items)

    def uneven(self, seconds: list[float]) -> None:
        self.pool.map(sleep, seconds)


class Dask(Tool):
    name = "dask.distributed"
    singles_share = 0.1
    map_share = 0.005

    def __init__(self, n: int) -> None:
        from distributed import Client, LocalCluster

        self.n = n
        self.cluster = LocalCluster(n_workers=n, threads_per_worker=1, dashboard_address=None)
        self.client = Client(self.cluster)

    def stop(self) -> None:
        self.client.close()
        self.cluster.close()

    def everywhere(self) -> None:
        self.client.run(nothing)

    def call(self) -> None:
        self.client.submit(nothing, pure=False).result()

    def singles(self, count: int) -> list[int]:
        tasks = [self.client.submit(next_number, i, pure=False) for i in range(count)]
        return self.client.gather(tasks)

    def map(self, items: Any) -> list[int]:
        return self.client.gather(self.client.map(next_number, items, pure=False))

    def uneven(self, seconds: list[float]) -> None:
        self.client.gather(self.client.map(sleep, seconds, pure=False))

    def scatter(self, array: Any) -> None:
        self.parts = self.client.scatter(np.array_split(array, self.n))

    def gather(self) -> Any:
        return np.concatenate(self.client.gather(self.parts))


class Ray(Tool):
    name = "ray"
    singles_share = 0.2
    map_share = 0.01

    def __init__(self, n: int) -> None:
        import ray

        self.n, self.ray = n, ray
        ray.init(num_cpus=n, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
        self.nothing, self.next, self.sleep, self.total = (
            ray.remote(function) for function in (nothing, next_number, sleep, total)
        )

    def stop(self) -> None:
        self.ray.shutdown()

    def everywhere(self) -> None:
        self.ray.get([self.nothing.remote() for _ in range(self.n)])

    def call(self) -> None:
        self.ray.get(self.nothing.remote())

    def singles(self, count: int) -> list[int]:
        return self.ray.get([self.next.remote(i) for i in range(count)])

    def map(self, items: Any) -> list[int]:
        return self.ray.get([self.next.remote(i) for i in items])

    def uneven(self, seconds: list[float]) -> None:
        self.ray.get([self.sleep.remote(s) for s in seconds])

    def scatter(self, array: Any) -> None:
        parts = [self.total.remote(self.ray.put(part)) for part in np.array_split(array, self.n)]
        self.ray.get(parts)


TOOLS: list[Callable[[int], Tool]] = [Windfall, IPyParallel, Pool, Loky, Mpire, Dask, Ray]
