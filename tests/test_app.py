"""The entry point: what prevents the page from being served is one sentence, not a traceback."""

import pytest

import app


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
