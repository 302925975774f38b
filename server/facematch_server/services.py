"""What requests share: built when the service starts, taken down when it stops."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from starlette.requests import HTTPConnection

from facematch_local.cpu import available_cpus
from facematch_local.imaging.photo import ImageLimits, Photo
from facematch_server.access.gatekeeper import RESERVATION_SLACK_SECONDS, Gatekeeper, Key, KeyStore
from facematch_server.access.readiness import StorageProbe
from facematch_server.matching.comparer import Comparer, Matcher, MatcherComparer
from facematch_server.matching.pool import Cores, InferencePool
from facematch_server.matching.shares import Shares
from facematch_server.metrics import Metrics
from facematch_server.settings import Settings
from facematch_server.store.hashing import CONCURRENT_SCRYPT

if TYPE_CHECKING:
    from facematch_server.decoding.pool import DecoderPool
    from facematch_server.store import Store


class PhotoFetcher(Protocol):
    """What the service needs of `fetch.Fetcher`."""

    async def fetch(self, url: str) -> bytes: ...
    async def aclose(self) -> None: ...


@dataclass(slots=True)
class Services:
    """What requests share.

    Attributes:
        settings: the options.
        matcher: compares photos.
        store: keys and quotas.
        fetcher: gets photos by URL.
        gatekeeper: admits requests.
        storage: whether the database works.
        pool: runs CPU-bound work.
        metrics: counts.
        comparer_for: who answers the requests of a key; by default the matcher answers all.
        draining: set on the way down; `/readyz` says so.
    """

    settings: Settings
    matcher: Matcher
    store: KeyStore
    fetcher: PhotoFetcher
    gatekeeper: Gatekeeper
    storage: StorageProbe
    pool: InferencePool
    metrics: Metrics
    comparer_for: Callable[[Key], Comparer]
    draining: bool = False


def close_services(services: Services) -> None:
    """End the threads."""
    services.pool.close()
    services.gatekeeper.close()
    services.storage.close()


def services_of(request: HTTPConnection) -> Services:
    """The services of the app that `request` came to."""
    services: Services = request.app.state.services
    return services


def image_limits(settings: Settings) -> ImageLimits:
    """Limits on photos, from the options."""
    return ImageLimits(max_bytes=settings.max_image_bytes, max_pixels=settings.max_image_pixels)


def start_decoders(settings: Settings, cores: Cores) -> DecoderPool | None:
    """Start the processes that decode photos; None where this process is to do so. They need not be ready yet."""
    from facematch_server.decoding.opening import open_decoders

    return open_decoders(settings.decode_processes, image_limits(settings), cores, settings.threads or cores.count)


def photo_decoder(settings: Settings, cores: Cores, decoders: DecoderPool | None) -> Callable[[bytes], Photo]:
    """How photos are decoded: by `decoders`, or in the calling thread."""
    from facematch_server.decoding.opening import decode_for_jobs

    return decode_for_jobs(decoders, image_limits(settings), cores)


def open_matcher(settings: Settings, cores: Cores, decoder: Callable[[bytes], Photo] | None = None) -> Matcher:
    """Load the models as the options say.

    Args:
        settings: the options.
        cores: shared with the service.
        decoder: decodes photos; default in the calling thread.

    Raises:
        PackError: the pack is missing or damaged.
        PolicyError: the policy file is wrong.
    """
    from facematch_local.matcher import FaceMatcher
    from facematch_local.packs import SessionSettings, find_pack, load_pack
    from facematch_local.policy import load_policy
    from facematch_local.spare import SpareThreads

    folders = _search_folders(settings.models)
    # One thread per inference: requests run side by side instead of fighting for cores.
    pack = load_pack(find_pack(settings.pack, folders), SessionSettings(intra_op_threads=1))
    policy = load_policy(settings.policy) if settings.policy else None
    spare = SpareThreads(cores.count, cores)
    return FaceMatcher(pack, policy, image_limits(settings), spare, cores.large_photo, decoder)


def open_store(settings: Settings) -> Store:
    """Open the database of keys.

    Raises:
        StoreError: it cannot be reached, or its schema is not of this version.
    """
    from facematch_server.store import Store

    return Store.open(settings.store_url)


def open_fetcher(settings: Settings) -> PhotoFetcher:
    """Get photos by URL as the options say."""
    from facematch_server.url_mode.fetch import Fetcher, FetchLimits, UrlPolicy

    policy = UrlPolicy(settings.url_policy, allow=settings.url_allow, loopback_only=settings.listens_on_loopback_only)
    limits = FetchLimits(
        max_bytes=settings.max_image_bytes,
        connect_seconds=settings.url_connect_seconds,
        total_seconds=settings.url_seconds,
    )
    return Fetcher(policy, limits)


def build_services(
    settings: Settings,
    cores: Cores,
    matcher: Matcher,
    store: KeyStore,
    fetcher: PhotoFetcher,
    comparer_for: Callable[[Key], Comparer] | None = None,
    decoders: DecoderPool | None = None,
) -> Services:
    """Put the parts together."""
    metrics = Metrics()
    warn_if_uncalibrated(matcher)
    warn_of_notice(matcher)
    pool = InferencePool(
        cores, settings.threads or cores.count, settings.queue_size, Shares(settings.key_share, settings.address_share)
    )
    comparer = MatcherComparer(matcher)
    services = Services(
        settings=settings,
        matcher=matcher,
        store=store,
        fetcher=fetcher,
        gatekeeper=Gatekeeper(
            store,
            settings.deadline_seconds + RESERVATION_SLACK_SECONDS,
            settings.auth_failure_status,
            settings.database_seconds,
            hashes_at_once(cores),
        ),
        storage=StorageProbe(store, settings.database_seconds),
        pool=pool,
        metrics=metrics,
        comparer_for=comparer_for or (lambda _: comparer),
    )
    metrics.describe_pack(pack_labels(matcher))
    metrics.watch("facematch_places_taken", "Requests in the house: reading, waiting or running", lambda: pool.taken)
    metrics.watch("facematch_places", "Requests that fit in the house", lambda: pool.places)
    metrics.watch("facematch_waiting", "Requests waiting for a thread", lambda: pool.waiting)
    metrics.watch("facematch_threads_computing", "Threads decoding or inferring", lambda: cores.busy)
    if decoders is not None:
        metrics.watch("facematch_decoders", "Processes that decode photos", lambda: decoders.alive)
        metrics.watch(
            "facematch_decoders_ended", "Of these, ended in the middle of a photo so far", lambda: decoders.ended
        )
    metrics.watch("facematch_draining", "1 while the service is going down", lambda: float(services.draining))
    return services


def hashes_at_once(cores: Cores) -> int:
    """Slow hashes at once: no more than half of the cores, since strangers can ask for them without a key."""
    return max(min(CONCURRENT_SCRYPT, cores.count // 2), 1)


def new_cores(settings: Settings) -> Cores:
    """The cores the service may use."""
    return Cores(settings.threads or available_cpus())


def warn_if_uncalibrated(matcher: Matcher) -> None:
    """Say it in the log when no data of the pack stand behind its percents."""
    loaded: Any = matcher.pack
    if not is_calibrated(matcher):
        logging.getLogger(__name__).warning(
            "pack %s is uncalibrated: its percents come from the generic curve, which rather says no; "
            "make a curve with `facematch calibrate`",
            loaded.pack.name,
        )


def warn_of_notice(matcher: Matcher) -> None:
    """Say in the log what an operator should know of the choice of the pack."""
    notice = notice_of(matcher)
    if notice:
        logging.getLogger(__name__).warning("%s", notice)


def notice_of(matcher: Matcher) -> str:
    """What an operator should know of the choice of the pack, "" for nothing."""
    loaded: Any = matcher.pack
    return str(getattr(loaded.pack, "notice", ""))


def is_calibrated(matcher: Matcher) -> bool:
    """Whether data of the pack stand behind its percents."""
    loaded: Any = matcher.pack
    return bool(getattr(loaded.calibration, "calibrated", True))


def pack_labels(matcher: Matcher) -> dict[str, str]:
    """Name, version and calibration of the pack, and the version of the policy."""
    loaded: Any = matcher.pack
    return {
        "name": str(loaded.pack.name),
        "version": str(loaded.pack.version),
        "calibration": str(loaded.calibration.id),
        "policy": str(matcher.policy.version),
    }


def _search_folders(models: str) -> Any:
    from facematch_local.packs import search_folders

    return search_folders({"FACEMATCH_MODELS": models}) if models else None
