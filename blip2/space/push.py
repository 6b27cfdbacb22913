"""A Space made or changed as the Spacefile says, then waited for and tried. Nothing is done that is done already."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blip2.errors import BadSetting, SpaceUnusable
from blip2.space.checks import check
from blip2.space.contents import Content, contents
from blip2.space.hub import Hub, Live, Stage
from blip2.space.plan import Change, changes
from blip2.space.smoke import Tried, try_out
from blip2.space.spacefile import Spacefile

POLL = 5.0  # seconds between two looks at the stage
PATIENCE = 5  # looks in a row that may fail: the Hub is asked for many minutes
READY = ("RUNNING", "SLEEPING")  # a request wakes one that sleeps
FAILED = ("BUILD_ERROR", "RUNTIME_ERROR", "CONFIG_ERROR", "NO_APP_FILE", "STOPPED", "PAUSED", "DELETING")
MESSAGE = "Push the app as its Spacefile says"


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push did: the Space, its address, what was changed, and how the trial went."""

    repo: str
    url: str
    changes: tuple[Change, ...]
    tried: Tried

    def to_json(self) -> dict[str, Any]:
        return {
            "repo": self.repo,
            "url": self.url,
            "changes": [each.to_json() for each in self.changes],
            "smoke": self.tried.to_json(),
        }


@dataclass
class Pusher:
    """Pushes the Spacefile of a folder. `say` is told how far it is; `sleep` and `clock` are for tests."""

    hub: Hub
    spacefile: Spacefile
    folder: Path
    repo: str
    say: Callable[[str], object] = lambda text: None
    sleep: Callable[[float], object] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def plan(self) -> tuple[Live | None, list[Content], list[Change]]:
        """The Space as it is, the files it should have, and what a push would change."""
        live, files = self.hub.live(self.repo), contents(self.spacefile, self.folder)
        return live, files, changes(self.spacefile, files, live)

    def push(self, secrets: Mapping[str, str]) -> Pushed:
        """Make or change the Space, wait until it runs, and try it out. `secrets`: values for those that it lacks.

        Raises `BadSetting` before anything is changed where a check fails or a secret has no value, `SpaceUnusable`.
        """
        wrong = [sentence for each in check(self.spacefile, self.folder) for sentence in each.wrong]
        if wrong:
            more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
            raise BadSetting(f"Nothing was pushed, for the Spacefile is not right: {wrong[0].rstrip('.')}{more}.")
        live, files, made = self.plan()
        lacking = [each.name for each in made if each.kind == "secret" and not secrets.get(each.name)]
        if lacking:
            raise BadSetting(
                f"Nothing was pushed, for the Space lacks the secret {lacking[0]}; set it in the Space's settings, or "
                "push with it in the environment."
            )
        commit = self._change(made, files, secrets) or (live.commit if live is not None else "")
        self._wait(commit)
        url = self.hub.url(self.repo)
        token = self.hub.token if self.spacefile.space.visibility == "private" else ""
        self.say("trying it out")
        tried = try_out(url, self.spacefile.smoke, self.folder, token, self.sleep, self.clock)
        return Pushed(self.repo, url, tuple(made), tried)

    def _change(self, made: Sequence[Change], files: Sequence[Content], secrets: Mapping[str, str]) -> str:
        """Do what the changes say, settings before files, since files start the build; the commit's name, if any."""
        space, hub, repo = self.spacefile.space, self.hub, self.repo
        kinds = {each.kind for each in made}
        if "space" in kinds:
            self.say("creating the Space")
            hub.create(repo, space.sdk, space.hardware, space.visibility)
        if "visibility" in kinds:
            hub.set_visibility(repo, space.visibility)
        if "volumes" in kinds:
            hub.set_volumes(repo, self.spacefile.volumes)
        for each in made:
            if each.kind == "variable" and each.action == "remove":
                hub.remove_variable(repo, each.name)
            elif each.kind == "variable":
                hub.set_variable(repo, each.name, each.becomes)
            elif each.kind == "secret":
                hub.set_secret(repo, each.name, secrets[each.name])
        if "hardware" in kinds:
            hub.set_hardware(repo, space.hardware)
        if space.sleep_seconds and kinds & {"space", "sleep"}:
            hub.set_sleep(repo, space.sleep_seconds)
        put = {each.name for each in made if each.kind == "file" and each.action != "remove"}
        gone = [each.name for each in made if each.kind == "file" and each.action == "remove"]
        if not put and not gone:
            return ""
        self.say(f"pushing {len(put)} files")
        return hub.commit(repo, [each for each in files if each.path in put], gone, MESSAGE)

    def _wait(self, commit: str) -> None:
        """Until the Space runs what was pushed."""
        minutes, shown = self.spacefile.space.start_minutes, ""
        end, failed = self.clock() + 60 * minutes, 0
        while True:
            try:
                stage, failed = self.hub.stage(self.repo), 0
            except SpaceUnusable:
                failed += 1
                if failed > PATIENCE:
                    raise
                self.sleep(POLL)
                continue
            if stage.name != shown:
                shown = stage.name
                self.say(f"the Space is {shown.lower().replace('_', ' ')}")
            if stage.name in READY and stage.commit in ("", commit):
                return
            if stage.name in FAILED and stage.commit in ("", commit):
                raise SpaceUnusable(self._failure(stage))
            if self.clock() >= end:
                raise SpaceUnusable(
                    f"The Space {self.repo} did not start within {minutes} minutes and is still "
                    f"{stage.name.lower().replace('_', ' ')}; see {self._log('build')}, or allow more start_minutes."
                )
            self.sleep(POLL)

    def _failure(self, stage: Stage) -> str:
        reason = " ".join(stage.message.split())[:200].rstrip(".")
        because = f" ({reason})" if reason else ""
        if stage.name in ("STOPPED", "PAUSED", "DELETING"):
            return f"The Space {self.repo} is {stage.name.lower()}{because}; restart it in its settings and push again."
        log = self._log("build" if stage.name == "BUILD_ERROR" else "container")
        return f"The Space {self.repo} failed with {stage.name}{because}; its log is at {log}."

    def _log(self, which: str) -> str:
        return f"{self.hub.endpoint}/spaces/{self.repo}?logs={which}"
