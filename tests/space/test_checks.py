"""Each check finds what is wrong, says it in a sentence, and is silent about what is right."""

from pathlib import Path

import pytest

from blip2.space.checks import check
from blip2.space.render import readme
from blip2.space.spacefile import NAME, read
from tests.space.spacefiles import TEXT, changed, project

ROOT = Path(__file__).resolve().parents[2]
LAVIS = ("BLIP2_MODELS", 'BLIP2_MODELS = ["blip2_t5/pretrain_flant5xxl"]')
TUNED = ("BLIP2_MODELS", 'BLIP2_MODELS = ["Salesforce/blip2-opt-2.7b"]')
CARD = ("colorTo", 'colorTo = "gray"\nmodels = ["Salesforce/blip2-flan-t5-xxl"]')
CARD_OPT = ("colorTo", 'colorTo = "gray"\nmodels = ["Salesforce/blip2-opt-2.7b"]')


def wrong(folder: Path, text: str = TEXT) -> list[str]:
    """All sentences of the checks of a project whose README is as it should be."""
    path = project(folder, text)
    spacefile = read(path)
    (folder / "README.md").write_text(readme(spacefile, folder)[1], encoding="utf-8")
    return [sentence for each in check(spacefile, folder) for sentence in each.wrong]


def test_a_good_one_passes(tmp_path: Path) -> None:
    assert wrong(tmp_path) == []


def test_the_projects_own_passes() -> None:
    found = check(read(ROOT / NAME), ROOT)
    assert [each.wrong for each in found if not each.ok] == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([("sdk_version", 'sdk_version = "6.30.0"')], "requirements.txt pins gradio at 6.31.*"),
        ([("sdk_version", 'sdk_version = "6.31.*"')], "write an exact version"),
        ([("python_version", 'python_version = "3.11.9"')], "ZeroGPU has 3.12.12 and 3.10.13 only"),
        ([("python_version", 'python_version = "3.10.13"')], "the project needs 3.11 or newer"),
        ([("torch", "")], "PyTorch would be 2.13.0 on ZeroGPU, which takes 2.8.0 to 2.11.0; set space.torch"),
        ([("torch", 'torch = "2.7.1"')], "PyTorch would be 2.7.1"),
        ([("hardware", 'hardware = "t4-small"')], "off ZeroGPU the pin 2.13.0 is kept"),
        ([("hardware", 'hardware = "h900"')], "space.hardware is 'h900'; choose one of cpu-basic"),
        ([("owner", 'owner = "a/b"')], "space.owner is 'a/b'"),
        ([("owner", 'owner = "ann"\nsdk = "docker"')], "space.sdk is 'docker'"),
        ([("owner", 'owner = "ann"\nvisibility = "secret"')], "choose one of public, private"),
        ([("colorTo", 'colorTo = "mauve"')], "card.colorTo is 'mauve'"),
        ([("emoji", 'emoji = "picture"')], "a single emoji"),
        ([("title", f'title = "S"\nshort_description = "{"x" * 61}"')], "has 61 characters; the Hub takes 60"),
        ([("BLIP2_HOST", 'HOST = "0.0.0.0"')], "HOST is no setting, since it does not begin with BLIP2_"),
        ([("BLIP2_HOST", 'BLIP2_PROT = "7"')], "BLIP2_PROT is unknown. Did you mean BLIP2_PORT?"),
        ([("BLIP2_HOST", 'BLIP2_PORT = "many"')], "BLIP2_PORT must be a whole number, not 'many'"),
        ([("BLIP2_HOST", 'BLIP2_HOST = "hf_abcdefghijklm"')], "looks like a secret"),
        ([("BLIP2_HOST", "BLIP2_MAX_UPLOAD_MB = 7")], "say the same setting twice"),
        ([("max_upload_mb", "max_upload = 7")], "unknown key limits.max_upload; the nearest allowed one is"),
        ([("max_upload_mb", "port = 7")], "unknown key limits.port"),
        ([("max_upload_mb", "max_upload_mb = 0")], "must lie between 1 and 1000"),
        ([("max_upload_mb", "max_upload_mb = 2.5")], "limits.max_upload_mb of the Spacefile must be a whole number"),
        ([("required", 'required = ["hf_abcdefghijklm"]')], "write its name, never its value"),
        ([("required", 'required = ["BLIP2_HOST"]')], "BLIP2_HOST is a secret and a variable"),
        ([("include", 'include = ["app.py", "bilp2"]')], "files.include has 'bilp2', and there is no such file"),
        ([("include", 'include = ["blip2"]')], "app.py, which the Space starts"),
        ([("include", 'include = ["app.py", "tests"]')], "tests/test_app.py would be pushed (1 such files)"),
        ([("picture", 'picture = "beach.png"')], "smoke.picture names beach.png"),
        ([("answers", "answers = []")], "smoke needs a question"),
        ([("BLIP2_MODELS", 'BLIP2_MODELS = "someone/some-model"')], "'someone/some-model' is no row of the zoo"),
        (
            [LAVIS, CARD, ("hardware", 'hardware = "t4-small"'), ("torch", "")],
            "flant5xxl needs 19.3 GB in nf4, and t4-small has 16.0 GB",
        ),
        ([LAVIS, CARD, ("BLIP2_HOST", 'BLIP2_DTYPE = "float16"')], "is not right in float16"),
        ([LAVIS, CARD, ("BLIP2_HOST", 'BLIP2_DTYPE = "float32"')], "needs 53.2 GB in float32, and zero-a10g has 45"),
        ([LAVIS], "card.models names none, and the app offers Salesforce/blip2-flan-t5-xxl"),
        ([CARD], "card.models names Salesforce/blip2-flan-t5-xxl, and the app offers none"),
    ],
)
def test_what_is_wrong_is_said_once(tmp_path: Path, changes: list[tuple[str, str]], said: str) -> None:
    (found,) = wrong(tmp_path, changed(*changes))
    assert said in found
    assert "hf_abc" not in found


def test_a_hub_id_of_a_row_is_that_row(tmp_path: Path) -> None:
    assert wrong(tmp_path, changed(TUNED, CARD_OPT)) == []


def test_hardware_without_bfloat16_is_no_place_for_bfloat16(tmp_path: Path) -> None:
    dtype = ("BLIP2_HOST", 'BLIP2_DTYPE = "bfloat16"')
    t4 = [("hardware", 'hardware = "t4-small"'), ("torch", ""), TUNED, CARD_OPT]
    assert wrong(tmp_path, changed(*t4)) == []
    assert "is not right in bfloat16 on t4-small" in wrong(tmp_path, changed(*t4, dtype))[0]


def test_zerogpu_holds_all_models_at_once(tmp_path: Path) -> None:
    names = ["blip2_t5/pretrain_flant5xxl", "blip2_opt/pretrain_opt6.7b", "blip2_opt/caption_coco_opt6.7b"]
    hubs = ["Salesforce/blip2-flan-t5-xxl", "Salesforce/blip2-opt-6.7b", "Salesforce/blip2-opt-6.7b-coco"]
    text = changed(
        ("BLIP2_MODELS", f"BLIP2_MODELS = {names}".replace("'", '"')),
        ("colorTo", f'colorTo = "gray"\nmodels = {hubs}'.replace("'", '"')),
    )
    (found,) = wrong(tmp_path, text)
    assert "The models need 61." in found
    big = changed(("hardware", 'hardware = "a10g-largex2"'), ("torch", ""), text=text)
    assert wrong(tmp_path, big) == []


def test_a_readme_with_another_front_matter_is_said(tmp_path: Path) -> None:
    path = project(tmp_path)
    assert [each.name for each in check(read(path), tmp_path) if not each.ok] == ["README"]


def test_a_file_over_the_limit_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blip2.space.checks.LARGEST", 20)
    (found,) = wrong(tmp_path)
    assert "leave some out" in found
