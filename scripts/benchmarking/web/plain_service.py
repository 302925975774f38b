"""Other software behind FastAPI, as its users write it: a form of two photos, compared in Starlette's threads.

    python -m scripts.benchmarking.web.plain_service WAY PACK [--packages FOLDER]

Prints its port when it listens.
"""

from __future__ import annotations

import argparse
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import uvicorn
from fastapi import FastAPI, File

from scripts.benchmarking.calls.ways import Call, Setting, call_of


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until killed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("way")
    parser.add_argument("pack", type=Path)
    parser.add_argument("--packages", type=Path)
    options = parser.parse_args(arguments)
    app = plain_app(call_of(options.way, Setting(options.pack, packages=options.packages)))
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        print(listener.getsockname()[1], flush=True)
        uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False)).run([listener])
    return 0


def plain_app(call: Call) -> FastAPI:
    """An application with one route, `POST /compare`: `img1` and `img2` to a score."""
    app = FastAPI()

    @app.post("/compare")
    def compare(img1: Annotated[bytes, File()], img2: Annotated[bytes, File()]) -> dict[str, float]:
        return {"score": call(img1, img2)}

    return app


if __name__ == "__main__":
    raise SystemExit(main())
