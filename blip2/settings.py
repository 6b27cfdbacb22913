"""Settings: one frozen value, made from flags, then `BLIP2_…` variables, then a Spacefile's limits, then defaults.

Only this module reads the environment and decides what a flag means. Unknown names and bad values are refused with a
sentence. `table()` is the list for the README. It knows no torch.
"""

import argparse
import difflib
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any

from blip2 import contradictions
from blip2.errors import BadSetting
from blip2.memory import DTYPES
from blip2.people import People, read_people
from blip2.zoo import ROWS

PREFIX = "BLIP2_"
DEVICES = ("auto", "cpu", "cuda", "mps")
YES, NO = ("yes", "true", "on", "1"), ("no", "false", "off", "0")
BATCH = 64  # requests that a model answers at a time
LOG_LEVELS = ("debug", "info", "warning", "error")
# The settings that a Spacefile's [limits] may say.
LIMITS = (
    "max_upload_mb", "max_album_mb", "max_waiting", "deadline", "cache_mb", "api_rate", "api_body_mb",
    "visitor_waiting", "visitor_rate", "address_waiting", "address_rate", "upload_mb_hour", "upload_files_minute",
    "gpu_seconds",
)  # fmt: skip
ZEROGPU = "SPACES_ZERO_GPU"  # the variable by which a Space knows that GPUs are lent there


def _about(default: Any, meaning: str, **limits: Any) -> Any:
    """A field with its meaning for `--help` and the README, and its limits: `low` and `high`, or `choices`."""
    return field(default=default, metadata={"meaning": meaning, **limits})


@dataclass(frozen=True, slots=True)
class Settings:
    """What a running studio may be told. Raises `BadSetting` for a value out of range."""

    models: tuple[str, ...] = _about(
        tuple(row.key for row in ROWS if row.pocket),
        "models to offer, the default first: zoo rows, folders or Hub ids, separated by commas",
    )
    device: str = _about("auto", "where the models run", choices=DEVICES)
    dtype: str = _about("auto", "numbers the weights are held in", choices=("auto", *DTYPES))
    host: str = _about("127.0.0.1", "address to listen on; 0.0.0.0 lets other machines in")
    port: int = _about(7860, "port to listen on; 0 takes a free one", low=0, high=65535)
    hosts: tuple[str, ...] = _about(
        (),
        "names that this server answers to, such as studio.example.org, or * for any; empty: any, but localhost alone "
        "where only this machine can connect",
        form=r"\*|(\*\.)?[\w-]+(\.[\w-]+)*",
        like="studio.example.org",
    )
    root_path: str = _about("", "path under which a proxy serves the page, such as /studio")
    auth_file: str = _about(
        "", "file with a line for each person who may sign in, made by the command password; empty lets everyone in"
    )
    max_upload_mb: int = _about(20, "largest picture taken, in MB", low=1, high=1000)
    max_album_mb: int = _about(
        500, "most that one upload of many pictures, or a ZIP file of them, may take, in MB", low=1, high=100_000
    )
    max_waiting: int = _about(64, "requests that may wait for a model before new ones are refused", low=1, high=100_000)
    deadline: float = _about(120.0, "seconds an answer may take, waiting included", low=1.0, high=3600.0)
    warm_up: bool = _about(False, "run typical requests once a model is loaded, so that no visitor waits for it")
    cache_mb: int = _about(256, "memory for pictures already encoded, in MB", low=0, high=1_000_000)
    mcp: bool = _about(False, "serve the page's endpoints as MCP tools too, at /gradio_api/mcp/")
    log_level: str = _about("warning", "what is written to the log", choices=LOG_LEVELS)
    log_json: bool = _about(False, "write the log as JSON, a line for each API request")
    log_content: bool = _about(False, "write prompts and answers to the log too")
    api_keys_file: str = _about("", "file with a line for each API key, made by the command key; empty asks for none")
    api_rate: int = _about(
        0, "API requests a minute for each key, or address without keys; 0 sets no limit", low=0, high=1_000_000
    )
    api_body_mb: int = _about(64, "largest API request, all its pictures together, in MB", low=1, high=10_000)
    cors_origins: tuple[str, ...] = _about(
        (),
        "other sites whose pages may call the API, such as https://example.org",
        form=r"https?://[^/?#@\s*]+",
        like="https://example.org",
    )
    image_urls: bool = _about(False, "let requests name pictures by http(s) address, on public hosts only")
    runs: str = _about("runs", "folder whose finished evaluations the page shows")
    data: str = _about("data", "folder that the studio writes to: votes, saved indexes")
    folders: tuple[str, ...] = _about((), "folders on this machine whose pictures visitors may caption and search")
    allow: tuple[str, ...] = _about((), "models that may be loaded from the page, beside those offered")
    manage: bool = _about(False, "let visitors of the page load and unload models")
    visitor_waiting: int = _about(4, "requests of one visitor of the page under way at a time", low=1, high=1000)
    visitor_rate: int = _about(
        0, "requests a minute that one visitor of the page may make; 0 sets no limit", low=0, high=1_000_000
    )
    address_waiting: int = _about(
        16, "requests of one network address under way at a time, all its visitors together", low=1, high=100_000
    )
    address_rate: int = _about(
        0, "requests a minute that the page takes from one address; 0 sets no limit", low=0, high=1_000_000
    )
    upload_mb_hour: int = _about(
        2000, "files that one address may send to the page in an hour, in MB; 0 sets no limit", low=0, high=10_000_000
    )
    upload_files_minute: int = _about(
        1000, "files that one address may send to the page in a minute; 0 sets no limit", low=0, high=1_000_000
    )
    trust_proxy: bool = _about(
        False, "take a visitor's address from X-Forwarded-For; only behind a proxy that sets it itself"
    )
    share: bool = _about(
        False,
        "open the page to whoever has a link, through a tunnel of gradio's; all that visitors send goes through it",
    )
    system_text: str = _about("refuse", "what becomes of an API request's system text", choices=("refuse", "prefix"))
    zerogpu: bool = _about(
        False, "borrow a GPU for each call, as ZeroGPU Spaces lend them; there this is so without being said"
    )
    gpu_seconds: int = _about(60, "seconds that one call may keep a borrowed GPU", low=20, high=600)
    drain: float = _about(
        10.0, "seconds that API answers may still take once the server is told to stop", low=0.0, high=600.0
    )

    def __post_init__(self) -> None:
        for each in fields(self):
            _check(each, getattr(self, each.name))
        object.__setattr__(self, "host", self.host.strip("[]"))  # how an IPv6 address stands in a URL
        if not self.models or not all(name.strip() for name in self.models):
            raise BadSetting("The setting models names no model; give at least one, such as blip2_opt/pocket_opt.")
        if self.root_path and (not self.root_path.startswith("/") or self.root_path.endswith("/")):
            raise BadSetting(f"The setting root_path is {self.root_path!r}; write it like /studio.")
        contradictions.check(self)

    @property
    def model(self) -> str:
        """The default model."""
        return self.models[0]

    @property
    def at_once(self) -> int:
        """Requests that the page, and the API, take on at a time: those being answered and those that wait."""
        return BATCH + self.max_waiting

    def people(self) -> People | None:
        """Those whom `auth_file` lets sign in; None if it is not set, and nobody needs to. Raises `BadSetting`."""
        return read_people(Path(self.auth_file)) if self.auth_file else None


def load(
    flags: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    limits: Mapping[str, str] | None = None,
) -> Settings:
    """The settings of this run. `flags` maps names to values as typed (None: not given); the environment comes next,
    then the `limits` of a Spacefile, then the defaults.

    Raises `BadSetting` for an unknown name, with the nearest one, and for a bad value.
    """
    environment = os.environ if environment is None else environment
    known = {each.name: each for each in fields(Settings)}
    given: dict[str, tuple[str, Any]] = _limits(limits or {})
    if environment.get(ZEROGPU, "").lower() in ("1", "t", "true"):
        given["zerogpu"] = (ZEROGPU, True)
    given |= {
        key.removeprefix(PREFIX).lower(): (key, value)
        for key, value in sorted(environment.items())
        if key.startswith(PREFIX) and value != ""
    }
    given |= {name: (flag(name), value) for name, value in (flags or {}).items() if value is not None}
    values: dict[str, Any] = {}
    for name, (source, value) in given.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f" Did you mean {PREFIX}{near[0].upper()}?" if near else ""
            raise BadSetting(f"The setting {source} is unknown.{hint}")
        values[name] = _parsed(known[name], source, value)
    return Settings(**values)


def _limits(limits: Mapping[str, str]) -> dict[str, tuple[str, Any]]:
    for name in limits:
        if name not in LIMITS:
            near = difflib.get_close_matches(name, LIMITS, n=1, cutoff=0.0)[0]
            raise BadSetting(
                f"The Spacefile has an unknown key limits.{name}; the nearest allowed one is limits.{near}."
            )
    return {name: (f"limits.{name} of the Spacefile", value) for name, value in limits.items()}


def add_flags(parser: argparse.ArgumentParser, names: Iterable[str] | None = None) -> None:
    """Give `parser` a flag for each setting, or for `names` only; what was typed goes to `load` unparsed."""
    wanted = None if names is None else set(names)
    for each in fields(Settings):
        if wanted is None or each.name in wanted:
            about = f"{_meaning(each)} (default: {_shown(each)})"
            if isinstance(each.default, bool):
                parser.add_argument(flag(each.name), nargs="?", const="yes", metavar="yes|no", help=about)
            else:
                parser.add_argument(flag(each.name), metavar="VALUE", help=about)


def flag(name: str) -> str:
    """`max_upload_mb` -> `--max-upload-mb`."""
    return "--" + name.replace("_", "-")


def table() -> str:
    """The settings as a Markdown table."""
    rows = ["| Flag of `serve` | Variable | Default | Meaning |", "| --- | --- | --- | --- |"]
    for each in fields(Settings):
        rows.append(
            f"| `{flag(each.name)}` | `{PREFIX}{each.name.upper()}` | `{_shown(each) or ' '}` | {_meaning(each)} |"
        )
    return "\n".join(rows)


def _check(each: "Field[Any]", value: Any) -> None:
    limits = each.metadata
    if "choices" in limits and value not in limits["choices"]:
        raise BadSetting(f"The setting {each.name} is {value!r}; choose one of {', '.join(limits['choices'])}.")
    if "low" in limits and not limits["low"] <= value <= limits["high"]:
        raise BadSetting(
            f"The setting {each.name} is {value}; it must lie between {limits['low']:g} and {limits['high']:g}."
        )
    for one in value if "form" in limits else ():
        if not re.fullmatch(limits["form"], one):
            raise BadSetting(f"The setting {each.name} has {one!r}; name each like {limits['like']}.")


def _parsed(each: "Field[Any]", source: str, value: Any) -> Any:
    """`value` as typed -> the field's type, which is its default's."""
    if not isinstance(value, str):
        return value
    kind: Any = type(each.default)
    if kind is bool:
        if value.strip().lower() not in YES + NO:
            raise BadSetting(f"The setting {source} must be yes or no, not {value!r}.")
        return value.strip().lower() in YES
    if kind is tuple:
        return tuple(part.strip() for part in value.split(",") if part.strip())
    try:
        return kind(value.strip())
    except ValueError:
        what = "a whole number" if kind is int else "a number"
        raise BadSetting(f"The setting {source} must be {what}, not {value!r}.") from None


def _meaning(each: "Field[Any]") -> str:
    choices = each.metadata.get("choices")
    return f"{each.metadata['meaning']}: {', '.join(choices)}" if choices else str(each.metadata["meaning"])


def _shown(each: "Field[Any]") -> str:
    if isinstance(each.default, bool):
        return "yes" if each.default else "no"
    return ",".join(each.default) if isinstance(each.default, tuple) else str(each.default)
