"""The Hub's real client against a stand-in of the Hub: what is created, what is changed, and what is left alone."""

import base64
from pathlib import Path
from typing import Any

import pytest
from hubroutes import TOKEN, Hub, Space

from blip2.errors import BadSetting
from tests.space.pushing import REPO, SECRETS, WEIGHTS, pusher


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
