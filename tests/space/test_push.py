"""The Hub's real client against a stand-in of the Hub: what is created, changed or left alone; each way to fail."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hubroutes import TOKEN, Hub, Space

from blip2.errors import BadSetting, SpaceUnusable
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


def sent(hub: Hub, method: str, ending: str) -> list[Any]:
    """The data of the requests with this method and end of the path."""
    return [each.data for each in hub.sent if each.method == method and each.path.split("?")[0].endswith(ending)]


def test_a_new_space_is_created_whole(hub: Hub, tmp_path: Path) -> None:
    said: list[str] = []
    done = pusher(hub, tmp_path, say=said.append).push(SECRETS)
    (created,) = sent(hub, "POST", "/repos/create")
    assert created == {
        "name": "studio",
        "organization": "ann",
        "visibility": "public",
        "type": "space",
        "sdk": "gradio",
        "hardware": "zero-a10g",
    }
    space = hub.spaces[REPO]
    assert space.variables == {"BLIP2_MODELS": "blip2_opt/pocket_opt,blip2/pocket", "BLIP2_HOST": "0.0.0.0"}
    assert space.secrets == SECRETS
    assert space.files["app.py"] == b"print('hello')\n"
    assert space.files["requirements.txt"].startswith(b"torch==2.11.0")
    assert b"gradio" not in space.files["requirements.txt"]
    assert space.files["README.md"].startswith(b"---\ntitle: Studio\n")
    assert not [path for path in space.files if "tests" in path or "__pycache__" in path or path.endswith(".log")]
    assert (done.url, done.tried.answer) == (hub.app, "a dog")
    assert said[-4:] == ["the Space is building", "the Space is app starting", "the Space is running", "trying it out"]


def test_weights_go_by_lfs_and_text_in_the_commit(hub: Hub, tmp_path: Path) -> None:
    pusher(hub, tmp_path).push(SECRETS)
    (asked,) = sent(hub, "POST", "/info/lfs/objects/batch")
    assert sorted(each["size"] for each in asked["objects"]) == [85, len(WEIGHTS)]  # the picture and the weights
    (lines,) = sent(hub, "POST", "/commit/main")
    keys = {line["value"].get("path"): line["key"] for line in lines}
    assert keys["assets/model.safetensors"] == "lfsFile"
    assert keys["app.py"] == "file"
    assert hub.spaces[REPO].files["assets/model.safetensors"] == WEIGHTS
    assert hub.spaces[REPO].lfs == {"assets/model.safetensors", "assets/examples/beach.jpg"}


def test_a_second_push_changes_nothing(hub: Hub, tmp_path: Path) -> None:
    pusher(hub, tmp_path).push(SECRETS)
    hub.sent.clear()
    again = pusher(hub, tmp_path)
    assert again.plan()[2] == []
    assert again.push({}).changes == ()
    assert hub.writes() == []


def test_only_what_differs_is_changed(hub: Hub, tmp_path: Path) -> None:
    pusher(hub, tmp_path).push(SECRETS)
    space = hub.spaces[REPO]
    space.variables |= {"BLIP2_HOST": "127.0.0.1", "BLIP2_PORT": "80", "HF_HOME": "/data"}
    space.files |= {"app.py": b"old", "stray.py": b"old"}
    space.hardware, space.stages = "cpu-basic", ["RUNNING"]
    hub.sent.clear()
    done = pusher(hub, tmp_path, ("owner", 'owner = "ann"\nsleep_seconds = 900\nvisibility = "public"')).push({})
    assert [each.line() for each in done.changes] == [
        "~ hardware: cpu-basic -> zero-a10g",
        "~ sleep: nothing -> 900",
        "~ variable BLIP2_HOST: 127.0.0.1 -> 0.0.0.0",
        "- variable BLIP2_PORT",
        "~ file app.py",
        "- file stray.py",
    ]
    assert hub.writes() == ["POST variables", "DELETE variables", "POST hardware", "POST sleeptime", "POST commit"]
    (lines,) = sent(hub, "POST", "/commit/main")
    assert [(line["key"], line["value"].get("path")) for line in lines[1:]] == [
        ("deletedFile", "stray.py"),
        ("file", "app.py"),
    ]
    assert base64.b64decode(lines[2]["value"]["content"]) == b"print('hello')\n"
    assert space.variables == {
        "BLIP2_MODELS": "blip2_opt/pocket_opt,blip2/pocket",
        "BLIP2_HOST": "0.0.0.0",
        "HF_HOME": "/data",
    }
    assert (space.hardware, space.sleep) == ("zero-a10g", 900)


def test_volumes_are_mounted_and_taken_away(hub: Hub, tmp_path: Path) -> None:
    volume = ("[smoke]", '[[volumes]]\nsource = "ann/votes"\nmount_path = "/data"\n\n[smoke]')
    pusher(hub, tmp_path, volume).push(SECRETS)
    space = hub.spaces[REPO]
    assert space.volumes == [{"type": "bucket", "source": "ann/votes", "mountPath": "/data", "readOnly": False}]
    assert pusher(hub, tmp_path, volume).plan()[2] == []
    (gone,) = pusher(hub, tmp_path).plan()[2]
    assert gone.line() == "~ volumes: ann/votes:/data -> nothing"
    pusher(hub, tmp_path).push({})
    assert space.volumes == []


def test_a_private_space_is_asked_with_the_token(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr("blip2.space.push.try_out", lambda url, smoke, folder, token, *_: seen.append(token))
    pusher(hub, tmp_path).push(SECRETS)
    private = ("owner", 'owner = "ann"\nvisibility = "private"')
    (change,) = pusher(hub, tmp_path, private).plan()[2]
    assert change.line() == "~ visibility: public -> private"
    pusher(hub, tmp_path, private).push({})
    assert hub.spaces[REPO].visibility == "private"
    assert seen == ["", TOKEN]


def test_a_missing_secret_stops_before_anything_is_changed(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="Nothing was pushed, for the Space lacks the secret BLIP2_KEY"):
        pusher(hub, tmp_path).push({})
    assert hub.writes() == []


def test_a_wrong_spacefile_stops_before_the_hub_is_asked(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(
        BadSetting, match=r"Nothing was pushed, for the Spacefile is not right: space\.sdk_version is 6\.30"
    ):
        pusher(hub, tmp_path, ("sdk_version", 'sdk_version = "6.30.0"')).push(SECRETS)
    assert hub.sent == []


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


def _each(stages: Any, shown: list[str]) -> Callable[[str], Any]:
    from blip2.space.hub import Stage

    def stage(repo: str) -> Stage:
        name, commit = next(stages)
        shown.append(name)
        return Stage(name, commit)

    return stage


def test_a_stranger_to_the_spacefile_differs_by_everything(hub: Hub, tmp_path: Path) -> None:
    hub.spaces[REPO] = Space()
    found = {(each.kind, each.action) for each in pusher(hub, tmp_path).plan()[2]}
    assert found == {
        ("hardware", "change"),
        ("sdk_version", "change"),
        ("variable", "add"),
        ("secret", "missing"),
        ("file", "add"),
    }
    assert hub.writes() == []


def test_the_whole_tree_is_read_page_by_page(hub: Hub, tmp_path: Path) -> None:
    hub.spaces[REPO] = Space(files={f"old/{number}.txt": b"x" for number in range(11)})
    gone = [each.name for each in pusher(hub, tmp_path).plan()[2] if each.action == "remove"]
    assert sorted(gone) == sorted(f"old/{number}.txt" for number in range(11))
