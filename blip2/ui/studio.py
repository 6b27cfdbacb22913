"""What every tab is built from: the settings, the backend, and the measure that tells foreign pictures from scenes."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from blip2.backends.base import Backend
from blip2.pocket.photos import is_photograph
from blip2.settings import Settings
from blip2.ui import behind
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
        settings = self.settings
        of_address = settings.address_waiting, settings.address_rate
        return Visitors(
            settings.visitor_waiting,
            settings.visitor_rate,
            of_address,
            behind.asking(settings.trust_proxy),
            settings.at_once,
        )
