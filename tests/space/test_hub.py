"""Where the token comes from, and that it is never shown."""

from pathlib import Path

import pytest
from hubroutes import TOKEN, Hub

from blip2.errors import BadSetting
from blip2.space.hub import Hub as Client
from blip2.space.hub import token_of


def test_the_file_goes_before_the_environment(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("hf_file\n", encoding="utf-8")
    assert token_of(path, {"HF_TOKEN": "hf_environment"}) == "hf_file"
    assert token_of(None, {"HF_TOKEN": " hf_environment "}) == "hf_environment"


@pytest.mark.parametrize("content", ["", "two words", "two\nlines"])
def test_no_token_is_a_sentence(tmp_path: Path, content: str) -> None:
    path = tmp_path / "token"
    path.write_text(content, encoding="utf-8")
    for file, environment in ((path, {}), (None, {"HF_TOKEN": content})):
        with pytest.raises(BadSetting, match="set HF_TOKEN, or give --token-file"):
            token_of(file, environment)
    with pytest.raises(BadSetting, match="cannot be read"):
        token_of(tmp_path / "none", {})


def test_the_account_is_the_tokens(hub: Hub) -> None:
    assert Client(TOKEN, hub.endpoint).account() == "ann"
