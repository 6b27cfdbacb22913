"""BLIP-2 Studio: talk about pictures with BLIP-2.

`blip2.load_model_and_preprocess` is LAVIS's function of that name. It is imported when first asked for, so that
`import blip2` and the commands that need no model stay free of torch.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from blip2.lavis import load_model_and_preprocess

__all__ = ["__version__", "load_model_and_preprocess"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name == "load_model_and_preprocess":
        from blip2.lavis import load_model_and_preprocess

        return load_model_and_preprocess
    raise AttributeError(f"module 'blip2' has no attribute {name!r}")
