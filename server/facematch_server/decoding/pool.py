"""The service's side: decoders kept ready, each photo given to one, and those that take too long ended and replaced."""

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
from facematch_server.decoding import forkserver, protocol
from facematch_server.decoding.errors import DecoderError, OutOfTimeError
from facematch_server.decoding.limits import DecoderLimits
from facematch_server.decoding.processes import BlamelessError, Command, Decoder, EndedError, ForkServer
from facematch_server.logs import LOGGER, log

# An ordinary photo is decoded in less. What takes longer steps aside for other requests, ...
ASIDE_SECONDS: Final = 0.1
# ... and what takes this long leaves its core to others.
PATIENCE: Final = 0.5
# A decoder that ended between photos, or with the fork server, is no photo's fault.
_TRIES: Final = 3
# Photos by one decoder; then a fresh one, so that what native code leaks or scatters does not add up.
_PHOTOS: Final = 2000

Aside = Callable[[], AbstractContextManager[object]]


class DecoderPool:
    """Decodes photos in processes that can be ended. Safe to use from several threads."""

    def __init__(
        self,
        limits: DecoderLimits,
        keep: int,
        most: int,
        large_photo: threading.Lock,
        command: Command = forkserver.command,
    ) -> None:
        """Take what a pool needs, and start the fork server; its imports run beside the caller's own start.

        Args:
            limits: what decoders work under.
            keep: decoders kept ready.
            most: decoders at once, beyond `keep` while photos take long.
            large_photo: held while a large photo is unpacked whole.
            command: runs the fork server, see `forkserver.command`.
        """
        self._limits = limits
        self._keep = keep
        self._most = most
        self._large_photo = large_photo
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
        """The fork server's process, whose children the decoders are."""
        return self._server.pid

    @property
    def alive(self) -> int:
        """Decoders, idle ones included."""
        return self._alive

    @property
    def ended(self) -> int:
        """Decoders that were ended or ended themselves in the middle of a photo."""
        return self._ended

    def wait_until_ready(self) -> None:
        """Wait for the fork server, and start the decoders that are kept ready; the second time, do nothing.

        Raises:
            DecoderError: it does not start.
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
            deadline: on the clock of `time.monotonic`; then its decoder is ended.
            aside: entered once the photo turns out to take long, and left before this returns.

        Raises:
            NoContentError, ImageFormatError: as `images.decode` raises them; also when the photo takes more memory or
                CPU time than photos do, or crashes its decoder.
            OutOfTimeError: the deadline passed.
            DecoderError: decoders cannot be started, or the pool was closed.
        """
        check_size(data, self._limits.image)
        for _ in range(_TRIES):
            try:
                return self._decode(data, deadline, aside)
            except BlamelessError:
                self._forget_idle()
        raise DecoderError("photos cannot be decoded: the decoders or their fork server end again and again")

    def close(self) -> None:
        """End all decoders at once, busy ones too: who waits for one gets a `DecoderError`."""
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
            except protocol.ProtocolError:
                self._end(decoder)
                LOGGER.warning("decoder ended: it answered as none does")
        raise ImageFormatError("the photo cannot be decoded (its decoder ended)")

    def _converse(self, decoder: Decoder, data: bytes, deadline: float | None, aside: Aside, held: ExitStack) -> Photo:
        decoder.photos += 1
        decoder.worn = decoder.photos >= _PHOTOS
        decoder.send_photo(data)
        begun = time.monotonic()
        stepped_aside = yielded = has_turn = False
        while True:
            patience = ASIDE_SECONDS if not stepped_aside else PATIENCE
            try:
                message, files = decoder.receive(_earliest(deadline, None if yielded else begun + patience))
            except TimeoutError:
                if yielded or _over(deadline):
                    raise
                message, files = b"", []
                if stepped_aside:
                    yielded = decoder.worn = True  # niceness cannot be taken back
                    self._server.order(protocol.YIELD, decoder.number)
            kind = message[:1]
            if kind == protocol.PIXELS and files:
                return protocol.photo_from(message, files[0], self._limits.image, decoder.slot_in_use())
            for handle in files:
                os.close(handle)
            if kind == protocol.REFUSED:
                raise ImageFormatError(message[1:].decode("utf-8", "replace"))
            if kind and (kind != protocol.TURN or has_turn):
                raise protocol.ProtocolError
            if not stepped_aside:
                held.enter_context(aside())
                stepped_aside = True
            if kind == protocol.TURN:
                held.enter_context(self._turn(deadline))
                has_turn = True
                decoder.send(protocol.GO)

    @contextmanager
    def _turn(self, deadline: float | None) -> Iterator[None]:
        timeout = -1.0 if deadline is None else max(deadline - time.monotonic(), 0.0)
        if not self._large_photo.acquire(timeout=timeout):
            raise TimeoutError
        try:
            yield
        finally:
            self._large_photo.release()

    @contextmanager
    def _decoder(self, deadline: float | None) -> Iterator[Decoder]:
        """A decoder of one's own; afterwards it is kept, or let go if it is worn or one too many."""
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
        self._server.order(protocol.KILL, decoder.number)
        with contextlib.suppress(BlamelessError):
            decoder.status()  # once it is known, the work is over

    def _explain(self, code: int) -> None:
        if self._closed:
            raise DecoderError("the decoders were closed")
        if code == -signal.SIGPROF:
            log("decoder ended: the photo took more CPU time than photos do")
            raise ImageFormatError("the photo takes too long to decode")
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        LOGGER.warning("decoder ended %s", how)


def _earliest(*times: float | None) -> float | None:
    return min((time for time in times if time is not None), default=None)


def _over(deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() >= deadline
