"""The service's side: keeps decoders ready, gives each photo to one, and replaces the ones that take too long."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Final

from facematch_local.errors import ImageFormatError
from facematch_local.imaging.decode import check_size
from facematch_local.imaging.photo import Photo
from facematch_server.decoding import forkserver, messages
from facematch_server.decoding.errors import DecoderError, OutOfTimeError
from facematch_server.decoding.limits import DecoderLimits
from facematch_server.decoding.processes import BlamelessError, Command, Decoder, EndedError, ForkServer
from facematch_server.logs import LOGGER, log

# An ordinary photo takes less. After this time the job steps aside for other requests; ...
ASIDE_SECONDS: Final = 0.1
# ... after this time its decoder gets a lower priority.
PATIENCE: Final = 0.5
# Attempts if the decoder ends between photos or with the fork server, which is not the photo's fault.
_TRIES: Final = 3
# Photos for one decoder before it is replaced, so that leaks and fragmentation in native code do not add up.
_PHOTOS: Final = 2000

Aside = Callable[[], AbstractContextManager[object]]


class DecoderPool:
    """Decodes photos in processes that can be killed. Thread-safe."""

    def __init__(
        self,
        limits: DecoderLimits,
        keep: int,
        most: int,
        large_photo_lock: threading.Lock,
        command: Command = forkserver.command,
    ) -> None:
        """Start the fork server; its imports run while the caller continues.

        Args:
            limits: limits on the decoders.
            keep: decoders kept ready.
            most: largest number of decoders, more than `keep` while photos take long.
            large_photo_lock: held while a large photo is unpacked whole.
            command: runs the fork server, see `forkserver.command`.
        """
        self._limits = limits
        self._keep = keep
        self._most = most
        self._large_photo_lock = large_photo_lock
        self._command = command
        self._changed = threading.Condition()
        self._idle: list[Decoder] = []
        self._alive = 0
        self._ended = 0
        self._closed = False
        self._ready = False
        self._server = ForkServer(command, limits)

    @property
    def server_pid(self) -> int:
        """The process of the fork server, the parent of the decoders."""
        return self._server.pid

    @property
    def alive(self) -> int:
        """Number of decoders, idle ones included."""
        return self._alive

    @property
    def ended(self) -> int:
        """Number of decoders that ended, or were killed, during a photo."""
        return self._ended

    def wait_until_ready(self) -> None:
        """Wait for the fork server and start the decoders that are kept ready. A second call does nothing.

        Raises:
            DecoderError: the fork server does not start.
        """
        if self._ready:
            return
        self._server.wait_until_ready()
        self._ready = True
        decoders = []
        with self._changed:
            self._alive += self._keep
        try:
            decoders = [self._server.start_decoder() for _ in range(self._keep)]
        finally:
            with self._changed:
                self._alive -= self._keep - len(decoders)
                self._idle += decoders

    def decode(self, data: bytes, deadline: float | None = None, aside: Aside = nullcontext) -> Photo:
        """Decode a photo as `facematch_local.imaging.decode.decode` does.

        Args:
            data: the encoded photo.
            deadline: on the clock of `time.monotonic`; its decoder is killed then.
            aside: entered when the photo takes long, and left before this returns.

        Raises:
            NoContentError, ImageFormatError: as `imaging.decode.decode` raises them; also if the photo takes more
                memory or CPU time than allowed, or crashes its decoder.
            OutOfTimeError: the deadline passed.
            DecoderError: decoders cannot be started, or the pool was closed.
        """
        check_size(data, self._limits.image)
        for _ in range(_TRIES):
            try:
                return self._decode(data, deadline, aside)
            except BlamelessError:
                self._forget_idle()
        raise DecoderError("photos cannot be decoded: the decoders or their fork server end repeatedly")

    def close(self) -> None:
        """Kill all decoders, busy ones too; a caller that waits for one gets a `DecoderError`."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._server.close()

    def _decode(self, data: bytes, deadline: float | None, aside: Aside) -> Photo:
        with ExitStack() as held, self._decoder(deadline) as decoder:
            try:
                return self._converse(decoder, data, deadline, aside, held)
            except TimeoutError:
                self._end(decoder)
                log("decoder ended at the deadline")
                raise OutOfTimeError from None
            except EndedError as error:
                self._ended += 1
                self._explain(error.code)
            except messages.ProtocolError:
                self._end(decoder)
                LOGGER.warning("decoder ended: it broke the protocol")
        raise ImageFormatError("the photo cannot be decoded (its decoder ended)")

    def _converse(self, decoder: Decoder, data: bytes, deadline: float | None, aside: Aside, held: ExitStack) -> Photo:
        decoder.photos += 1
        decoder.worn = decoder.photos >= _PHOTOS
        decoder.send_photo(data)
        begun = time.monotonic()
        stepped_aside = yielded = has_lock = False
        while True:
            patience = ASIDE_SECONDS if not stepped_aside else PATIENCE
            try:
                message, files = decoder.receive(_earliest(deadline, None if yielded else begun + patience))
            except TimeoutError:
                if yielded or _over(deadline):
                    raise
                message, files = b"", []
                if stepped_aside:
                    yielded = decoder.worn = True  # niceness cannot be lowered again
                    self._server.order(messages.YIELD, decoder.number)
            kind = message[:1]
            if kind == messages.PIXELS and files:
                return messages.photo_from(message, files[0], self._limits.image, decoder.buffer_in_use())
            for handle in files:
                os.close(handle)
            if kind == messages.REFUSED:
                raise ImageFormatError(message[1:].decode("utf-8", "replace"))
            if kind and (kind != messages.WANTS_LOCK or has_lock):
                raise messages.ProtocolError
            if not stepped_aside:
                held.enter_context(aside())
                stepped_aside = True
            if kind == messages.WANTS_LOCK:
                held.enter_context(self._lock_for_large_photos(deadline))
                has_lock = True
                decoder.send(messages.GO)

    @contextmanager
    def _lock_for_large_photos(self, deadline: float | None) -> Iterator[None]:
        timeout = -1.0 if deadline is None else max(deadline - time.monotonic(), 0.0)
        if not self._large_photo_lock.acquire(timeout=timeout):
            raise TimeoutError
        try:
            yield
        finally:
            self._large_photo_lock.release()

    @contextmanager
    def _decoder(self, deadline: float | None) -> Iterator[Decoder]:
        """A decoder for the block; afterwards it is kept, or closed if it is worn or superfluous."""
        with self._changed:
            if not self._changed.wait_for(
                lambda: self._closed or self._idle or self._alive < self._most,
                None if deadline is None else max(deadline - time.monotonic(), 0.0),
            ):
                raise OutOfTimeError
            if self._closed:
                raise DecoderError("the decoders were closed")
            decoder = self._idle.pop() if self._idle else None
            self._alive += decoder is None
        try:
            if decoder is None:
                decoder = self._start()
            yield decoder
        finally:
            with self._changed:
                if decoder is not None and not decoder.gone and not decoder.worn and len(self._idle) < self._keep:
                    self._idle.append(decoder)
                else:
                    self._alive -= 1
                    if decoder is not None:
                        decoder.close()
                self._changed.notify()

    def _forget_idle(self) -> None:
        if not self._closed:
            LOGGER.warning("decoders ended between photos; starting others")
        with self._changed:
            self._alive -= len(self._idle)
            for decoder in self._idle:
                decoder.close()
            self._idle.clear()

    def _start(self) -> Decoder:
        try:
            return self._server.start_decoder()
        except OSError:
            raise DecoderError("no decoder can be started") from None

    def _end(self, decoder: Decoder) -> None:
        self._ended += 1
        self._server.order(messages.KILL, decoder.number)
        with contextlib.suppress(BlamelessError):
            decoder.status()  # its end is known now

    def _explain(self, code: int) -> None:
        if self._closed:
            raise DecoderError("the decoders were closed")
        if code == -signal.SIGPROF:
            log("decoder ended: the photo took too much CPU time")
            raise ImageFormatError("the photo takes too long to decode")
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        LOGGER.warning("decoder ended %s", how)


def _earliest(*times: float | None) -> float | None:
    return min((time for time in times if time is not None), default=None)


def _over(deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() >= deadline
