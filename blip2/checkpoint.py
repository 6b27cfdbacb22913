"""The small files of a checkpoint, from a folder or the Hub: configuration, tokenizer, preprocessing. No weights.

It tells a folder or repository that is no BLIP-2 checkpoint from one that is, in a sentence, before gigabytes are read.
"""

import hashlib
import json
import os
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import torch

from blip2.errors import NotACheckpoint
from blip2.memory import Family
from blip2.zoo import Row, family_of

HASHED = 100_000_000  # weights up to this many bytes are hashed to name a folder's revision
HEAD = "language_model.lm_head.weight"
VOCABULARIES = ("vocab.json", "spiece.model", "vocab.txt")  # OPT's, T5's, BERT's, of checkpoints before tokenizer.json
_TOKENIZER = "{} has no usable tokenizer; a BLIP-2 checkpoint needs tokenizer.json beside config.json."
QUERIES = "query_tokens"
HEAD_ROWS = 64  # enough to tell one matrix from another


@dataclass(frozen=True, slots=True)
class Files:
    """`source` is a folder or Hub id, `offline` keeps the loader from asking the Hub, `revision` is a commit there."""

    source: str
    family: Family
    config: Any = field(repr=False)  # Blip2Config
    preprocessor: dict[str, Any] = field(repr=False)
    revision: str = ""
    offline: bool = True

    def tokenizer(self) -> Any:
        """The tokenizer exactly as tokenizer.json has it.

        `AutoTokenizer` would pick GPT2Tokenizer or T5Tokenizer for a folder, which rebuild parts of it (double spaces
        collapse), so it is the way only for old checkpoints without a tokenizer.json.
        """
        from transformers import AutoTokenizer, PreTrainedTokenizerFast

        chosen = PreTrainedTokenizerFast if self.path("tokenizer.json") else AutoTokenizer
        if chosen is AutoTokenizer and not any(self.path(name) for name in VOCABULARIES):
            raise NotACheckpoint(_TOKENIZER.format(self.source))
        try:
            return chosen.from_pretrained(self.source, revision=self.revision or "main", local_files_only=self.offline)
        except Exception as error:  # the tokenizers library raises bare Exception for a damaged file
            raise NotACheckpoint(_TOKENIZER.format(self.source)) from error

    def path(self, name: str) -> Path | None:
        """Where one file of the checkpoint is on this machine, or None."""
        return _path(self.source, name, self.revision or "main", self.offline)

    def saved_head(self) -> dict[str, torch.Tensor]:
        """The first rows of the language model's head as the file has them; empty where it has none of its own."""
        head = self._saved(HEAD, HEAD_ROWS)
        return {} if head is None else {HEAD: head}

    def with_queries(self) -> "Files":
        """Files whose configuration counts the query tokens as the weights do: old config.json leave the number out."""
        queries = self._saved(QUERIES, 1)  # [1, Q, D]
        if queries is not None:
            self.config.num_query_tokens = queries.shape[1]
        return self

    def _saved(self, name: str, rows: int) -> torch.Tensor | None:
        """The first rows of one tensor, read from a safetensors file without the rest of it."""
        from safetensors import SafetensorError, safe_open

        try:
            place = self.path("model.safetensors")
            if place is None:
                index = self.path("model.safetensors.index.json")
                shard = json.loads(index.read_text())["weight_map"].get(name) if index else None
                place = self.path(shard) if shard else None
            if place is None:
                return None
            with safe_open(place, framework="pt") as file:
                return file.get_slice(name)[:rows] if name in file.keys() else None  # noqa: SIM118  # no container
        except (OSError, SafetensorError, ValueError, KeyError):  # a damaged file is named when the weights are loaded
            return None

    def fingerprint(self) -> str:
        """What repeats an answer: the Hub commit, or of a folder's small weights the start of their SHA-256."""
        if self.revision:
            return self.revision
        weights = Path(self.source) / "model.safetensors"
        if not weights.is_file() or weights.stat().st_size > HASHED:
            return ""
        return "sha256:" + hashlib.sha256(weights.read_bytes()).hexdigest()[:16]


def fetch(row: Row) -> Files:
    """The small files of a row's checkpoint. Raises `NotACheckpoint` with the reason and the remedy."""
    from transformers import Blip2Config

    source = str(row.folder) if row.folder is not None else row.hub
    offline = row.folder is not None or not _reachable()
    place = _path(source, "config.json", "main", offline)
    if place is None:
        raise NotACheckpoint(_absent(row, source, offline))
    raw = _json(place)
    family = family_of(raw)
    if family is None:
        kind = raw.get("model_type") or "unknown"
        raise NotACheckpoint(
            f"{source} is no BLIP-2 checkpoint with OPT, FlanT5 or a matching head: its config.json says {kind!r}. "
            "Choose a folder or Hub id of one."
        )
    try:
        config = Blip2Config.from_dict(raw)
    except Exception as error:  # configuration classes raise whatever a wrong value trips over
        raise NotACheckpoint(f"The config.json of {source} cannot be used ({error}); download it anew.") from error
    revision = "" if row.folder is not None else _commit(place)
    preprocessor = _path(source, "preprocessor_config.json", revision or "main", offline)
    files = Files(source, family, config, _json(preprocessor) if preprocessor else {}, revision, offline)
    return files if "num_query_tokens" in raw else files.with_queries()


def _absent(row: Row, source: str, offline: bool) -> str:
    if row.folder is None:
        reach = " and the Hugging Face Hub cannot be reached from here" if offline else ""
        return (
            f"{source} is not on this machine{reach}; check the name and the connection, or download it elsewhere and "
            "give its folder."
        )
    if row.pocket:
        return (
            f"The bundled model {row.key} is missing from {source}; run make pocket, or check the repository out anew."
        )
    return f"The folder {source} holds no BLIP-2 checkpoint: there is no config.json in it."


def _json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise NotACheckpoint(f"The file {path} is no readable JSON; download it anew.") from error
    if not isinstance(data, dict):
        raise NotACheckpoint(f"The file {path} holds no settings; download it anew.")
    return data


def _path(source: str, name: str, revision: str, offline: bool) -> Path | None:
    folder = Path(source)
    if folder.is_dir():
        return folder / name if (folder / name).is_file() else None
    from transformers.utils import cached_file

    try:
        found = cached_file(
            source,
            name,
            revision=revision,
            local_files_only=offline,
            _raise_exceptions_for_missing_entries=False,
            _raise_exceptions_for_connection_errors=False,
        )
    except OSError:
        return None
    return Path(found) if found else None


def _commit(path: Path) -> str:
    """The commit in `…/snapshots/<commit>/config.json`, the Hub cache's layout."""
    parts = path.parts
    return parts[parts.index("snapshots") + 1] if "snapshots" in parts else ""


def _reachable() -> bool:
    """Whether the Hub's name resolves, so that no visitor waits for five retries; a proxy resolves names itself."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return False
    if os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy") or os.environ.get("ALL_PROXY"):
        return True
    try:
        socket.getaddrinfo(urlsplit(constants.ENDPOINT).hostname, 443)
    except OSError:
        return False
    return True
