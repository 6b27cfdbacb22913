"""Settings that would defeat each other are refused with what to leave out."""

from typing import Any

import pytest

from blip2.errors import BadSetting
from blip2.settings import Settings


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"mcp": True, "auth_file": "people.txt"}, "leave out --mcp or --auth-file"),
        ({"share": True, "root_path": "/studio"}, "leave out --share or --root-path"),
        ({"share": True, "trust_proxy": True}, "leave out --share or --trust-proxy"),
        ({"share": True, "hosts": ("a.example",)}, "leave out --share or --hosts"),
        ({"share": True, "zerogpu": True}, "leave out --share or --zerogpu"),
        ({"share": True, "api_keys_file": "keys.txt"}, "all that --api-keys-file should keep"),
        ({"share": True, "folders": ("/pictures",), "manage": True}, "all that --folders and --manage should keep"),
    ],
)
def test_two_that_defeat_each_other_are_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(BadSetting, match=said):
        Settings(**given)


def test_each_alone_is_taken_and_a_sign_in_makes_sharing_safe() -> None:
    for given in ({"share": True}, {"root_path": "/studio"}, {"mcp": True}, {"share": True, "mcp": True}):
        Settings(**given)  # type: ignore[arg-type]
    Settings(share=True, auth_file="people.txt", api_keys_file="keys.txt", folders=("/pictures",), manage=True)
    assert not Settings().share
