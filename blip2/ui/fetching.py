"""Files named by address in a request to the page: fetched only where the administrator allows it, and within limits.

By itself gradio fetches any public address for anyone, of any size, for every endpoint that takes a file. The rules
here are those of the API: `image_urls`, and `blip2.api.remote` with its checks of address, size, type and time.
"""

import asyncio
import hashlib
from pathlib import Path

import gradio as gr
from gradio import processing_utils

from blip2.api.failures import Refusal
from blip2.api.remote import Fetcher
from blip2.settings import Settings

OFF = "Addresses of pictures are not fetched here; send the picture itself."


def fetch_by(settings: Settings) -> None:
    """Have gradio fetch files by these settings from now on."""
    fetcher = Fetcher(settings.max_upload_mb * 1_000_000)

    async def download(url: str, cache_dir: str) -> str:
        if not settings.image_urls:
            raise gr.Error(OFF, print_exception=False)
        try:
            data = await asyncio.to_thread(fetcher.fetch, url, "picture")
        except Refusal as refused:
            raise gr.Error(refused.message, print_exception=False) from None
        folder = Path(cache_dir) / hashlib.sha256(data).hexdigest()
        await asyncio.to_thread(_keep, folder, data)
        return str(folder / "picture")

    processing_utils.async_ssrf_protected_download = download


def _keep(folder: Path, data: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "picture").write_bytes(data)
