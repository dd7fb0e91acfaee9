"""Clusters, as IPython Parallel starts and stops them."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

from .._cluster import cluster as core
from .._cluster.errors import ClusterError
from .client import Client, running_clusters

_INFORMATION = (
    "controller",
    "engines",
    "profile_dir",
    "controller_ip",
    "controller_location",
    "delay",
    "log_level",
    "shutdown_atexit",
    "send_engines_connection_env",
    "parent",
    "config",
    "log",
    "load_profile",
    "controller_args",
    "engine_launcher_class",
    "controller_launcher_class",
)
"""Arguments that speak of launchers and networks and mean nothing here."""


class Cluster:
    """A controller and engines on this machine.

    Every method that takes time is a coroutine and has a twin that ends in `_sync`.

    Parameters
    ----------
    n : int, optional
        How many engines; as many as there are cores without it.
    cluster_id, profile : str, optional
        The name by which `Client(cluster_id=…)` finds it.
    engine_timeout : float
        How long the engines may take to start, in seconds.
    **other
        What else IPython Parallel takes for its launchers and networks is not looked at.

    Attributes
    ----------
    controller
        Windfall's own cluster; None before the start and after the stop.
    engines : dict
        The numbers of the engines by the names of the sets that were started together.
    """

    def __init__(
        self,
        n: int | None = None,
        *,
        cluster_id: str | None = None,
        profile: str | None = None,
        engine_timeout: float = 60.0,
        environment: dict[str, str] | None = None,
        **other: Any,
    ) -> None:
        for name in other:
            if name not in _INFORMATION:
                raise TypeError(f"`Cluster` has no argument `{name}`")
        self.n, self.cluster_id, self.profile = n, cluster_id, profile
        self.engine_timeout = engine_timeout
        self.controller: core.Cluster | None = None
        self.engines: dict[str, list[int]] = {}
        self._environment = environment
        self._is_attached = False
        self._client: Client | None = None

    def __repr__(self) -> str:
        running = ", controller=<running>" if self._name() in running_clusters() else ""
        sets = f", engine_sets={list(self.engines)}" if self.engines else ""
        return f"<Cluster(cluster_id={self._name()!r}{running}{sets})>"

    def _name(self) -> str | None:
        if self.controller is not None:
            return self.controller.name
        return self.cluster_id or self.profile

    def _started(self) -> str:
        name = self._name()
        if name is None or (self.controller is None and not self._is_attached):
            raise ClusterError("the cluster is not started", "`cluster.start_cluster_sync()`")
        return name

    @classmethod
    def from_file(
        cls, cluster_file: Any = None, *, cluster_id: str = "", profile: str = "", **_: Any
    ) -> Cluster:
        """Return a cluster that runs, found by its name: nothing is kept in files."""
        running = running_clusters()
        name = cluster_id or profile or (cluster_file and str(cluster_file))
        if not name and len(running) == 1:
            name = running[0]
        if not name or name not in running:
            raise FileNotFoundError(f"there is no cluster `{name}`; there run {running}")
        found = cls(cluster_id=name)
        found._is_attached = True
        return found

    @classmethod
    def from_dict(cls, described: dict[str, Any], **_: Any) -> Cluster:
        """Return the running cluster that `to_dict` described."""
        return cls.from_file(cluster_id=described["cluster"]["cluster_id"])

    def to_dict(self) -> dict[str, Any]:
        """Return what another process needs to find it."""
        return {"cluster": {"cluster_id": self._started(), "engines": self.engines}}

    # Starting.

    def start_cluster_sync(self, n: int | None = None) -> Cluster:
        """Start the controller and the engines."""
        if self.controller is not None:
            raise RuntimeError("the cluster runs")
        self.controller = core.Cluster(
            self.n if n is None else n,
            self.cluster_id or self.profile,
            environment=self._environment,
            timeout_s=self.engine_timeout,
        )
        self.cluster_id = self.controller.name
        self.engines = {"engines": self.controller.client.ids}
        return self

    async def start_cluster(self, n: int | None = None) -> Cluster:
        """Start the controller and the engines."""
        return await asyncio.to_thread(self.start_cluster_sync, n)

    def connect_client_sync(self, **kwargs: Any) -> Client:
        """Return a client of the cluster."""
        return Client(cluster=self, **kwargs)

    async def connect_client(self, **kwargs: Any) -> Client:
        """Return a client of the cluster."""
        return self.connect_client_sync(**kwargs)

    def start_and_connect_sync(self, n: int | None = None, activate: bool = False) -> Client:
        """Start the cluster and return a client whose engines are ready."""
        if self.controller is None and not self._is_attached:
            self.start_cluster_sync(n)
        client = self.connect_client_sync()
        client.wait_for_engines(n or self.n, timeout=self.engine_timeout)
        if activate:
            client.activate()
        return client

    async def start_and_connect(self, n: int | None = None, activate: bool = False) -> Client:
        """Start the cluster and return a client whose engines are ready."""
        return await asyncio.to_thread(self.start_and_connect_sync, n, activate)

    # Engines.

    def _owner(self) -> Any:
        """Return Windfall's own client of the cluster."""
        if self.controller is not None:
            return self.controller.client
        if self._client is None:
            self._client = self.connect_client_sync()
        return self._client.core

    def start_engines_sync(self, n: int | None = None, engine_set_id: str | None = None) -> str:
        """Start more engines, as a set with a name; return the name."""
        name = engine_set_id or f"engines-{len(self.engines) + 1}"
        self.engines[name] = self._owner().add_engines(n or self.n or 1, self.engine_timeout)
        return name

    async def start_engines(self, n: int | None = None, engine_set_id: str | None = None) -> str:
        """Start more engines, as a set with a name; return the name."""
        return await asyncio.to_thread(self.start_engines_sync, n, engine_set_id)

    def _set(self, engine_set_id: str | None) -> list[int]:
        if engine_set_id is not None:
            return self.engines[engine_set_id]
        found: list[int] = self._owner().ids
        return found

    def stop_engines_sync(self, engine_set_id: str | None = None) -> None:
        """End the engines of a set, or all, for good."""
        self._owner().shutdown(self._set(engine_set_id))
        if engine_set_id is None:
            self.engines.clear()
        else:
            del self.engines[engine_set_id]

    async def stop_engines(self, engine_set_id: str | None = None) -> None:
        """End the engines of a set, or all, for good."""
        await asyncio.to_thread(self.stop_engines_sync, engine_set_id)

    def restart_engine_sync(self, engine_id: int) -> None:
        """Replace an engine by a fresh one of the same number."""
        self._owner().restart([engine_id])

    async def restart_engine(self, engine_id: int) -> None:
        """Replace an engine by a fresh one of the same number."""
        await asyncio.to_thread(self.restart_engine_sync, engine_id)

    def restart_engines_sync(self, engine_set_id: str | None = None) -> None:
        """Replace the engines of a set, or all, by fresh ones of the same numbers."""
        self._owner().restart(self._set(engine_set_id))

    async def restart_engines(self, engine_set_id: str | None = None) -> None:
        """Replace the engines of a set, or all, by fresh ones of the same numbers."""
        await asyncio.to_thread(self.restart_engines_sync, engine_set_id)

    def signal_engines_sync(
        self, signum: int = signal.SIGINT, engine_set_id: str | None = None
    ) -> None:
        """Send a signal to the engines of a set, or to all."""
        self._owner().signal(int(signum), self._set(engine_set_id))

    async def signal_engines(
        self, signum: int = signal.SIGINT, engine_set_id: str | None = None
    ) -> None:
        """Send a signal to the engines of a set, or to all."""
        self.signal_engines_sync(signum, engine_set_id)

    # Stopping.

    def stop_cluster_sync(self) -> None:
        """End the engines and the controller."""
        if self.controller is not None:
            self.controller.stop()
        elif self._is_attached and self._name() in running_clusters():
            self._owner().shutdown()
        self.controller, self._is_attached, self.engines = None, False, {}

    async def stop_cluster(self) -> None:
        """End the engines and the controller."""
        await asyncio.to_thread(self.stop_cluster_sync)

    def __enter__(self) -> Client:
        self._client = self.start_and_connect_sync()
        return self._client

    def __exit__(self, *_: object) -> None:
        if self._client is not None:
            self._client.close()
        self.stop_cluster_sync()

    async def __aenter__(self) -> Client:
        return await asyncio.to_thread(self.__enter__)

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.__exit__)
