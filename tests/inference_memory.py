"""Inference that remembers: the tests send the same few photos through the same networks a thousand times.

A network is a function of its input. The first run of a model on an input is real, in each process of the tests; the
same model on the same input then gives the same outputs again. A model that is opened again, with the same options,
shares the session of the first time. Models are told apart by their bytes. A model's file
that has not changed is hashed once, and so are its copies: they have its name, size and time.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pytest
    from numpy.typing import NDArray

_SETTLED_SECONDS = 10.0

Run = Callable[..., "list[NDArray[Any]]"]


class InferenceMemory:
    """Outputs of models by model and input, up to `most_bytes` of outputs; the ones used longest ago go first."""

    def __init__(self, most_bytes: int = 200 << 20) -> None:
        self.computed = 0
        self.remembered = 0
        self._most_bytes = most_bytes
        self._bytes = 0
        self._outputs: OrderedDict[bytes, list[NDArray[Any]]] = OrderedDict()
        self._models: dict[tuple[str, int, int], bytes] = {}
        self._sessions: dict[object, dict[str, Any]] = {}
        self._lock = threading.Lock()
        self._paused = False

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Compute everything while the block runs."""
        self._paused = True
        try:
            yield
        finally:
            self._paused = False

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Make the sessions of ONNX Runtime in this process remember, until `patch` is undone."""
        from onnxruntime import InferenceSession

        opened, run = InferenceSession.__init__, InferenceSession.run

        def open_or_share(session: Any, model: Any, sess_options: Any = None, *more: Any, **options: Any) -> None:
            key = None if self._paused or more else self._session_key(model, sess_options, options)
            if key in self._sessions:
                vars(session).update(self._sessions[key])
                return
            opened(session, model, sess_options, *more, **options)
            if key is not None:
                session.model_digest = key[0]
                self._sessions[key] = dict(vars(session))

        def run_or_remember(session: Any, names: Sequence[str] | None, feed: Any, options: Any = None) -> Any:
            if self._paused or options is not None or getattr(session, "model_digest", None) is None:
                return run(session, names, feed, options)
            return self._run(session.model_digest, names, feed, lambda: run(session, names, feed))

        hashed, digests = hashlib.file_digest, {}

        def hash_or_remember(file: Any, algorithm: Any, **options: Any) -> Any:
            state = os.fstat(file.fileno())
            # A file may change twice within the resolution of its time.
            if not str(file.name).endswith(".onnx") or time.time() - state.st_mtime < _SETTLED_SECONDS:
                return hashed(file, algorithm, **options)
            key = (Path(file.name).name, state.st_size, state.st_mtime_ns, algorithm)
            if key not in digests:
                digests[key] = hashed(file, algorithm, **options)
            return digests[key].copy()

        patch.setattr(hashlib, "file_digest", hash_or_remember)
        patch.setattr(InferenceSession, "__init__", open_or_share)
        patch.setattr(InferenceSession, "run", run_or_remember)

    def _run(self, model: bytes, names: Sequence[str] | None, feed: Mapping[str, Any], compute: Run) -> Any:
        key = _key(model, names, feed)
        with self._lock:
            outputs = self._outputs.get(key)
            if outputs is not None:
                self._outputs.move_to_end(key)
                self.remembered += 1
        if outputs is None:
            outputs = compute()
            if not all(isinstance(output, np.ndarray) for output in outputs):
                return outputs
            self._keep(key, outputs)
        # Callers may write into what they get.
        return [output.copy() for output in outputs]

    def _keep(self, key: bytes, outputs: list[NDArray[Any]]) -> None:
        with self._lock:
            self.computed += 1
            if key not in self._outputs:
                self._outputs[key] = outputs
                self._bytes += _size(outputs)
            while self._bytes > self._most_bytes:
                self._bytes -= _size(self._outputs.popitem(last=False)[1])

    def _session_key(self, model: Any, settings: Any, options: Mapping[str, Any]) -> tuple[object, ...] | None:
        digest = self._digest_of(model)
        chosen = () if settings is None else (settings.intra_op_num_threads, settings.enable_mem_pattern)
        return None if digest is None else (digest, chosen, repr(sorted(options.items())))

    def _digest_of(self, model: Any) -> bytes | None:
        if isinstance(model, bytes):
            return hashlib.sha256(model).digest()
        path = Path(model)
        if not path.is_file():
            return None
        state = path.stat()
        settled = time.time() - state.st_mtime > _SETTLED_SECONDS
        place = (path.name if settled else str(path.resolve()), state.st_size, state.st_mtime_ns)
        if place not in self._models:
            self._models[place] = hashlib.sha256(path.read_bytes()).digest()
        return self._models[place]


def _key(model: bytes, names: Sequence[str] | None, feed: Mapping[str, Any]) -> bytes:
    key = hashlib.sha256(model)
    key.update(repr(names).encode())
    for name, value in sorted(feed.items()):
        array = np.ascontiguousarray(value)
        key.update(f"{name} {array.dtype} {np.shape(value)}".encode())
        key.update(array.reshape(-1).view(np.uint8).data)
    return key.digest()


def _size(outputs: list[NDArray[Any]]) -> int:
    return sum(output.nbytes for output in outputs)
