"""The lines that `facematch serve` prints for people at its start: addresses, key, pack, replies, a first call."""

from __future__ import annotations

import shutil
import socket
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from facematch_local import __version__
from facematch_server.running.listening import printed, takes_ipv4
from facematch_server.wire.profile import NoFaceAs, Profile

if TYPE_CHECKING:
    from facematch_local.packs import LoadedPack
    from facematch_server.settings import Settings
    from facematch_server.store import NewKey, Store

SAMPLES: Final = "samples"
_CARD, _PORTRAIT = f"{SAMPLES}/card.jpg", f"{SAMPLES}/portrait.jpg"
_PATH: Final = "/api/v2/ekyc/face_matching?type1=card&format_type=file"


@dataclass(frozen=True, slots=True)
class Start:
    """What a start has to report.

    Attributes:
        address: scheme, host and port of the public port, as a client on this machine reaches it.
        internal: the same of the port that serves the page and the documentation.
        pack: name, version and calibration of the pack.
        notice: why another pack than the asked one is in use; "" without a reason.
        new_key: the key of a first start; None if keys exist.
    """

    address: str
    internal: str
    pack: str
    notice: str
    new_key: NewKey | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where the commands of the banner are typed.

    Attributes:
        command: `facematch` as the shell finds it.
        has_samples: whether the folder of the samples exists here.
    """

    command: str
    has_samples: bool


def place(argv0: str | None = None) -> Place:
    """The place of this process: its working folder, and the command that started it."""
    started = Path(argv0 or sys.argv[0])
    found = shutil.which("facematch")
    command = "facematch"
    if found is None or (started.name == "facematch" and not _same(Path(found), started)):
        command = str(started) if started.name == "facematch" else f"{Path(sys.executable).name} -m facematch_server"
    return Place(command, Path(_CARD).is_file() and Path(_PORTRAIT).is_file())


def show_start(settings: Settings, ports: Sequence[list[socket.socket]], loaded: LoadedPack, store: Store) -> None:
    """Create a key if the database has none; print the banner on a terminal, elsewhere only a new key.

    Args:
        settings: the options.
        ports: the sockets of the public port, and of the internal one if there is one.
        loaded: the pack in use.
        store: the open database of keys.
    """
    tls = settings.tls_cert is not None
    public = address(settings.host, ports[0], tls)
    start = Start(
        address=public,
        internal=address(settings.internal_listen_host, ports[1], tls) if len(ports) > 1 else public,
        pack=f"{loaded.pack.name} {loaded.pack.version}, calibration {loaded.calibration.id}",
        notice=loaded.pack.notice,
        new_key=store.create_first_key(),
    )
    text = banner(settings, start, place()) if sys.stdout.isatty() else key_text(start, place())
    if text:
        # The only code that prints a secret: to the terminal, not through the logs.
        print(text, flush=True)  # noqa: T201


def address(host: str, sockets: list[socket.socket], tls: bool) -> str:
    """Scheme, host and port by which a client on this machine reaches `sockets`.

    Args:
        host: the address or name that the service listens on.
        sockets: the listening sockets of one port.
        tls: whether the port speaks TLS.
    """
    if host in ("0.0.0.0", "::", ""):  # noqa: S104
        host = "127.0.0.1" if takes_ipv4(sockets) else "::1"
    return f"{'https' if tls else 'http'}://{printed(host)}:{sockets[0].getsockname()[1]}"


def key_text(start: Start, where: Place) -> str:
    """The key of a first start, and a call that tries it; "" if keys exist."""
    if start.new_key is None:
        return ""
    return "\n".join((new_key_text(start.new_key, where), *_first_call(start, where)))


def new_key_text(key: NewKey, where: Place) -> str:
    """The key of a first start."""
    return (
        "The database had no API key, so one was created. It is shown only once; "
        f"`{where.command} keys create` makes others.\n"
        f"  api_key:    {key.api_key}\n"
        f"  api_secret: {key.api_secret}"
    )


def banner(settings: Settings, start: Start, where: Place) -> str:
    """The complete banner, for a terminal."""
    lines = [f"facematch-local {__version__}", "", *_facts(settings, start, where), ""]
    lines.append(key_text(start, where) or "\n".join(_first_call(start, where)))
    return "\n".join([*lines, "", "Ctrl-C stops the service.", ""])


def _facts(settings: Settings, start: Start, where: Place) -> Iterator[str]:
    if settings.page:
        yield _fact("page", f"{start.internal}/")
    if settings.docs:
        yield _fact("API docs", f"{start.internal}/docs")
    if start.new_key is None:
        yield _fact("keys", f"exist; `{where.command} keys create` makes another, `keys list` lists them")
    yield _fact("pack", start.pack)
    if start.notice:
        yield _fact("", start.notice)
    if settings.wire_profile is Profile.DOCUMENTED:
        yield _fact("replies", 'profile documented: invalidCode is text ("0"), as on the vendor\'s page')
        yield _fact("", "clients that read a number need --profile observed (or `keys create --profile observed`)")
    else:
        yield _fact("replies", "profile observed: invalidCode is a number (0), as from the live cloud")
        yield _fact("", "clients that read text need --profile documented (or `keys create --profile documented`)")
    if settings.no_face_as is NoFaceAs.WARNING:
        yield _fact(
            "no face", "invalidCode 4 or 5; clients of the Vietnamese page expect errorCode 3: --no-face-as error3"
        )
    else:
        yield _fact(
            "no face", "errorCode 3; clients of the English page expect invalidCode 4 or 5: --no-face-as warning"
        )
    yield _fact("", f"not sure? `{where.command} compat-check --client-file FILE` reads the client's recorded traffic")


def _fact(about: str, found: str) -> str:
    return f"  {about:<10}{found}"


def _first_call(start: Start, where: Place) -> Iterator[str]:
    yield "Try it with two sample photos:"
    if not where.has_samples:
        yield f"  {where.command} samples {SAMPLES}"
    pair = "$API_KEY:$API_SECRET" if start.new_key is None else f"{start.new_key.api_key}:{start.new_key.api_secret}"
    # The certificate names the host of the clients, not the loopback address.
    insecure = "-k " if start.address.startswith("https://") else ""
    yield f"  curl {insecure}-u {pair} -F img1=@{_CARD} -F img2=@{_PORTRAIT} \\"
    yield f"    '{start.address}{_PATH}'"


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False
