"""A push of a small project to the stand-in of the Hub, in which time passes by waiting alone."""

from pathlib import Path
from typing import Any

from hubroutes import TOKEN, Hub

from blip2.space.hub import Hub as Client
from blip2.space.push import Pusher
from blip2.space.render import readme
from blip2.space.spacefile import read
from tests.space.spacefiles import changed, project

REPO = "ann/studio"
SECRETS = {"BLIP2_KEY": "swordfish"}
WEIGHTS = bytes(range(256)) * 20
WITH_WEIGHTS = ("include", 'include = ["app.py", "blip2", "assets"]')


def pusher(hub: Hub, folder: Path, *changes: tuple[str, str], token: str = TOKEN, **options: Any) -> Pusher:
    """For a project in the folder whose README is as it should be. Time passes as it is waited for."""
    path = project(folder, changed(WITH_WEIGHTS, *changes))
    weights = folder / "assets" / "model.safetensors"
    weights.write_bytes(WEIGHTS)
    spacefile = read(path)
    (folder / "README.md").write_text(readme(spacefile, folder)[1], encoding="utf-8")
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    client = Client(token, hub.endpoint)
    return Pusher(client, spacefile, folder, REPO, sleep=sleep, clock=lambda: now[0], **options)
