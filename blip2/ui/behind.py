"""Who is behind the event that gradio is handling: the name signed in with, and the network address."""

from collections.abc import Callable

from gradio.context import LocalContext

from blip2.api.allowance import forwarded
from blip2.ui.visitors import Behind


def asking(trust_proxy: bool) -> Callable[[], Behind]:
    """A function that tells who makes the present event; nobody outside of one.

    With `trust_proxy` the address is the one that the proxy in front wrote into X-Forwarded-For.
    """

    def behind() -> Behind:
        request = LocalContext.request.get(None)
        if request is None:
            return Behind()
        client = getattr(request, "client", None)
        host = str(getattr(client, "host", "") or "")
        header = str(request.headers.get("x-forwarded-for", ""))
        return Behind(str(getattr(request, "username", "") or ""), forwarded(host, header, trust_proxy))

    return behind
