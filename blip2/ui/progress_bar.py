"""How far a long piece of work is, as every tab shows it: a bar, and a line of words under it. Pure markup.

Its look is in assets/style/progress.css.
"""

from collections.abc import Sequence

from blip2.evaluation.progress import duration


def bar(label: str, done: int, total: int, words: Sequence[str] = (), running: bool = True) -> str:
    """A bar called `label` for screen readers; `words`, which are markup, follow the count."""
    share = done / total if total else 0.0
    line = " · ".join([f"<b>{done:,} of {total:,}</b>", *words])
    return (
        f'<div class="progress{" running" if running else ""}"><div class="bar" role="progressbar" '
        f'aria-label="{label}" aria-valuemin="0" aria-valuemax="{total}" aria-valuenow="{done}">'
        f'<i style="width:{100 * share:.1f}%"></i></div><p>{line}</p></div>'
    )


def pace(rate: float, left: int) -> list[str]:
    """How fast it goes, `rate` a second, and how long `left` more will take; nothing while that is not known."""
    if rate <= 0:
        return []
    return [f"{rate:.1f} a second" if rate >= 1 else f"{60 * rate:.0f} a minute", f"{spent(left / rate)} left"]


def spent(seconds: float) -> str:
    """A time that work takes: `0:07`, and no `0:00`."""
    return duration(seconds) if seconds >= 1 else "under a second"


def pictures(count: int) -> str:
    """`1 picture`, `1,200 pictures`."""
    return f"{count:,} picture{'' if count == 1 else 's'}"


def bad(count: int, what: str) -> list[str]:
    """What went wrong, in red: `3 could not be read`."""
    return [f'<span class="bad">{count:,} {what}</span>'] if count else []
