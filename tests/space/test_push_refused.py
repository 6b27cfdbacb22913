"""Each way in which a push may fail is one sentence: what the Hub refuses, and a Space that does not start."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hubroutes import TOKEN, Hub

from blip2.errors import SpaceUnusable
from tests.space.pushing import REPO, SECRETS, pusher


@pytest.mark.parametrize(
    ("where", "status", "said"),
    [
        ("GET /api/spaces/ann/studio$", 500, r"The Hub failed \(status 500\) when asked to read the Space; try again"),
        ("POST /api/repos/create", 402, "wants a paid plan for ann/studio"),
        ("POST /api/repos/create", 403, "The token may not create the Space; make one with write access"),
        ("POST /api/spaces/ann/studio/variables", 403, "The token may not set variables"),
        ("POST /api/spaces/ann/studio/secrets", 401, "The Hub did not accept the token"),
        ("POST /api/spaces/ann/studio/commit", 403, "The token may not write to the Space"),
        ("POST /api/spaces/ann/studio/commit", 503, r"failed \(status 503\) when asked to write to the Space"),
        ("POST /api/spaces/ann/studio/variables", 404, "knows no Space ann/studio that this token may see"),
        ("PUT /lfs/", 403, "The token may not write to the Space"),
        ("GET /api/spaces/ann/studio/runtime", 429, "takes no more requests from this account"),
        ("POST /api/spaces/ann/studio/variables", 400, r"refused to set variables \(status 400: too many"),
        (
            "POST /api/validate-yaml",
            400,
            "would not write to the Space: Invalid metadata in README.md. - no such licence",
        ),
    ],
)
def test_what_the_hub_refuses_is_one_sentence(hub: Hub, tmp_path: Path, where: str, status: int, said: str) -> None:
    hub.fail[where] = status, {"error": "too many", "errors": [{"message": "no such licence"}]}
    with pytest.raises(SpaceUnusable, match=said) as refused:
        pusher(hub, tmp_path).push(SECRETS)
    assert "\n" not in str(refused.value)
    assert TOKEN not in str(refused.value)


def test_a_wrong_token_is_said_and_not_shown(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(SpaceUnusable, match="did not accept the token") as refused:
        pusher(hub, tmp_path, token="hf_wrongtoken").push(SECRETS)
    assert "wrongtoken" not in str(refused.value)
    assert "wrongtoken" not in repr(pusher(hub, tmp_path, token="hf_wrongtoken").hub)


def test_a_hub_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SpaceUnusable, match=r"The Hub at http://127.0.0.1:9 cannot be reached \(.*refused"):
        pusher(Hub(endpoint="http://127.0.0.1:9"), tmp_path).plan()


@pytest.mark.parametrize(
    ("stages", "message", "said"),
    [
        (
            ["BUILDING", "BUILD_ERROR"],
            "no wheel\nfor torch",
            r"failed with BUILD_ERROR \(no wheel for torch\); its log",
        ),
        (["RUNTIME_ERROR"], "", r"failed with RUNTIME_ERROR; its log is at http.*/spaces/ann/studio\?logs=container"),
        (["PAUSED"], "", "is paused; restart it in its settings"),
        (["BUILDING"], "", r"did not start within 30 minutes and is still building; see http.*logs=build"),
    ],
)
def test_a_space_that_does_not_start_is_said(
    hub: Hub, tmp_path: Path, stages: list[str], message: str, said: str
) -> None:
    pusher(hub, tmp_path).push(SECRETS)
    hub.spaces[REPO].stages, hub.spaces[REPO].message = stages, message
    with pytest.raises(SpaceUnusable, match=said):
        pusher(hub, tmp_path).push({})


def test_an_older_build_that_still_runs_is_not_taken_for_the_new_one(hub: Hub, tmp_path: Path) -> None:
    trying = pusher(hub, tmp_path)
    stages = iter([("RUNNING", "0" * 40), ("BUILD_ERROR", "0" * 40), ("RUNNING", f"{1:040x}")])
    shown: list[str] = []
    trying.hub.stage = _each(stages, shown)  # type: ignore[method-assign]
    trying.push(SECRETS)
    assert shown == ["RUNNING", "BUILD_ERROR", "RUNNING"]


@pytest.mark.parametrize(("failures", "answers"), [(5, True), (6, False)])
def test_a_hub_that_fails_now_and_then_is_asked_again(hub: Hub, tmp_path: Path, failures: int, answers: bool) -> None:
    pusher(hub, tmp_path).push(SECRETS)
    again, asked = pusher(hub, tmp_path), []
    real = again.hub.stage

    def stage(repo: str) -> Any:
        asked.append(repo)
        hub.fail.clear()
        if len(asked) <= failures:
            hub.fail["/runtime$"] = 503, {"error": "later"}
        return real(repo)

    again.hub.stage = stage  # type: ignore[method-assign]
    if answers:
        assert again.push({}).tried.answer == "a dog"
    else:
        with pytest.raises(SpaceUnusable, match=r"failed \(status 503\) when asked to see whether the Space runs"):
            again.push({})
    assert len(asked) == 6


def _each(stages: Any, shown: list[str]) -> Callable[[str], Any]:
    from blip2.space.hub import Stage

    def stage(repo: str) -> Stage:
        name, commit = next(stages)
        shown.append(name)
        return Stage(name, commit)

    return stage
