"""Settings that cannot be had together, each with what to leave out. It knows the settings by their names only."""

from typing import Any

from blip2.errors import BadSetting

DEFEATED = ("api_keys_file", "folders", "manage")  # what a link for everyone would open to everyone
SHARING = (
    ("root_path", "the link leads to the page itself, under no path"),
    ("trust_proxy", "the tunnel is no proxy of yours, and what it says of visitors' addresses proves nothing"),
    ("hosts", "visitors come by the link's name, which is not known before"),
    ("zerogpu", "a Space has an address of its own"),
)


def check(settings: Any) -> None:
    """Raises `BadSetting` for the first pair of settings of which one would defeat the other."""
    if settings.mcp and settings.auth_file:
        raise BadSetting("MCP tools would pass by the sign-in; leave out --mcp or --auth-file.")
    if not settings.share:
        return
    for name, why in SHARING:
        if getattr(settings, name):
            raise BadSetting(f"With --share, {why}; leave out --share or {_flag(name)}.")
    opened = [_flag(name) for name in DEFEATED if getattr(settings, name)]
    if opened and not settings.auth_file:
        raise BadSetting(
            f"With --share, whoever has the link gains all that {' and '.join(opened)} should keep to a few; have "
            "people sign in with --auth-file, or leave out --share."
        )


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
