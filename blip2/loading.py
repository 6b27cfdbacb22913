"""A row of the zoo, a folder or a Hub id -> a loaded model that has passed its self-check.

Only this module calls `from_pretrained`. It knows nothing of prompts, batches or visitors.
"""

import logging
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from blip2.checkpoint import Files, fetch
from blip2.errors import BadSetting, Blip2Error, NotACheckpoint, WillNotFit
from blip2.memory import Family
from blip2.placement import device_map
from blip2.quantize import QUANTISED, Place, Plan, choose, loader_arguments, needs, parts_of, place_of
from blip2.selfcheck import Checkpoint, check_files, check_weights
from blip2.values import Fit, ModelInfo
from blip2.zoo import Row, find

LONGEST_ANSWER = 512  # tokens; `Decoding` allows no more
T5_PROMPT = 512  # tokens FlanT5's encoder was trained to read


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model ready to run: in `eval()` mode, on its device, self-check passed.

    `end_ids` end an answer: OPT (id of a line break,) as in LAVIS, T5 (id of `</s>`,), none for ITM. `start_id` is what
    an answer is counted from: OPT's BOS, T5's decoder start. `note` says what `auto` picked and why; `checks` names the
    self-checks passed.
    """

    info: ModelInfo
    model: Any = field(repr=False)  # Blip2ForConditionalGeneration | Blip2ForImageTextRetrieval
    tokenizer: Any = field(repr=False)  # the fast tokenizer of the checkpoint
    device: torch.device
    end_ids: tuple[int, ...] = ()
    start_id: int = 0
    note: str = ""
    checks: tuple[str, ...] = field(default=(), repr=False)


def load(name: str | Row, dtype: str = "auto", device: str = "auto", *, staged: bool = False) -> LoadedModel:
    """Load a zoo row, folder or Hub id.

    `dtype`: auto, float32, float16, bfloat16, int8 or nf4; `device`: auto, cuda, cpu or mps. `staged`: as for that
    device, but in main memory, until `moved` brings it there.
    Raises `UnknownModel`, `NotACheckpoint`, `FailedSelfCheck`, `WillNotFit`, `MissingHardware` or `BadSetting`: before
    the weights are read wherever that can be told from the small files.
    """
    row = name if isinstance(name, Row) else find(name)
    place = place_of(device)
    files = fetch(row)
    tokenizer = files.tokenizer()
    checkpoint = Checkpoint(
        title=row.title or row.key,
        family=files.family,
        config=files.config,
        tokenizer=tokenizer,
        preprocessor=files.preprocessor,
    )
    passed = check_files(checkpoint)
    plan = choose(checkpoint.title, files.family, parts_of(files.config, files.family), dtype, place)
    if staged and plan.dtype in QUANTISED:
        raise BadSetting(f"{checkpoint.title} cannot be lent a GPU in {plan.dtype}; choose a dtype of 16 or 32 bits.")
    model, missing = _weights(files, plan, place, staged)
    saved = files.saved_head() if files.family != "itm" else {}
    passed += check_weights(replace(checkpoint, model=model, missing=missing, saved=saved))
    return LoadedModel(
        info=_info(row, files, plan, str(place.device) if staged else str(model.query_tokens.device), model),
        model=model,
        tokenizer=tokenizer,
        device=model.query_tokens.device,
        end_ids=_end_ids(files, tokenizer),
        start_id=_start_id(files),
        note=plan.note,
        checks=passed,
    )


def moved(loaded: LoadedModel) -> LoadedModel:
    """A model that was loaded `staged`, on its device now; any other as it is. Raises `WillNotFit`."""
    device = torch.device(loaded.info.device)
    if device == loaded.device:
        return loaded
    try:
        loaded.model.to(device)
    except torch.OutOfMemoryError as error:
        raise WillNotFit(f"The memory of {device} does not suffice for {loaded.info.title}.") from error
    return replace(loaded, device=device)


def fit(name: str | Row, dtype: str = "auto", device: str = "auto") -> Fit:
    """Whether a model would fit, from its small files; no weights are read. Raises nothing: what is wrong is said."""
    try:
        row = name if isinstance(name, Row) else find(name)
        place = place_of(device)
        files = fetch(row)
        title, parts = row.title or row.key, parts_of(files.config, files.family)
    except Blip2Error as error:
        return Fit(str(name), False, str(error))
    on = str(place.device)
    try:
        plan = choose(title, files.family, parts, dtype, place)
    except Blip2Error as error:
        sizes = needs(files.family, parts, place)
        least = sizes.get(dtype) or min(sizes.values())  # type: ignore[call-overload]
        return Fit(row.key, False, str(error), least if isinstance(error, WillNotFit) else 0, place.room, "", on)
    said = f"{title} fits: {plan.note}"
    return Fit(row.key, True, said, plan.need, place.room, plan.dtype, on)


def _weights(files: Files, plan: Plan, place: Place, staged: bool) -> tuple[Any, tuple[str, ...]]:
    """The model, and the names of weights its checkpoint lacks."""
    from transformers import Blip2ForConditionalGeneration, Blip2ForImageTextRetrieval
    from transformers.utils import logging as transformers_logging

    model_class = Blip2ForImageTextRetrieval if files.family == "itm" else Blip2ForConditionalGeneration
    # Its warnings (that FlanT5's head will not be tied, int8's casts) say what is wanted; the checks find faults.
    level = transformers_logging.get_verbosity()
    bar = transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()
    if files.offline:  # a download of gigabytes shows how far it is
        transformers_logging.disable_progress_bar()
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    try:
        model, report = model_class.from_pretrained(
            files.source,
            config=files.config,
            revision=files.revision or "main",
            local_files_only=files.offline,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # they are reported, and refused by the self-check in a sentence
            device_map={"": "cpu"} if staged else device_map(files.config, files.family, plan, place),
            **loader_arguments(plan),
        )
    except torch.OutOfMemoryError as error:
        raise WillNotFit(
            f"The memory of {place.kind} ran out while {files.source} was loaded in {plan.dtype}; free some, or choose "
            "a narrower dtype."
        ) from error
    except Exception as error:  # torn files fail in safetensors, pickle, json or transformers, each in its own way
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise NotACheckpoint(
            f"The weights of {files.source} cannot be loaded ({reason}); download them anew."
        ) from error
    finally:
        transformers_logging.set_verbosity(level)
        if bar:
            transformers_logging.enable_progress_bar()
    lacking = {*report["missing_keys"], *(str(entry[0]) for entry in report.get("mismatched_keys") or ())}
    return model.eval(), tuple(sorted(lacking))


def _info(row: Row, files: Files, plan: Plan, device: str, model: Any) -> ModelInfo:
    return ModelInfo(
        name=row.key,
        title=row.title or row.key,
        family=files.family,
        source=row.hub or (row.folder.name if row.folder else row.key),
        revision=files.fingerprint(),
        dtype=plan.dtype,
        device=device,
        image_size=files.config.vision_config.image_size,
        image_tokens=files.config.num_query_tokens,
        prompt_budget=prompt_budget(files.family, files.config),
        answer_budget=answer_budget(files.family, files.config),
        default_prompt=row.prompt,
        pocket=row.pocket,
        memory_bytes=int(model.get_memory_footprint()),
    )


def prompt_budget(family: Family, config: Any) -> int:
    """Tokens that a prompt may have. OPT: its positions, less the picture's tokens and the longest answer.

    A small model, whose positions could not hold an answer of 512 tokens, keeps a third of them for answers.
    """
    if family == "itm":
        return int(config.qformer_config.max_position_embeddings)
    if family == "t5":
        return T5_PROMPT
    room = int(config.text_config.max_position_embeddings) - int(config.num_query_tokens)
    return max(1, room - min(LONGEST_ANSWER, max(room // 3, 1)))


def answer_budget(family: Family, config: Any) -> int:
    """New tokens that fit beside a prompt that uses its budget up."""
    if family != "opt":
        return LONGEST_ANSWER
    room = int(config.text_config.max_position_embeddings) - int(config.num_query_tokens)
    return max(1, room - prompt_budget(family, config))


def _end_ids(files: Files, tokenizer: Any) -> tuple[int, ...]:
    if files.family == "itm":
        return ()
    if files.family == "opt":
        return (int(tokenizer("\n", add_special_tokens=False).input_ids[0]),)
    end = files.config.text_config.eos_token_id
    return tuple(end) if isinstance(end, list) else (int(end),)


def _start_id(files: Files) -> int:
    if files.family == "itm":
        return 0
    text = files.config.text_config
    return int(text.bos_token_id if files.family == "opt" else text.decoder_start_token_id)
