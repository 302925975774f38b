"""Builds the parts that requests share, in the order of their needs, and closes them in the reverse order."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import anyio
import anyio.to_thread

from facematch_local.cpu import available_cpus
from facematch_local.imaging.photo import ImageLimits, Photo
from facematch_server.access.gatekeeper import RESERVATION_SLACK_SECONDS, Gatekeeper
from facematch_server.access.key_store import KeyStore
from facematch_server.access.readiness import StorageProbe
from facematch_server.logs import LOGGER, log
from facematch_server.matching.comparer import Matcher, MatcherComparer, warm_up
from facematch_server.matching.cores import Cores
from facematch_server.matching.pack_info import log_warnings, pack_labels
from facematch_server.matching.slot_shares import Shares
from facematch_server.matching.thread_pool import InferencePool
from facematch_server.metrics import Metrics
from facematch_server.scenarios.comparer import scenario_comparers
from facematch_server.scenarios.store import ScenarioStore
from facematch_server.services import ComparerFor, PhotoFetcher, Services
from facematch_server.settings import Settings
from facematch_server.shared_metrics import Combine
from facematch_server.store.hashing import CONCURRENT_SCRYPT

if TYPE_CHECKING:
    from facematch_local.packs import LoadedPack
    from facematch_local.policy import Policy
    from facematch_server.decoding.decoder_pool import DecoderPool
    from facematch_server.store import Store
    from facematch_server.store.rate import RateLimiter

_END_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Parts:
    """Parts that the caller provides. Each None is built at the start and closed at the end.

    Attributes:
        cores: the cores that `matcher` shares with the service.
        matcher: compares photos.
        store: keys and quotas.
        fetcher: fetches photos by URL.
        comparer_for: the comparer for each key, instead of the matcher.
        decoders: the processes that decode for `matcher`; closed at the end. Without a matcher they are started as the
            settings say.
        metrics: counts; default those of this process only.
    """

    cores: Cores
    matcher: Matcher | None = None
    store: KeyStore | None = None
    fetcher: PhotoFetcher | None = None
    comparer_for: ComparerFor | None = None
    decoders: DecoderPool | None = None
    metrics: Metrics | None = None


@dataclass(frozen=True, slots=True)
class Models:
    """Loaded models.

    Attributes:
        pack: the pack.
        policy: limits of the checks; None for the shipped ones.
    """

    pack: LoadedPack
    policy: Policy | None


@asynccontextmanager
async def open_services(settings: Settings, parts: Parts) -> AsyncIterator[Services]:
    """Build what `parts` lacks, run the services, and close them.

    Raises:
        FacematchError: the pack, the policy or the database cannot be used.
    """
    async with AsyncExitStack() as stack:
        matcher, store, fetcher, decoders = parts.matcher, parts.store, parts.fetcher, parts.decoders
        if matcher is None and decoders is None:
            decoders = start_decoders(settings, parts.cores)
        decoder = photo_decoder(settings, parts.cores, decoders)
        # For a start that fails; in an orderly end `_end` closes them earlier.
        stack.callback(_close, decoders)
        if matcher is None:
            matcher = await anyio.to_thread.run_sync(open_matcher, settings, parts.cores, decoder)
        await anyio.to_thread.run_sync(warm_up, matcher)
        if decoders is not None:
            await anyio.to_thread.run_sync(decoders.wait_until_ready)
        if store is None:
            opened = await anyio.to_thread.run_sync(open_store, settings)
            stack.callback(opened.close)
            store = opened
        if fetcher is None:
            fetcher = open_fetcher(settings)
            stack.push_async_callback(fetcher.aclose)
        comparer = MatcherComparer(matcher)
        comparer_for = parts.comparer_for or (lambda _: comparer)
        if settings.scenarios:
            comparer_for = scenario_comparers(decoder, comparer_for)
            store = ScenarioStore(store)
            LOGGER.warning("scenarios are on: API keys that begin with 'scenario-' get synthetic replies")
        log_warnings(matcher)
        services = _services(settings, parts.cores, matcher, store, fetcher, comparer_for, parts.metrics or Metrics())
        _add_metrics(services, parts.cores, decoders)
        stack.push_async_callback(_end, services, decoders)
        provider = matcher.pack.execution.provider
        log(
            "ready", **pack_labels(matcher), provider=provider, threads=services.pool.threads, slots=services.pool.slots
        )
        yield services


def new_cores(settings: Settings) -> Cores:
    """The cores that the service may use."""
    return Cores(settings.threads or available_cpus())


def start_decoders(settings: Settings, cores: Cores) -> DecoderPool | None:
    """Start the processes that decode photos; None if this process decodes. They may not be ready yet."""
    from facematch_server.decoding.opening import open_decoders

    return open_decoders(settings.decode_processes, _image_limits(settings), cores, settings.threads or cores.count)


def photo_decoder(settings: Settings, cores: Cores, decoders: DecoderPool | None) -> Callable[[bytes], Photo]:
    """A function that decodes photos: in `decoders`, or in the calling thread."""
    from facematch_server.decoding.opening import decode_for_jobs

    return decode_for_jobs(decoders, _image_limits(settings), cores)


def open_matcher(settings: Settings, cores: Cores, decoder: Callable[[bytes], Photo] | None = None) -> Matcher:
    """Load the models.

    Args:
        settings: the options.
        cores: shared with the service.
        decoder: decodes photos; default in the calling thread.

    Raises:
        PackError: the pack is missing or damaged.
        PolicyError: the policy file is wrong.
        ProviderError: none of the asked execution providers can be used.
    """
    return matcher_of(load_models(settings), settings, cores, decoder)


def load_models(settings: Settings) -> Models:
    """Load the models and the policy; nothing of them belongs to one process.

    Raises:
        PackError: the pack is missing or damaged.
        PolicyError: the policy file is wrong.
        ProviderError: none of the asked execution providers can be used.
    """
    from facematch_local.packs import SessionSettings, find_pack, load_pack, search_folders
    from facematch_local.packs.arena import share_arena
    from facematch_local.policy import load_policy
    from facematch_local.providers import ProviderSettings

    share_arena()
    folders = search_folders({"FACEMATCH_MODELS": settings.models}) if settings.models else None
    threads = settings.threads or available_cpus()
    providers = ProviderSettings(settings.providers, settings.provider_cache, concurrent_runs=threads)
    # One thread per inference: requests run side by side instead of competing for cores.
    sessions = SessionSettings(intra_op_threads=1, providers=providers)
    pack = load_pack(find_pack(settings.pack, folders), sessions)
    return Models(pack, load_policy(settings.policy) if settings.policy else None)


def matcher_of(
    models: Models, settings: Settings, cores: Cores, decoder: Callable[[bytes], Photo] | None = None
) -> Matcher:
    """A matcher with loaded models; see `open_matcher`."""
    from facematch_local.matcher import FaceMatcher
    from facematch_local.spare_threads import SpareThreads

    spare = SpareThreads(cores.count, cores.take_if_idle, cores.give_back)
    return FaceMatcher(models.pack, models.policy, _image_limits(settings), spare, cores.large_photo_lock, decoder)


def open_store(settings: Settings, *, create: bool = True, rates: RateLimiter | None = None) -> Store:
    """Open the database of keys.

    Args:
        settings: the options.
        create: create an SQLite file that does not exist.
        rates: counts requests per minute; default in this process.

    Raises:
        StoreError: it cannot be reached, or its schema does not belong to this version.
    """
    from facematch_server.store import Store

    return Store.open(settings.store_url, create=create, connections=settings.database_connections, rates=rates)


def open_fetcher(settings: Settings) -> PhotoFetcher:
    """The fetcher of photos by URL."""
    from facematch_server.url_mode.allowed_hosts import UrlPolicy
    from facematch_server.url_mode.fetch import Fetcher, FetchLimits

    policy = UrlPolicy(settings.url_policy, allow=settings.url_allow, loopback_only=settings.listens_on_loopback_only)
    limits = FetchLimits(
        max_bytes=settings.max_image_bytes,
        connect_seconds=settings.url_connect_seconds,
        total_seconds=settings.url_seconds,
    )
    return Fetcher(policy, limits)


def hashes_at_once(cores: Cores) -> int:
    """Slow hashes at the same time: half of the cores at most, because clients without a key can cause them."""
    return max(min(CONCURRENT_SCRYPT, cores.count // 2), 1)


def _services(
    settings: Settings,
    cores: Cores,
    matcher: Matcher,
    store: KeyStore,
    fetcher: PhotoFetcher,
    comparer_for: ComparerFor,
    metrics: Metrics,
) -> Services:
    threads = settings.threads or cores.count
    shares = Shares(settings.key_share, settings.address_share)
    gatekeeper = Gatekeeper(
        store,
        settings.deadline_seconds + RESERVATION_SLACK_SECONDS,
        settings.auth_failure_status,
        settings.database_seconds,
        hashes_at_once(cores),
    )
    return Services(
        settings=settings,
        matcher=matcher,
        store=store,
        fetcher=fetcher,
        gatekeeper=gatekeeper,
        storage=StorageProbe(store, settings.database_seconds),
        pool=InferencePool(cores, threads, settings.queue_size, shares),
        metrics=metrics,
        comparer_for=comparer_for,
    )


def _add_metrics(services: Services, cores: Cores, decoders: DecoderPool | None) -> None:
    metrics, pool = services.metrics, services.pool
    metrics.describe_pack(pack_labels(services.matcher))
    metrics.watch("facematch_places_taken", "Requests in flight: receiving, queued or running", lambda: pool.in_flight)
    metrics.watch("facematch_places", "Largest number of requests in flight", lambda: pool.slots)
    metrics.watch("facematch_waiting", "Requests in flight that no thread works on", lambda: pool.waiting)
    metrics.watch("facematch_threads_computing", "Threads that decode or run models", lambda: cores.busy)
    if decoders is not None:
        metrics.watch("facematch_decoders", "Processes that decode photos", lambda: decoders.alive)
        text = "Decoding processes lost during a photo"
        metrics.watch("facematch_decoders_ended", text, lambda: decoders.ended, Combine.COUNT)
    text = "1 while the service stops, else 0"
    metrics.watch("facematch_draining", text, lambda: float(services.draining), Combine.MOST)


async def _end(services: Services, decoders: DecoderPool | None) -> None:
    """Close the decoders, then the threads, which wait for decoders.

    Runs in a thread, because the event loop must hear a second signal, and for a moment only: a thread in native code
    cannot be interrupted, and no request waits for it any more.
    """

    def close() -> None:
        _close(decoders)
        services.close()

    with anyio.move_on_after(_END_SECONDS):
        await anyio.to_thread.run_sync(close, abandon_on_cancel=True)


def _close(decoders: DecoderPool | None) -> None:
    if decoders is not None:
        decoders.close()


def _image_limits(settings: Settings) -> ImageLimits:
    return ImageLimits(max_bytes=settings.max_image_bytes, max_pixels=settings.max_image_pixels)
