"""What every tab is built from: the settings, the backend, and the measure that tells foreign pictures from scenes."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from blip2.backends.base import Backend
from blip2.pocket.photos import is_photograph
from blip2.settings import Settings
from blip2.ui.visitors import Visitors
from blip2.values import Picture


@dataclass(frozen=True)
class Studio:
    """Handed to each tab's builder. `is_foreign` says whether a picture is none of the pocket models' scenes."""

    settings: Settings
    backend: Backend
    is_foreign: Callable[[Picture], bool] = is_photograph

    @cached_property
    def visitors(self) -> Visitors:
        """Gives each visitor a share of the models."""
        return Visitors(self.settings.visitor_waiting, self.settings.visitor_rate)
