"""What stands between a Spacefile and the Space as it is: a list of changes. It knows values only, no network."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from blip2.settings import PREFIX
from blip2.space.contents import Content
from blip2.space.hub import Live
from blip2.space.spacefile import Spacefile, Volume

Action = Literal["add", "change", "remove", "missing"]
FEW = 30  # files that are named one by one
SIGNS: dict[Action, str] = {"add": "+", "change": "~", "remove": "-", "missing": "!"}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `kind`: space, hardware, sdk, visibility, sleep, volumes, variable, secret or file.

    A secret that is `missing` has no value that could be compared or pushed from the Spacefile.
    """

    kind: str
    action: Action
    name: str
    was: str = ""
    becomes: str = ""

    def line(self) -> str:
        """For people to read."""
        words = f"{SIGNS[self.action]} {self.kind} {self.name}".rstrip()
        if self.action == "change" and self.becomes:
            return f"{words}: {self.was or 'nothing'} -> {self.becomes}"
        return f"{words}: {self.becomes}" if self.becomes else words

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "action": self.action,
            "name": self.name,
            "was": self.was or None,
            "becomes": self.becomes or None,
        }


def lines(made: Sequence[Change]) -> list[str]:
    """For people to read: a line each, but one for all files that are added, changed or removed where they are many."""
    files = [each for each in made if each.kind == "file"]
    if len(files) <= FEW:
        return [each.line() for each in made]
    counts = Counter(each.action for each in files)
    said = [each.line() for each in made if each.kind != "file"]
    return said + [f"{SIGNS[action]} {count} files" for action, count in sorted(counts.items())]


def changes(spacefile: Spacefile, files: Sequence[Content], live: Live | None) -> list[Change]:
    """What a push would change, and the secrets that the Space lacks. `live` None: there is no Space yet."""
    space = spacefile.space
    if live is None:
        made = [Change("space", "add", "", becomes=f"{space.visibility}, {space.sdk} on {space.hardware}")]
        live = Live({}, {}, (), space.hardware, space.sdk, space.sdk_version, space.visibility == "private", "")
    else:
        made = _space(spacefile, live)
    made += _variables(spacefile, live)
    made += [Change("secret", "missing", name) for name in spacefile.secrets if name not in live.secrets]
    return made + _files(files, live)


def _space(spacefile: Spacefile, live: Live) -> list[Change]:
    space, made = spacefile.space, []
    for kind, was, becomes in (
        ("hardware", live.hardware, space.hardware),
        ("sdk", live.sdk, space.sdk),
        ("sdk_version", live.sdk_version, space.sdk_version),
    ):
        if was != becomes:
            made.append(Change(kind, "change", "", was, becomes))
    if live.private != (space.visibility == "private"):
        made.append(Change("visibility", "change", "", "private" if live.private else "public", space.visibility))
    if space.sleep_seconds and space.sleep_seconds != live.sleep_seconds:
        made.append(Change("sleep", "change", "", str(live.sleep_seconds or ""), str(space.sleep_seconds)))
    return made


def _variables(spacefile: Spacefile, live: Live) -> list[Change]:
    """Volumes and variables. Variables that are no settings of ours were set by hand, and stay."""
    made = []
    was, becomes = (", ".join(sorted(map(_mounted, volumes))) for volumes in (live.volumes, spacefile.volumes))
    if was != becomes:
        made.append(Change("volumes", "change", "", was, becomes or "nothing"))
    for name, value in sorted(spacefile.variables.items()):
        if name not in live.variables:
            made.append(Change("variable", "add", name, becomes=value))
        elif live.variables[name] != value:
            made.append(Change("variable", "change", name, live.variables[name], value))
    gone = sorted(name for name in live.variables if name.startswith(PREFIX) and name not in spacefile.variables)
    return made + [Change("variable", "remove", name, live.variables[name]) for name in gone]


def _mounted(volume: Volume) -> str:
    """A volume in a word, as `docker` writes them; the Hub mounts repositories for reading only, whatever is asked."""
    source = "/".join(part for part in (volume.source, volume.path) if part)
    return f"{source}:{volume.mount_path}{':ro' if volume.read_only or volume.type != 'bucket' else ''}"


def _files(files: Sequence[Content], live: Live) -> list[Change]:
    made = []
    for each in files:
        there = live.files.get(each.path)
        if there is None:
            made.append(Change("file", "add", each.path))
        elif there != (each.sha256 if len(there) == 64 else each.sha1):
            made.append(Change("file", "change", each.path))
    wanted = {each.path for each in files}
    return made + [Change("file", "remove", path) for path in sorted(live.files) if path not in wanted]
