"""The entry point: what prevents the page from being served is one sentence, not a traceback."""

from pathlib import Path

import pytest

import app
from blip2.cli.serve import settled
from blip2.settings import Settings


@pytest.mark.parametrize(
    ("flags", "words"),
    [(["--port", "99999"], "port"), (["--port", "lots"], "--port"), (["--device", "toaster"], "toaster")],
)
def test_a_wrong_flag_is_a_sentence_and_status_1(flags: list[str], words: str, capsys: pytest.CaptureFixture[str]):
    assert app.main(flags) == 1
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
    assert "Traceback" not in said


def test_limits_of_a_spacefile_in_the_folder_hold_below_variables_and_flags(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BLIP2_MAX_WAITING", raising=False)
    assert settled({}).max_waiting == Settings().max_waiting
    Path("Spacefile").write_text("[limits]\nmax_waiting = 3\nmax_album_mb = 4\nmax_upload_mb = 5\n", encoding="utf-8")
    monkeypatch.setenv("BLIP2_MAX_ALBUM_MB", "40")
    monkeypatch.setenv("BLIP2_MAX_UPLOAD_MB", "50")
    made = settled({"max_upload_mb": "500"})
    assert (made.max_waiting, made.max_album_mb, made.max_upload_mb) == (3, 40, 500)


def test_a_wrong_spacefile_is_a_sentence_and_status_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("Spacefile").write_text("[limits]\nport = 3\n", encoding="utf-8")
    assert app.main([]) == 1
    assert capsys.readouterr().err.startswith(
        "The Spacefile has an unknown key limits.port; the nearest allowed one is"
    )
