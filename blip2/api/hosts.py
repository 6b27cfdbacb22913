"""The names that a server answers to.

The name of another site can be made to lead to this machine while a page of that site is open (DNS rebinding). The
browser then takes both for one site and sends no foreign Origin; the Host header alone still has the name. Addresses in
digits and localhost are no names that anyone could lead elsewhere. It knows no gradio and no model.
"""

import ipaddress
from collections.abc import Collection

from blip2.settings import Settings

HERE = "localhost"
ANY = "*"


def expected(settings: Settings) -> frozenset[str] | None:
    """The names to answer to, `*.` before one standing for all below it; None: any.

    Without `hosts` there are none but this machine's own where nothing else can reach it. A link or a proxy brings
    visitors under names that are not known here.
    """
    if ANY in settings.hosts:
        return None
    if settings.hosts:
        return frozenset(name.lower() for name in (*settings.hosts, settings.host))
    is_behind = settings.share or settings.trust_proxy or bool(settings.root_path)
    return None if is_behind or not _is_loopback(settings.host) else frozenset({settings.host.lower()})


def name_in(header: str) -> str:
    """The name in a Host header, without its port: `[::1]:7860` -> `::1`."""
    name = header.strip().lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.partition(":")[0].rstrip(".")


def answers_to(name: str, names: Collection[str] | None) -> bool:
    """Whether a request that calls the server `name` is answered. Without a name (HTTP/1.0) there is no browser."""
    if names is None or not name or _is_address(name) or name == HERE or name.endswith("." + HERE):
        return True
    return any(name == each or (each.startswith("*.") and name.endswith(each[1:])) for each in names)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return host == HERE or (_is_address(host) and ipaddress.ip_address(host).is_loopback)
