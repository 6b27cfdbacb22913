"""`Blip2OPT` and `Blip2T5` as LAVIS has them: captions and answers, with its lengths, cuts and defaults."""

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from blip2.engine.batch import Job, make_job, run_all
from blip2.engine.runner import Runner
from blip2.engine.stream import Detokenizer
from blip2.errors import BadInput
from blip2.lavis.model import LavisModel, Samples
from blip2.loading import LoadedModel
from blip2.values import Decoding

MAX_OPT_TEXT = 32  # LAVIS's max_txt_len
TOP_K = 50  # transformers' default, which LAVIS leaves on


class LavisGenerator(LavisModel):
    """`Blip2OPT` and `Blip2T5`: `generate` and `predict_answers` with LAVIS's parameters and defaults."""

    def __init__(self, loaded: LoadedModel) -> None:
        super().__init__(loaded)
        self.runner = Runner(loaded)
        self.text = Detokenizer(loaded.tokenizer)
        self.is_t5 = loaded.info.family == "t5"

    def generate(
        self,
        samples: Samples,
        use_nucleus_sampling: bool = False,
        num_beams: int = 5,
        max_length: int = 30,
        min_length: int = 1,
        top_p: float = 0.9,
        repetition_penalty: float = 1.0,
        length_penalty: float = 1.0,
        num_captions: int = 1,
        temperature: float = 1,
    ) -> list[str]:
        """Texts for `samples["image"]` [B, 3, S, S] and `samples["prompt"]` (a string, or one for each picture).

        Returns B * num_captions texts, those of a picture together, best first.
        """
        pictures = len(samples["image"])
        prompt = samples.get("prompt", self.loaded.info.default_prompt)
        prompts = [prompt] * pictures if isinstance(prompt, str) else list(prompt)
        if len(prompts) != pictures:
            raise BadInput(f"{len(prompts)} prompts were given for {pictures} pictures; give one for each, or one.")
        # transformers 4.33 counts OPT's BOS in max_length when it is given embeddings only.
        new = max_length if self.is_t5 else max_length - 1
        method: Literal["beam", "greedy", "nucleus"] = "beam"
        if num_beams == 1:
            method = "nucleus" if use_nucleus_sampling else "greedy"
        decoding = Decoding(
            method=method,
            num_beams=num_beams,
            max_new_tokens=new,
            min_new_tokens=min(max(0, min_length - 1), new),
            length_penalty=float(length_penalty),
            repetition_penalty=float(repetition_penalty),
            temperature=float(temperature),
            top_p=float(top_p),
            top_k=TOP_K if use_nucleus_sampling else 0,
            num_return=num_captions if method == "beam" else 1,
            beam_sample=use_nucleus_sampling and num_beams > 1,
        )
        if method == "greedy" and num_captions > 1:
            raise BadInput(f"Greedy search gives one caption, not {num_captions}; use more beams or nucleus sampling.")
        return self._run(samples["image"], prompts, decoding, draws=num_captions if method == "nucleus" else 1)

    def predict_answers(
        self,
        samples: Samples,
        num_beams: int = 5,
        inference_method: str = "generate",
        max_len: int = 10,
        min_len: int = 1,
        num_ans_candidates: int = 128,
        answer_list: Sequence[str] | None = None,
        prompt: str = "",
        length_penalty: float | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """Short answers to `samples["text_input"]` (a string or one for each picture), put into `prompt` at `{}`.

        `length_penalty` defaults to LAVIS's: 0 for OPT, -1 for T5. `inference_method`, `num_ans_candidates` and
        `answer_list` are accepted and unused, as in LAVIS.
        """
        if samples.get("apply_lemmatizer"):
            raise BadInput("Lemmatised answers are not offered; leave apply_lemmatizer out of the samples.")
        questions = samples["text_input"]
        questions = [questions] if isinstance(questions, str) else list(questions)
        if len(questions) != len(samples["image"]):
            raise BadInput(f"{len(questions)} questions were given for {len(samples['image'])} pictures.")
        if prompt:
            questions = [prompt.format(question) for question in questions]
        penalty = length_penalty if length_penalty is not None else (-1.0 if self.is_t5 else 0.0)
        decoding = Decoding(
            method="beam" if num_beams > 1 else "greedy",
            num_beams=num_beams,
            max_new_tokens=max_len,
            min_new_tokens=min(max(0, min_len - 1), max_len),
            length_penalty=float(penalty),
        )
        return self._run(samples["image"], questions, decoding)

    def _run(self, images: Tensor, prompts: Sequence[str], decoding: Decoding, draws: int = 1) -> list[str]:
        limit = None if self.is_t5 else MAX_OPT_TEXT
        jobs: list[Job] = []
        for picture, text in zip(self.runner.encode(images), prompts, strict=True):
            ids = self.runner.tokens(text, limit, literal=False)
            for _ in range(draws):
                seed = int(torch.randint(2**31, ()))  # so that torch.manual_seed repeats a sampled answer
                jobs.append(make_job(self.runner, str(len(jobs)), picture, ids, decoding, seed))
        run_all(self.runner, jobs)
        texts = []
        for job in jobs:
            rows = [row.tokens for _, row, _ in job.beams.best()] if job.beams else [tuple(job.tokens)]
            texts += [self.text.raw(ids) for ids in rows[: decoding.num_return]]
        return texts if self.is_t5 else [text.strip() for text in texts]
