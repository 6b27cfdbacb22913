"""What a backend says of itself: its state now, and whether a model would fit. Knows no torch."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ModelStats:
    """One loaded model now. `tokens` were written since it was loaded; `pace` is tokens a second over the answers of
    the last two minutes, all together. `prompt_reused` tokens of prompts were not read again (OPT: kept keys and
    values; FlanT5: kept encoder outputs), `prompt_read` were. `since` is its age in seconds. `note` says what dtype and
    device were picked and why, `checks` names the self-checks it passed."""

    title: str
    family: str
    device: str
    dtype: str
    memory_bytes: int
    tokens: int = 0
    pace: float = 0.0
    prompt_reused: int = 0
    prompt_read: int = 0
    since: float = 0.0
    note: str = ""
    checks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stats:
    """A backend's state now: the models loaded, requests running and waiting by model, cache counts, and memory.

    `rss_bytes` is this process's main memory; the `gpu_` figures are zero without CUDA. `loading` names the model that
    is being loaded, if one is.
    """

    running: dict[str, int] = field(default_factory=dict)
    waiting: dict[str, int] = field(default_factory=dict)
    steps: dict[str, int] = field(default_factory=dict)
    loaded: tuple[str, ...] = ()
    image_hits: int = 0
    image_misses: int = 0
    image_bytes: int = 0
    models: dict[str, ModelStats] = field(default_factory=dict)
    loading: str = ""
    rss_bytes: int = 0
    gpu_allocated: int = 0
    gpu_total: int = 0


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether a model would fit here now, and why in a sentence. Bytes are zero where they could not be told."""

    model: str
    fits: bool
    sentence: str
    need_bytes: int = 0
    free_bytes: int = 0
    dtype: str = ""
    device: str = ""
