"""The real engines of the suite: each is started and stopped here, with nothing left behind."""

import contextlib
import importlib
import multiprocessing
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

WORKERS = 2


@dataclass
class Engine:
    """An engine that runs."""

    on: Any
    """What users pass as `on=`."""
    pids: Any = None
    """A function that returns the processes of workers; none if workers are threads."""
    renew: Any = None
    """A function that makes `on` anew, where it stays broken when a worker has died."""
    also: Any = tuple
    """A function that returns what else stands for the engine as `on=`."""
    refused: Any = tuple
    """A function that returns what is the engine's and no place for a job."""
    held: Any = int
    """A function that returns how much of ours the engine keeps."""

    def kill_one(self):
        """Kill a worker where it stands."""
        os.kill(self.pids()[0], signal.SIGKILL)

    def renewed(self):
        """Make it fit for the next test."""
        if self.renew is not None:
            self.on = self.renew()


def need(*modules):
    for module in modules:
        try:
            importlib.import_module(module)
        except ImportError:
            pytest.skip(
                f"{module} is not installed: pip install -r tests/backends/requirements.txt"
            )


ALONE = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    # Nothing but this machine, and no copies between processes that a container may forbid.
    "OMPI_MCA_plm": "isolated",
    "OMPI_MCA_btl": "self,vader",
    "OMPI_MCA_btl_vader_single_copy_mechanism": "none",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    "HYDRA_IFACE": "lo",
}

MPIS = {"openmpi": "Open MPI", "mpich": "MPICH"}
VENDOR = "import mpi4py; mpi4py.rc.initialize = False; from mpi4py import MPI"
VENDOR += "; print(MPI.get_vendor()[0])"


@contextlib.contextmanager
def mpi(name):
    """The MPI of that name as the one that mpi4py loads in whatever is started meanwhile."""
    need("mpi4py")
    if shutil.which(f"mpirun.{name}") is None:
        pytest.skip(f"mpirun.{name} is not installed")
    before = dict(os.environ)
    # Open MPI's sockets must have short paths.
    short = Path(tempfile.mkdtemp(prefix="windfall-", dir="/tmp"))
    os.environ.update(ALONE, TMPDIR=str(short), MPI4PY_MPIABI=name)
    if name == "mpich":
        # MPICH by the name that mpi4py looks for, which Debian does not give it.
        for found in Path("/usr/lib").glob("*/libmpich.so.12"):
            (short / "libmpi.so.12").symlink_to(found)
        os.environ["LD_LIBRARY_PATH"] = str(short)
    try:
        found = subprocess.run([sys.executable, "-c", VENDOR], capture_output=True, text=True)
        if found.stdout.strip() != MPIS[name]:
            pytest.skip(f"mpi4py does not load {MPIS[name]} here")
        yield name
    finally:
        os.environ.clear()
        os.environ.update(before)
        shutil.rmtree(short, ignore_errors=True)


@contextlib.contextmanager
def threads():
    with ThreadPoolExecutor(WORKERS) as pool:
        yield Engine(pool)


@contextlib.contextmanager
def processes():
    context = multiprocessing.get_context("spawn")
    with contextlib.ExitStack() as pools:

        def make():
            return pools.enter_context(ProcessPoolExecutor(WORKERS, context))

        engine = Engine(make(), renew=make)
        # The run goes on with a pool of its own, whose processes are none of these.
        engine.pids = lambda: list(engine.on._processes)
        yield engine


@contextlib.contextmanager
def loky():
    need("loky")
    import loky

    pools = []

    def make():
        pools.append(loky.ProcessPoolExecutor(WORKERS))
        return pools[-1]

    yield Engine(make(), _loky_workers, make)
    for pool in pools:
        pool.shutdown(wait=True, kill_workers=True)


@contextlib.contextmanager
def joblib():
    need("joblib")
    from joblib import Memory, Parallel
    from joblib.externals.loky import reusable_executor

    yield Engine(
        Parallel(n_jobs=WORKERS),
        _loky_workers,
        also=_joblib_places,
        refused=lambda: [Memory(None), Parallel(n_jobs=WORKERS, backend="multiprocessing")],
    )
    if reusable_executor._executor is not None:
        reusable_executor._executor.shutdown(wait=True, kill_workers=True)


def _joblib_places():
    """What names joblib's backends: each is made when the one before has been used."""
    import joblib

    from windfall.backends import Joblib

    config = joblib.parallel_config("threading", n_jobs=WORKERS)
    config.unregister()
    yield config
    with joblib.parallel_config("loky", n_jobs=WORKERS):
        yield joblib
    with joblib.parallel_backend("threading", n_jobs=WORKERS) as (backend, _):
        yield Joblib(backend, workers=WORKERS)
    yield Joblib("loky", workers=WORKERS)


def _loky_workers():
    import psutil

    lines = [(p.pid, " ".join(p.cmdline())) for p in psutil.Process().children(recursive=True)]
    return [pid for pid, line in lines if "LokyProcess" in line]


@contextlib.contextmanager
def dask():
    need("distributed")
    from dask import config
    from distributed import Client, LocalCluster

    with (
        tempfile.TemporaryDirectory(prefix="windfall-dask-") as folder,
        config.set(temporary_directory=folder),
        LocalCluster(
            n_workers=WORKERS, threads_per_worker=1, dashboard_address=None, processes=True
        ) as cluster,
        Client(cluster) as client,
    ):
        yield Engine(
            client,
            lambda: list(client.run(os.getpid).values()),
            also=lambda: [client.get_executor(), client.get_executor(retries=2)],
            refused=lambda: [cluster],
            held=lambda: client.run_on_scheduler(_tasks_of),
        )


def _tasks_of(dask_scheduler):
    return len(dask_scheduler.tasks)


@contextlib.contextmanager
def ray():
    need("ray")
    os.environ["RAY_AUTH_MODE"] = "disabled"
    import ray

    folder = tempfile.mkdtemp(prefix="wf-ray-", dir="/tmp")
    context = ray.init(
        num_cpus=WORKERS,
        include_dashboard=False,
        logging_level="ERROR",
        log_to_driver=False,
        _temp_dir=folder,
        object_store_memory=200 << 20,
    )
    worker = ray._private.worker.global_worker
    yield Engine(
        ray,
        _ray_workers,
        also=lambda: [context],
        refused=lambda: [ray.put(1)],
        held=lambda: len(worker.core_worker.get_all_reference_counts()),
    )
    ray.shutdown()
    shutil.rmtree(folder, ignore_errors=True)


def _ray_workers():
    import psutil

    names = [(p.pid, p.name()) for p in psutil.Process().children(recursive=True)]
    return [pid for pid, name in names if name.startswith("ray::run")]


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@contextlib.contextmanager
def spark(result_size="4m"):
    """A cluster of one worker, to whose driver never comes more than `result_size` at once."""
    need("pyspark", "pyarrow")
    if shutil.which("java") is None:
        pytest.skip("Java is not installed: apt-get install default-jre-headless")
    folder = tempfile.mkdtemp(prefix="windfall-spark-")
    try:
        # Java unpacks libraries into its folder, and leaves them there when it is killed.
        java = {f"spark.{part}.extraJavaOptions": _java(folder) for part in ("driver", "executor")}
        settings = {"spark.local.dir": folder, "spark.driver.maxResultSize": result_size, **java}
        with _spark_cluster(folder) as master, _spark_session(master, settings) as session:
            yield Engine(
                session,
                _spark_workers,
                also=lambda: [session.sparkContext],
                refused=lambda: [session.read],
                held=lambda: len(os.listdir(session.sparkContext._temp_dir)),
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _java(folder):
    return f"-Djava.io.tmpdir={folder}"


@contextlib.contextmanager
def _spark_cluster(folder):
    """A master and a worker on this machine."""
    import pyspark

    home = os.path.dirname(pyspark.__file__)
    command = os.path.join(home, "bin", "spark-class")
    folders = {key: folder for key in ("SPARK_LOG_DIR", "SPARK_WORKER_DIR")}
    environment = {**os.environ, "SPARK_HOME": home, "SPARK_LOCAL_IP": "127.0.0.1", **folders}
    environment["SPARK_DAEMON_JAVA_OPTS"] = _java(folder)
    port = free_port()
    url = f"spark://127.0.0.1:{port}"
    here = ["--host", "127.0.0.1", "--webui-port", "0"]
    roles = [
        ["master.Master", *here, "--port", str(port)],
        ["worker.Worker", *here, "-c", str(WORKERS), "-m", "1g", url],
    ]
    started = []
    try:
        for name, *arguments in roles:
            process = subprocess.Popen(
                [command, f"org.apache.spark.deploy.{name}", *arguments],
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            started.append(process)
            wait_for_port(port)
        yield url
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(timeout=30)


SPARK = {
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.executor.memory": "600m",
    "spark.sql.shuffle.partitions": "4",
    "spark.default.parallelism": str(WORKERS),
}


@contextlib.contextmanager
def _spark_session(master, settings):
    import pyspark
    from pyspark.sql import SparkSession

    os.environ.update(SPARK_LOCAL_IP="127.0.0.1", PYSPARK_PYTHON=sys.executable)
    builder = SparkSession.builder.master(master).appName("windfall tests")
    for key, value in {**SPARK, **settings}.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    try:
        yield session
    finally:
        session.stop()
        gateway = pyspark.SparkContext._gateway
        gateway.shutdown()
        if getattr(gateway, "proc", None) is not None:
            gateway.proc.stdin.close()
            gateway.proc.wait(timeout=30)
        pyspark.SparkContext._gateway = pyspark.SparkContext._jvm = None


def _spark_workers():
    """The executors: with one dies a whole process of Java and its workers of Python."""
    import psutil

    found = []
    for process in psutil.process_iter(["pid", "cmdline"]):
        line = process.info["cmdline"] or []
        if "org.apache.spark.executor.CoarseGrainedExecutorBackend" in line:
            found.append(process.info["pid"])
    return found


def wait_for_port(port, seconds=30):
    deadline = time.monotonic() + seconds
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if time.monotonic() > deadline:
            raise TimeoutError(f"nothing listens on port {port} after {seconds} s")
        time.sleep(0.1)


ENGINES = {
    "threads": threads,
    "processes": processes,
    "loky": loky,
    "joblib": joblib,
    "dask": dask,
    "ray": ray,
    "spark": spark,
}
