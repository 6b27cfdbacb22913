"""Whether the models that a Space offers are rows of the zoo, and fit its hardware in their dtype.

It opens no weights and knows no torch.
"""

from blip2 import settings
from blip2.errors import BadSetting
from blip2.memory import Dtype, gigabytes
from blip2.settings import Settings
from blip2.space.hardware import KINDS, Hardware, automatic, need, safe
from blip2.space.spacefile import Spacefile
from blip2.zoo import ROWS, Row


def misfits(spacefile: Spacefile) -> list[str]:
    """What is wrong with the models, a sentence each."""
    chosen, hardware = settings_of(spacefile), KINDS.get(spacefile.space.hardware)
    if chosen is None or hardware is None:
        return []  # said by the checks of variables and of the space
    # `zoo.find` would take any Hub id for a model: what the Spacefile declares must be a row.
    rows = {name: row for row in ROWS for name in (row.key, row.hub) if name}
    wrong = [
        f"The model {name!r} is no row of the zoo; python -m blip2 zoo lists them."
        for name in (*chosen.models, *chosen.allow)
        if name not in rows
    ]
    offered = list(dict.fromkeys(rows[name].key for name in (*chosen.models, *chosen.allow) if name in rows))
    wrong += [said for key in offered if (said := _misfit(rows[key], chosen.dtype, hardware))]
    if hardware.lends and not wrong:
        total = sum(least(rows[key], chosen.dtype, hardware) for key in offered)
        if total > hardware.room:
            wrong.append(
                f"The models need {gigabytes(total)} together, ZeroGPU holds all of them at once in "
                f"{gigabytes(hardware.room)}; offer fewer, or a narrower dtype."
            )
    return wrong + _card(spacefile, [rows[key].hub for key in offered if rows[key].hub])


def settings_of(spacefile: Spacefile) -> Settings | None:
    """The settings that the app would have there; None where they are wrong."""
    try:
        return settings.load({}, dict(spacefile.variables), spacefile.limits)
    except BadSetting:
        return None


def least(row: Row, dtype: str, hardware: Hardware) -> int:
    """Bytes that the model takes in the dtype it would be loaded in; 0 where it does not fit in any."""
    return next((size for _, size in sizes(row, dtype, hardware) if size <= hardware.room), 0)


def sizes(row: Row, dtype: str, hardware: Hardware) -> list[tuple[Dtype, int]]:
    """The dtypes that would be tried, and the bytes of each."""
    parts = row.counted()
    if parts is None or row.family is None:
        return []
    if dtype == "auto":
        tried = automatic(parts, row.family, hardware)
    else:
        tried = tuple(each for each in safe(parts, row.family, hardware) if each == dtype)
    return [(each, need(parts, row.family, each, hardware)) for each in tried]


def _misfit(row: Row, dtype: str, hardware: Hardware) -> str:
    tried = sizes(row, dtype, hardware)
    if not tried:
        return f"{row.key} is not right in {dtype} on {hardware.name}; choose another BLIP2_DTYPE, such as auto."
    if least(row, dtype, hardware):
        return ""
    name, size = min(tried, key=lambda each: each[1])
    return (
        f"{row.key} needs {gigabytes(size)} in {name}, and {hardware.name} has {gigabytes(hardware.room)}; offer a "
        "smaller model or take larger hardware."
    )


def _card(spacefile: Spacefile, hubs: list[str]) -> list[str]:
    """The card's models are those that the app fetches from the Hub, so that the Hub links them."""
    declared = set(spacefile.card.models)
    if declared == set(hubs):
        return []
    should = ", ".join(hubs) or "none"
    return [f"card.models names {', '.join(sorted(declared)) or 'none'}, and the app offers {should}; make them equal."]
