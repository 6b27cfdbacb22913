"""What the stand-in of the Hub answers: one function a route, on Spaces held in memory."""

import base64
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

TOKEN = "hf_goodtoken0123"
PAGE = 4  # entries of a tree that one answer holds


@dataclass
class Space:
    """One Space. `stages` are told one after the other, the last one for ever."""

    files: dict[str, bytes] = field(default_factory=lambda: {".gitattributes": b"*.bin filter=lfs\n"})
    lfs: set[str] = field(default_factory=set)
    variables: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    volumes: list[dict[str, Any]] = field(default_factory=list)
    hardware: str = "cpu-basic"
    visibility: str = "public"
    sleep: int = -1
    stages: list[str] = field(default_factory=lambda: ["RUNNING"])
    message: str = ""
    commits: int = 0

    @property
    def sha(self) -> str:
        return f"{self.commits:040x}"


@dataclass
class Sent:
    """One request: method, path, what JSON it held."""

    method: str
    path: str
    data: Any


@dataclass
class Hub:
    """The stand-in's state. `app` is the address that every Space is said to have."""

    app: str = "http://127.0.0.1:9"
    spaces: dict[str, Space] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)
    stored: dict[str, bytes] = field(default_factory=dict)  # LFS objects by SHA-256
    fail: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    new_stages: list[str] = field(default_factory=lambda: ["BUILDING", "APP_STARTING", "RUNNING"])
    endpoint: str = ""

    def writes(self) -> list[str]:
        """What was changed, as `METHOD last-part-of-the-path`, but for what changes nothing."""
        quiet = ("preupload", "validate-yaml", "batch")
        return [
            f"{each.method} {name}"
            for each in self.sent
            if each.method != "GET" and (name := _verb(each.path)) not in quiet
        ]


def _verb(path: str) -> str:
    parts = urlsplit(path).path.split("/")
    return parts[-2] if parts[-1] == "main" else "lfs" if parts[1] == "lfs" else parts[-1]


Answer = Callable[..., tuple[Any, ...]]


def read(body: bytes) -> Any:
    """JSON, or a list of JSON lines."""
    lines = [json.loads(line) for line in body.splitlines() if line.strip()]
    return lines[0] if len(lines) == 1 else lines


def _runtime(space: Space) -> dict[str, Any]:
    stage = space.stages.pop(0) if len(space.stages) > 1 else space.stages[0]
    return {
        "stage": stage,
        "hardware": {"current": None, "requested": space.hardware},
        "gcTimeout": space.sleep,
        "volumes": space.volumes,
        "sha": space.sha,
        "errorMessage": space.message or None,
    }


def create(hub: Hub, data: Any, **_: Any) -> tuple[Any, ...]:
    name = f"{data['organization'] or 'ann'}/{data['name']}"
    if name in hub.spaces:
        return 409, {"error": "You already created this space repo"}
    hub.spaces[name] = Space(hardware=data["hardware"], visibility=data["visibility"], stages=list(hub.new_stages))
    return 200, {"url": f"{hub.endpoint}/spaces/{name}"}


def info(hub: Hub, space: Space, **_: Any) -> tuple[Any, ...]:
    found = re.search(r"^sdk_version: \"(.*)\"$", space.files.get("README.md", b"").decode(), re.MULTILINE)
    card = {"sdk_version": found[1]} if found else {}
    told = {"id": "x/y", "sha": space.sha, "sdk": "gradio", "private": space.visibility == "private", "host": hub.app}
    return 200, told | {"cardData": card, "tags": [], "likes": 0}


def tree(hub: Hub, space: Space, name: str, query: dict[str, list[str]], **_: Any) -> tuple[Any, ...]:
    entries: list[dict[str, Any]] = [{"type": "directory", "path": "blip2", "oid": "0" * 40, "size": 0}]
    for path, content in sorted(space.files.items()):
        oid = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        entry: dict[str, Any] = {"type": "file", "path": path, "size": len(content), "oid": oid}
        if path in space.lfs:
            sha256 = hashlib.sha256(content).hexdigest()
            entry |= {"oid": "f" * 40, "lfs": {"oid": sha256, "size": len(content), "pointerSize": 130}}
        entries.append(entry)
    at = int(query.get("cursor", ["0"])[0])
    more = f"{hub.endpoint}/api/spaces/{name}/tree/main?recursive=True&cursor={at + PAGE}"
    headers = {"Link": f'<{more}>; rel="next"'} if at + PAGE < len(entries) else {}
    return 200, entries[at : at + PAGE], headers


def preupload(hub: Hub, space: Space, data: Any, **_: Any) -> tuple[Any, ...]:
    def mode(each: Any) -> str:
        return "lfs" if b"\0" in base64.b64decode(each["sample"]) else "regular"

    return 200, {
        "files": [{"path": f["path"], "uploadMode": mode(f), "shouldIgnore": False, "oid": None} for f in data["files"]]
    }


def batch(hub: Hub, data: Any, **_: Any) -> tuple[Any, ...]:
    objects = []
    for each in data["objects"]:
        upload = {"href": f"{hub.endpoint}/lfs/{each['oid']}"}
        objects.append(each if each["oid"] in hub.stored else each | {"actions": {"upload": upload}})
    return 200, {"transfer": "basic", "objects": objects}


def store(hub: Hub, data: bytes, oid: str, **_: Any) -> tuple[Any, ...]:
    assert hashlib.sha256(data).hexdigest() == oid
    hub.stored[oid] = data
    return (200,)


def commit(hub: Hub, space: Space, data: Any, **_: Any) -> tuple[Any, ...]:
    for line in data[1:]:
        path = line["value"]["path"]
        if line["key"] == "deletedFile":
            del space.files[path]
            space.lfs.discard(path)
        elif line["key"] == "lfsFile":
            space.files[path] = hub.stored[line["value"]["oid"]]
            space.lfs.add(path)
        else:
            space.files[path] = base64.b64decode(line["value"]["content"])
            space.lfs.discard(path)
    space.commits += 1
    return 200, {"commitUrl": f"{hub.endpoint}/spaces/ann/studio/commit/{space.sha}", "commitOid": space.sha}


def _table(name: str) -> dict[str, Answer]:
    """Sets, tells or removes entries of a Space's table; the values of secrets are not told."""

    def told(space: Space) -> dict[str, Any]:
        table = getattr(space, name)
        return {key: {"key": key} if name == "secrets" else {"key": key, "value": table[key]} for key in table}

    def get(hub: Hub, space: Space, **_: Any) -> tuple[Any, ...]:
        return 200, told(space)

    def put(hub: Hub, space: Space, data: Any, **_: Any) -> tuple[Any, ...]:
        getattr(space, name)[data["key"]] = data["value"]
        return 200, told(space)

    def remove(hub: Hub, space: Space, data: Any, **_: Any) -> tuple[Any, ...]:
        del getattr(space, name)[data["key"]]
        return 200, told(space)

    return {"GET": get, "POST": put, "DELETE": remove}


def change(field_name: str, key: str) -> Answer:
    def put(hub: Hub, space: Space, data: Any, **_: Any) -> tuple[Any, ...]:
        setattr(space, field_name, data[key] if data else [])
        return 200, _runtime(space) | {"stage": "BUILDING"}

    return put


SPACE = r"/api/spaces/(?P<repo>[^/]+/[^/]+)"
TABLES = {name: _table(name) for name in ("variables", "secrets")}
ROUTES: list[tuple[str, str, Answer]] = [
    ("GET", "/api/whoami-v2", lambda hub, **_: (200, {"name": "ann", "type": "user"})),
    ("POST", "/api/repos/create", create),
    ("POST", "/api/validate-yaml", lambda hub, **_: (200, {"errors": [], "warnings": []})),
    ("GET", SPACE, info),
    ("GET", f"{SPACE}/tree/main", tree),
    ("GET", f"{SPACE}/runtime", lambda hub, space, **_: (200, _runtime(space))),
    ("POST", f"{SPACE}/preupload/main", preupload),
    ("POST", f"{SPACE}/commit/main", commit),
    ("POST", r"/spaces/(?P<repo>[^/]+/[^/]+)\.git/info/lfs/objects/batch", lambda hub, space, **k: batch(hub, **k)),
    ("PUT", r"/lfs/(?P<oid>\w+)", store),
    ("POST", f"{SPACE}/hardware", change("hardware", "flavor")),
    ("POST", f"{SPACE}/sleeptime", change("sleep", "seconds")),
    ("PUT", f"{SPACE}/settings", change("visibility", "visibility")),
    ("PUT", f"{SPACE}/volumes", change("volumes", "volumes")),
    ("DELETE", f"{SPACE}/volumes", change("volumes", "volumes")),
    *((method, f"{SPACE}/{name}", answer) for name, table in TABLES.items() for method, answer in table.items()),
]
