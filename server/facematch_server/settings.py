"""The settings of the service. Each one is the environment variable `FACEMATCH_` + its name in capitals.

`settings_page` makes `docs/settings.md` from this file; a test keeps the two the same.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from facematch_local.errors import ProviderError
from facematch_local.packs import DEFAULT_PACK
from facematch_local.providers import ProviderSettings
from facematch_server.wire.profile import NoFaceAs, Profile

PREFIX = "FACEMATCH_"
# Variables that are not settings of the service: of the contract commands, of the installer's launcher, ...
OTHER_VARIABLES: Final = frozenset(
    {"FACEMATCH_KEY", "FACEMATCH_SECRET", "FACEMATCH_RELEASE", "FACEMATCH_STANDARD_ARCHIVE"}
)
# ... and of the tests of this project.
_OF_TESTS: Final = ("FACEMATCH_TEST_", "FACEMATCH_WRITE_SNAPSHOT")


CommaSeparated = Annotated[tuple[str, ...], NoDecode]


class _UnknownVariables(PydanticBaseSettingsSource):
    """Reports unknown variables, so that they are refused like wrong values; messages do not show their values."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """No value for any setting."""
        del field
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """The unknown variables that are set, as settings without values."""
        return {name.removeprefix(PREFIX).lower(): "" for name in unknown_variables(os.environ)}


class Settings(BaseSettings):
    """The settings of the service, read from the environment.

    Raises:
        ValidationError: a value is wrong, or a variable `FACEMATCH_...` is unknown; see `problems`.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], *_: Any, **sources: PydanticBaseSettingsSource
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then the environment, in which unknown names are errors."""
        return sources["init_settings"], sources["env_settings"], _UnknownVariables(settings_cls)

    host: str = Field(
        "127.0.0.1",
        description="Address to listen on. `0.0.0.0` opens the service to other machines, `::` does so through IPv6 "
        "and IPv4.",
    )
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 for a free one.")
    internal_host: str = Field(
        "", description="Address of the internal port; empty: `host`. Used with `internal_port` only."
    )
    internal_port: int | None = Field(
        None,
        ge=0,
        le=65535,
        description="Second port. If set, `/`, `/metrics`, `/docs`, `/openapi.json` and `/v1/compare` are served "
        "there instead of "
        "on `port`.",
    )

    tls_cert: Path | None = Field(
        None,
        description="Certificate (PEM, with its chain): both ports then use TLS. Read at the start only. Without it "
        "they use plain HTTP, for a proxy in front.",
    )
    tls_key: Path | None = Field(
        None, description="Private key (PEM, no passphrase) of `tls_cert`; empty: it is in the same file."
    )

    pack: str = Field(
        DEFAULT_PACK,
        description="Model pack: a name in the search path, or a folder; `auto`: the best installed pack.",
    )
    models: str = Field("", description="Folders to search for packs before the shipped ones, separated as in `PATH`.")
    policy: Path | None = Field(None, description="Policy file (limits of the checks) instead of the shipped one.")

    providers: CommaSeparated = Field(
        ("cpu",),
        description="Execution providers of ONNX Runtime for detector and recogniser, in order of preference (comma "
        "separated): `cpu`, `openvino`, `cuda`, `tensorrt`, `coreml`, `directml`; `auto`: a GPU that passes the trial "
        "at the start, else the CPU. See [Performance](performance.md#execution-providers).",
    )
    provider_cache: Path | None = Field(
        None,
        description="Folder in which CUDA, TensorRT and CoreML keep compiled models; empty: they keep none. Only "
        "trusted users may write there.",
    )

    data_dir: str = Field(
        "", description="Folder of the database; empty: the user's data folder of the operating system."
    )
    database_url: str = Field(
        "", description="Database of keys and quotas (SQLAlchemy URL); empty: SQLite `facematch.db` in `data_dir`."
    )

    database_connections: int = Field(
        9,
        ge=2,
        le=100,
        description="Largest number of connections of one process to PostgreSQL. With fewer than 9, requests that "
        "arrive together may wait for one.",
    )

    wire_profile: Profile = Field(
        Profile.DOCUMENTED,
        description="Wire profile of the replies: `documented` or `observed` (`invalidCode` as a number, keys in "
        "alphabetical order). A key can have its own.",
    )
    auth_failure_status: Literal[200, 401] = Field(
        200, description="HTTP status of errorCode 5: 200 as documented, or 401."
    )
    no_face_as: NoFaceAs = Field(
        NoFaceAs.WARNING,
        description="Reply to a photo without a face: `warning` (invalidCode 4 or 5, as on the vendor's English page) "
        "or `error3` (errorCode 3, as on its Vietnamese page).",
    )

    url_policy: Literal["auto", "public", "any", "off"] = Field(
        "auto",
        description="Addresses that the url mode may reach. `public`: no private, loopback, link-local, reserved or "
        "metadata addresses; `auto`: `public`, but loopback and private ones too while the service listens on "
        "loopback only; `any`; `off`.",
    )
    url_allow: CommaSeparated = Field(
        (), description="Further host names, addresses or networks (comma separated) that the url mode may reach."
    )
    url_connect_seconds: float = Field(3.0, gt=0, description="Time to connect to an image server.")
    url_seconds: float = Field(
        10.0, gt=0, description="Time for one photo by URL, redirects included; the deadline bounds it too."
    )

    max_image_bytes: int = Field(10 * 1024 * 1024, ge=1024, description="Largest encoded photo in bytes.")
    max_image_pixels: int = Field(
        50_000_000, ge=4096, description="Largest photo in pixels; the header gives the size before decoding."
    )

    threads: int = Field(
        0,
        ge=0,
        le=256,
        description="Inference threads; 0: the number of CPUs that affinity and the cgroup's quota allow.",
    )
    workers: int = Field(
        1,
        ge=1,
        le=64,
        description="Processes that answer requests, on one port. They share the models' memory and divide the "
        "threads, slots, connections and decoders. Linux only. See [Operating](operating.md#workers).",
    )
    decode_processes: int | None = Field(
        None,
        ge=0,
        le=256,
        description="Processes kept ready to decode photos; only they parse photos from strangers. Empty: as many as "
        "inference threads; 0: the service's own process decodes photos, and nothing can end a decoding. Linux "
        "only; elsewhere it is 0. See [Security](security.md#photos-that-are-hostile).",
    )
    queue_size: int = Field(
        32, ge=0, description="Requests that may wait for a thread; a further request gets 503 at once."
    )
    deadline_seconds: float = Field(
        20.0, gt=0, description="Time for a request from its acceptance, body included; a later reply is 503."
    )
    key_share: float = Field(
        1.0,
        gt=0,
        le=1,
        description="Largest share of the slots (threads and queue) that one key may hold, even if no other key needs "
        "them. Below it, a service without free slots takes slots back from the key that holds the most.",
    )
    address_share: float = Field(
        1.0,
        gt=0,
        le=1,
        description="The same for one address. Keep it at 1 behind a proxy, where all requests have one address.",
    )
    database_seconds: float = Field(
        2.0,
        gt=0,
        description="Time that a request waits for a database that is locked or does not answer; then 503. Applies "
        "once before admission, and once before the commit.",
    )
    body_seconds: float = Field(
        15.0, gt=0, description="Time for a client to send the whole body (else 408); the deadline bounds it too."
    )
    header_seconds: float = Field(
        10.0,
        gt=0,
        description="Time for a client to send the whole request head, from the start of its connection, TLS "
        "handshake included "
        "(else the connection is closed).",
    )
    write_seconds: float = Field(
        30.0, gt=0, description="Time for a client to read a reply (else the connection is cut off)."
    )
    keep_alive_seconds: int = Field(15, ge=0, description="Time that an idle connection stays open.")
    max_connections: int = Field(
        1000,
        ge=1,
        description="Open connections per port, unfinished TLS handshakes included; a further one gets "
        "503 (with TLS: no answer) and is closed. Fewer if the system's limit on open files requires it.",
    )
    drain_seconds: float = Field(
        0.0,
        ge=0,
        description="After SIGTERM: time during which `/readyz` is 503 while the service still accepts requests.",
    )
    shutdown_seconds: int = Field(
        30, ge=1, description="After that: time for accepted requests to finish before the service cuts them off."
    )

    cors_origins: CommaSeparated = Field(
        ("*",), description="Origins whose pages may call the service (comma separated); `*`: any; empty: none."
    )
    page: bool = Field(True, description="Serve the page at `/`, on the port of `/v1/compare`.")
    scenarios: bool = Field(
        False,
        description="For developers of clients: API keys such as `scenario-error-4` return fixed replies with any "
        "secret. See [Contract testing](contract-testing.md).",
    )
    scenarios_anyway: bool = Field(
        False, description="Allow `scenarios` although other machines can reach the service."
    )
    docs: bool = Field(True, description="Serve `/docs` and `/openapi.json`.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Lowest level that is logged.")
    log_format: Literal["auto", "json", "text"] = Field(
        "auto",
        description="`json`: one JSON object per line; `text`: a short line for people; `auto`: `text` if standard "
        "error is a terminal, else `json`.",
    )

    @field_validator("url_allow", "cors_origins", "providers", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("providers", mode="after")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        try:
            return ProviderSettings.parse(",".join(value)).names
        except ProviderError as error:
            raise ValueError(str(error)) from None

    @field_validator("auth_failure_status", mode="before")
    @classmethod
    def _number(cls, value: Any) -> Any:
        return int(value) if isinstance(value, str) and value.isdecimal() else value

    @field_validator("tls_cert", "tls_key", "decode_processes", "provider_cache", mode="before")
    @classmethod
    def _none_if_empty(cls, value: Any) -> Any:
        return None if value == "" else value

    @property
    def store_url(self) -> str:
        """`database_url`, or the SQLite file in `data_dir`."""
        from facematch_server.store import default_database_url

        return default_database_url({"FACEMATCH_DATABASE_URL": self.database_url, "FACEMATCH_DATA_DIR": self.data_dir})

    @property
    def internal_listen_host(self) -> str:
        """Address of the internal port, if it is used."""
        return self.internal_host or self.host

    @property
    def listens_on_loopback_only(self) -> bool:
        """Whether only programs of this machine can reach the service."""
        return is_loopback(self.host) and (self.internal_port is None or is_loopback(self.internal_listen_host))


def unknown_variables(names: Iterable[str]) -> list[str]:
    """Unknown names `FACEMATCH_...`, in capitals, sorted."""
    known = {PREFIX + name.upper() for name in Settings.model_fields} | OTHER_VARIABLES
    found = {name.upper() for name in names if name.upper().startswith(PREFIX)}
    return sorted(name for name in found - known if not name.startswith(_OF_TESTS))


def describe_unknown(variable: str) -> str:
    """The message about an unknown variable, with the nearest known one."""
    known = [PREFIX + name.upper() for name in Settings.model_fields]
    nearest = difflib.get_close_matches(variable, known, n=1, cutoff=0.8)
    return f"{variable}: unknown setting" + (f", did you mean {nearest[0]}?" if nearest else "")


def problems(error: ValidationError) -> list[str]:
    """The problems of the settings, one line each, without values: a database URL holds a password."""
    lines = []
    for item in error.errors():
        variable = PREFIX + "_".join(map(str, item["loc"])).upper()
        said = item["msg"].removeprefix("Value error, ")
        lines.append(describe_unknown(variable) if item["type"] == "extra_forbidden" else f"{variable}: {said}")
    return lines


def is_loopback(host: str) -> bool:
    """Whether `host` is a loopback address or `localhost`. Other names count as reachable, whatever they resolve to."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
