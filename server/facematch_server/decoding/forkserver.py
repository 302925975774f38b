"""The fork server: a process with one thread that has loaded the decoding code only; decoders are forks of it.

A process with threads and models, such as the service, must not be forked, and a new Python process for each decoder
would take a third of a second. The fork server ends with the service in every case, and the decoders end with it.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import selectors
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

import numpy as np

from facematch_local.imaging import decode as images
from facematch_local.imaging.photo import ImageLimits
from facematch_server.decoding import decoder, messages
from facematch_server.decoding.decoder import Decode
from facematch_server.decoding.limits import Allowance, DecoderLimits
from facematch_server.running.memory import keep_memory_level

# Niceness of a slow decoder: it gets a quarter to a tenth of a contended CPU.
_YIELDING: Final = 10
_MOST_FILES: Final = 65_536


def command(
    control: socket.socket,
    limits: DecoderLimits,
    program: Sequence[str] = ("-m", "facematch_server.decoding.forkserver"),
) -> list[str]:
    """The command that runs a fork server.

    Args:
        control: the fork server's end of the socket to the service; inherited.
        limits: limits on the decoders.
        program: the Python program; tests use another one that calls `main` with another decoder.
    """
    # -P: do not import from the folder in which the service was started.
    return [sys.executable, "-P", *program, str(control.fileno()), json.dumps(asdict(limits))]


def main(decode: Decode = images.decode) -> None:
    """Serve until the service ends.

    Args:
        decode: decodes photos, see `decoder.work`.
    """
    control = socket.socket(fileno=int(sys.argv[1]))
    given = json.loads(sys.argv[2])
    limits = DecoderLimits(ImageLimits(**given["image"]), Allowance(**given["ordinary"]), Allowance(**given["large"]))
    # An operator's signal reaches the whole group; accepted photos must still be decoded.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _load()
    try:
        control.send(messages.READY)
    except OSError:  # the service did not start
        return
    # Some libraries write remarks on a photo to standard error.
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    _ForkServer(control, decode, limits).serve()


def _load() -> None:
    import cv2

    keep_memory_level()
    cv2.setNumThreads(1)
    images.prepare()
    for format in (".png", ".jpg"):
        images.decode(cv2.imencode(format, np.full((16, 16, 3), 127, np.uint8))[1].tobytes())
    gc.collect()
    gc.freeze()  # so that garbage collections in the forks do not copy shared memory


class _ForkServer:
    def __init__(self, control: socket.socket, decode: Decode, limits: DecoderLimits) -> None:
        self._control = control
        self._decode = decode
        self._limits = limits
        self._pids: dict[int, int] = {}
        self._status: dict[int, int] = {}
        self._woken, self._wake = socket.socketpair()

    def serve(self) -> None:
        self._woken.setblocking(False)
        self._wake.setblocking(False)
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        with selectors.DefaultSelector() as selector:
            selector.register(self._control, selectors.EVENT_READ, self._obey)
            selector.register(self._woken, selectors.EVENT_READ, self._bury)
            while True:
                for key, _ in selector.select():
                    key.data()

    def _obey(self) -> None:
        message, files = messages.received(self._control, files=2)
        if not message:
            os._exit(0)  # the service has ended; the kernel kills the decoders
        kind, number = messages.ORDER.unpack(message)
        pid = self._pids.get(number)
        if kind == messages.START:
            self._fork(number, *files)
        elif pid is not None and kind == messages.KILL:
            os.kill(pid, signal.SIGKILL)
        elif pid is not None and kind == messages.YIELD:
            with contextlib.suppress(ProcessLookupError):
                os.setpriority(os.PRIO_PGRP, pid, _YIELDING)  # PRIO_PROCESS would apply to the first thread only

    def _fork(self, number: int, sock: int, status: int) -> None:
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            try:
                self._become_decoder(parent, sock)
            finally:
                os._exit(1)
        self._pids[number], self._status[pid] = pid, status
        os.close(sock)

    def _become_decoder(self, parent: int, handle: int) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.closerange(3, handle)
        os.closerange(handle + 1, _MOST_FILES)
        decoder.confine(parent, self._limits)
        decoder.work(socket.socket(fileno=handle), self._decode, self._limits)
        os._exit(0)

    def _bury(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._woken.recv(1024)
        for number, pid in list(self._pids.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if not ended:
                continue
            del self._pids[number]
            handle = self._status.pop(pid)
            with contextlib.suppress(OSError):  # the service has closed the pipe
                os.write(handle, messages.STATUS.pack(os.waitstatus_to_exitcode(status)))
            os.close(handle)


if __name__ == "__main__":
    main()
