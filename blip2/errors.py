"""The exception tree. Every message is one sentence that can be shown to a user: what was wrong, and what to do.

Blip2Error
├── BadInput              what was sent cannot be used
│   ├── BadImage          not a picture, too large, damaged
│   ├── BadPrompt         empty, or longer than the model's budget
│   └── BadSetting        an unknown key or a value out of range
├── UnknownModel          no such row, folder or Hub id
├── ModelUnusable         the model cannot run here
│   ├── NotACheckpoint    a folder or repository without a BLIP-2 model in it
│   ├── FailedSelfCheck   the checkpoint would answer wrongly in silence
│   ├── WillNotFit        not enough memory for the model in this dtype
│   └── MissingHardware   the device or dtype asked for does not exist here
├── VotesUnusable         the file of votes cannot be read or written, or is none
├── SpaceUnusable         the Hub refused what was asked of a Space, or the Space does not run
├── Busy                  too many requests are waiting; try again later
├── Halted                the work was given up, as the one who began it wished
└── Closed                the engine was shut down while the request waited
"""


class Blip2Error(Exception):
    """The root: `str(error)` is the sentence for the user."""


class BadInput(Blip2Error):
    """What was sent cannot be used; raised before any model work is done."""


class BadImage(BadInput):
    """A file that is no picture, is damaged, or is larger than the limits allow."""


class BadPrompt(BadInput):
    """An empty question, or one that does not fit the model's budget of tokens."""


class BadSetting(BadInput):
    """An unknown setting, or a value outside its range."""


class UnknownModel(Blip2Error):
    """A name that is no row of the zoo, no folder and no Hub id."""


class ModelUnusable(Blip2Error):
    """The model exists but cannot run here."""


class NotACheckpoint(ModelUnusable):
    """A folder or repository that holds no BLIP-2 checkpoint."""


class FailedSelfCheck(ModelUnusable):
    """A checkpoint that would answer wrongly without any error."""


class WillNotFit(ModelUnusable):
    """Not enough memory on the device for the model in the dtype asked for."""


class MissingHardware(ModelUnusable):
    """A device, or a dtype that needs one, that this machine does not have."""


class VotesUnusable(Blip2Error):
    """The file of votes cannot be read or written, is damaged, or belongs to something else."""


class SpaceUnusable(Blip2Error):
    """The Hub refused what was asked of it, could not be reached, or the Space did not start or answer rightly."""


class Busy(Blip2Error):
    """The queue is full; the message says when to try again."""


class Halted(Blip2Error):
    """The work was given up on request; nothing is wrong."""


class Closed(Blip2Error):
    """The engine was closed while the request was waiting or running."""
