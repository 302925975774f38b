"""uvicorn's HTTP/1.1 protocol for untrusted clients: input is normalised and bounded before h11 parses it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from facematch_server.http.http1 import BadMessageError
from facematch_server.running.raw_replies import raw_failure
from facematch_server.running.request_stream import RequestStream
from facematch_server.running.turns import Turns


class LimitedH11Protocol(H11Protocol):
    """uvicorn's HTTP/1.1 protocol with time limits outside requests.

    A request in flight has its own limits (the time for its body, the deadline). This class limits the rest: a head
    that does not end, counted from the moment when the connection was accepted; bytes that a client sends after its
    reply; a reply that a client does not read.

    Attributes:
        closed: set when the connection is closed.
    """

    head_seconds: float = 10.0
    linger_seconds: float = 15.0
    write_seconds: float = 30.0
    turns: Turns

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.closed = asyncio.Event()
        # asyncio creates the protocol when it accepts a connection, and calls it after the TLS handshake.
        self._accepted = self.loop.time()
        self._stream = RequestStream()
        self._real: asyncio.Transport = None  # type: ignore[assignment]
        self._overdue: asyncio.TimerHandle | None = None
        self._sending: asyncio.TimerHandle | None = None
        self._head_clock = True
        self._discarding = False
        self._pumping = False
        self._refused = False
        self._lingering = False
        self._client_ended = False

    # -- called by asyncio -------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin. The clock of the first head has run since the connection was accepted."""
        self._real = transport
        super().connection_made(_Closable(transport, self._close))  # type: ignore[arg-type]
        self._wait(max(self.head_seconds - (self.loop.time() - self._accepted), 0.0))

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the timers."""
        self._wait(None)
        if self._sending is not None:
            self._sending.cancel()
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        self.closed.set()

    def data_received(self, data: bytes) -> None:
        """Receive bytes. On a kept connection, the clock of a head starts with its first byte."""
        if self.transport.is_closing():
            return
        if self._stream.between_requests and not self._stream.waiting and self._ready:
            self._unset_keepalive_if_required()
            self._forget_sent()
            if not self._head_clock:
                self._head_clock = True
                self._wait(self.head_seconds)
        self._stream.feed(data)
        if not self._pumping:
            self._advance()

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """The client closed its sending side. If its request is complete, the reply is still sent."""
        self._client_ended = True
        if self._lingering:
            return None
        # asyncio cannot keep half of a TLS connection open.
        return (self._pumping or self._body_is_here) and self.scheme != "https"

    def pause_writing(self) -> None:
        """The client reads more slowly than the service writes."""
        super().pause_writing()
        self._watch_sending()

    # -- called by uvicorn -------------------------------------------------------------------------

    def on_response_complete(self) -> None:
        """After the reply: wait a limited time for the rest of the body, then take the next request."""
        super().on_response_complete()
        if self._real.get_write_buffer_size():
            self._watch_sending()
        if self.transport.is_closing():
            return
        if not self._stream.between_requests:
            self._discarding = True
            self._wait(self.linger_seconds)
        elif self._stream.waiting and not self._pumping:
            # The next request has already arrived; other connections go first.
            self._pumping = True
            self._real.pause_reading()
            self.turns.ask(self._advance)
        if not self._pumping:
            self._advance()

    def send_400_response(self, msg: str) -> None:
        """Reply in the contract's envelope that this is not HTTP."""
        self._refuse(400, msg)

    def shutdown(self) -> None:
        """The service stops: close waiting connections, finish requests in flight."""
        if self.transport.is_closing():
            self._real.close()
            return
        with contextlib.suppress(h11.LocalProtocolError):
            super().shutdown()

    def _unsupported_upgrade_warning(self) -> None:
        # Java's client offers HTTP/2 with every request; ignore it without a log line.
        pass

    # -- input -----------------------------------------------------------------------------------

    @property
    def _ready(self) -> bool:
        """Whether h11 expects a request."""
        return self.conn.our_state is h11.IDLE and self.conn.their_state is h11.IDLE

    @property
    def _under_way(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    @property
    def _body_is_here(self) -> bool:
        return self._under_way and self._stream.between_requests

    def _advance(self) -> None:
        """Pass input on: one head, or as much of a body as one pass of the event loop should take."""
        self._pumping = False
        if self.transport.is_closing():
            return
        try:
            while not self._stream.between_requests or self._ready:
                chunked = self._stream.in_chunks
                data = self._stream.take()
                if not data:
                    break
                super().data_received(data)
                if self.transport.is_closing():
                    return
                if chunked and self._stream.waiting:
                    self._pumping = True
                    self.loop.call_soon(self._advance)
                    break
        except BadMessageError as error:
            self._refuse(error.status, error.message)
            return
        self._settle()

    def _settle(self) -> None:
        """Pause or resume reading, start the right clock, and close if the client has ended without a whole request."""
        if self._under_way:
            self._head_clock = self._discarding = False
            self._wait(None)
        elif self._client_ended and not self._pumping:
            self.transport.close()
            return
        elif self._discarding and self._stream.between_requests:
            self._discarding = False
            self._wait(float(self.timeout_keep_alive))
        held = self._pumping or (self._stream.between_requests and bool(self._stream.waiting) and not self._ready)
        if held:
            self._real.pause_reading()
        elif not self.flow.read_paused:
            self._real.resume_reading()

    def _refuse(self, status: int, message: str) -> None:
        """Reply to input that h11 cannot parse, in the envelope, and end the connection."""
        in_body = not self._stream.between_requests and self.conn.their_state is not h11.ERROR
        answered = in_body and self.cycle.response_started
        if self._under_way:
            # A request that waits for the rest of the body learns that the client is gone.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if not answered:
            self._real.write(raw_failure(status, message))
        self._refused = True
        self.transport.close()

    # -- the end -----------------------------------------------------------------------------------

    def _close(self) -> None:
        """Close. If the client still sends, read on first: input on a closed socket resets the connection, and the
        reply is lost."""
        if self._real.is_closing() or self._lingering:
            return
        self._unset_keepalive_if_required()
        unread = not self._stream.between_requests or self._stream.waiting
        if (self._refused or unread) and not self._client_ended:
            self._lingering = True
            if self._real.can_write_eof():
                self._real.write_eof()
            self._real.resume_reading()
            self._wait(self.linger_seconds)
        else:
            self._real.close()
        if self._real.get_write_buffer_size():
            self._watch_sending()

    def _wait(self, seconds: float | None) -> None:
        if self._overdue is not None:
            self._overdue.cancel()
        self._overdue = None if seconds is None else self.loop.call_later(seconds, self._give_up)

    def _give_up(self) -> None:
        self._overdue = None
        self._real.close()
        if self._real.get_write_buffer_size():
            self._watch_sending()

    def _watch_sending(self) -> None:
        if self._sending is None:
            self._sending = self.loop.call_later(self.write_seconds, self._check_sent)

    def _check_sent(self) -> None:
        self._sending = None
        if self._real.get_write_buffer_size():
            self._real.abort()

    def _forget_sent(self) -> None:
        if self._sending is not None and not self._real.get_write_buffer_size():
            self._sending.cancel()
            self._sending = None


class _Closable:
    """A transport whose `close` belongs to the protocol; everything else is the transport's."""

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        self._transport = transport
        self._close = close
        self._closed = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def close(self) -> None:
        """Close through the protocol."""
        self._closed = True
        self._close()

    def is_closing(self) -> bool:
        """Whether it was closed."""
        return self._closed or self._transport.is_closing()


def limited_protocol(head_seconds: float, linger_seconds: float, write_seconds: float) -> type[LimitedH11Protocol]:
    """A protocol class with these limits; uvicorn creates the instances."""
    limits = {"head_seconds": head_seconds, "linger_seconds": linger_seconds, "write_seconds": write_seconds}
    return type("ConfiguredH11Protocol", (LimitedH11Protocol,), {**limits, "turns": Turns()})
