"""The parts that requests share. `assembly` builds them when the service starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from starlette.requests import HTTPConnection

from facematch_server.access.gatekeeper import Gatekeeper
from facematch_server.access.key_store import KeyStore
from facematch_server.access.readiness import StorageProbe
from facematch_server.matching.comparer import Comparer, Matcher
from facematch_server.matching.pool import InferencePool
from facematch_server.metrics import Metrics
from facematch_server.settings import Settings
from facematch_server.store.records import ApiKey

ComparerFor = Callable[[ApiKey], Comparer]


class PhotoFetcher(Protocol):
    """The part of `url_mode.fetch.Fetcher` that the service uses."""

    async def fetch_both(self, url1: str, url2: str, deadline: float) -> tuple[bytes, bytes]: ...
    async def aclose(self) -> None: ...


@dataclass(slots=True)
class Services:
    """The parts that requests share.

    Attributes:
        settings: the options.
        matcher: compares photos.
        store: keys and quotas.
        fetcher: fetches photos by URL.
        gatekeeper: admits requests.
        storage: checks the database.
        pool: runs CPU-bound work.
        metrics: counts.
        comparer_for: the comparer for each key; by default the same for all.
        draining: True while the service stops; `/readyz` reports it.
    """

    settings: Settings
    matcher: Matcher
    store: KeyStore
    fetcher: PhotoFetcher
    gatekeeper: Gatekeeper
    storage: StorageProbe
    pool: InferencePool
    metrics: Metrics
    comparer_for: ComparerFor
    draining: bool = False

    def close(self) -> None:
        """End the threads."""
        self.pool.close()
        self.gatekeeper.close()
        self.storage.close()


def services_of(request: HTTPConnection) -> Services:
    """The services of the application that received `request`."""
    services: Services = request.app.state.services
    return services
