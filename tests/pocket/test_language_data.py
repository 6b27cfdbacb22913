"""Packed training rows say the same as single ones, and their marks point at the words they are about."""

from __future__ import annotations

import random

import torch

from blip2.pocket.dialogue import dialogue
from blip2.pocket.language_batches import Plan, chunks, encoder
from blip2.pocket.language_data import IGNORE, QUERIES, SLOTS, Turn, caption_turn, opt_batch, turns_of
from blip2.pocket.packed_t5 import forward
from blip2.pocket.speaker import Speaker, newline
from blip2.pocket.symbols import Symbols, slot_labels
from blip2.pocket.t5_data import t5_batch
from blip2.pocket.tokenizer import build
from blip2.pocket.world import scene_at


def talk(seed: int, turns: int, family: str) -> list[Turn]:
    return turns_of(dialogue(scene_at(seed), random.Random(seed), turns), encoder(family))


def test_marks_point_at_the_words() -> None:
    tokenizer, found = build("opt"), 0
    for seed in range(200):
        said = dialogue(scene_at(seed), random.Random(seed), 3)
        for qa, turn in zip(said, turns_of(said, encoder("opt")), strict=True):
            for (words, slots), (at, marked) in zip(qa.mentions, turn.nouns, strict=True):
                before = tokenizer.decode(turn.prompt[: at + 1])
                assert before.endswith(words.lower())
                assert slots == marked
                found += 1
            for (start, slots), (at, marked) in zip(qa.evidence, turn.parts, strict=True):
                assert tokenizer.decode(turn.answer[:at]).strip() == qa.answer[:start].strip()
                about = {slot + SLOTS for slot in turn.nouns[0][1]} if turn.nouns else set()
                assert set(marked) == set(slots) | about | {slot + 2 * SLOTS for slot in qa.region}
    assert found > 100


def test_labels_are_the_answers_and_their_end() -> None:
    turns = talk(3, 3, "opt")
    batch = opt_batch([[turns, talk(3, 1, "opt")]], 2, newline(), encoder("opt")(".")[0])
    wanted = [id_ for turn in (*turns, *talk(3, 1, "opt")) for id_ in (*turn.answer, newline())]
    assert batch.labels[batch.labels != IGNORE].tolist() == wanted


def test_a_packed_opt_row_answers_as_its_conversations_alone() -> None:
    torch.manual_seed(0)
    speaker, scene, stop = Speaker("opt"), scene_at(4), encoder("opt")(".")[0]
    slots, labels = Symbols()([scene], 1), slot_labels([scene])
    talks = [[caption_turn(scene, "a photo of", encoder("opt"))], talk(4, 3, "opt"), talk(5, 2, "opt")]
    with torch.no_grad():
        packed = speaker(slots, labels, opt_batch([talks], 2, newline(), stop))
        alone = [speaker(slots, labels, opt_batch([[one]], 2, newline(), stop)) for one in talks]
    assert packed.chosen.tolist() == [id_ for one in alone for id_ in one.chosen.tolist()]
    counts = torch.tensor([sum((len(turn.answer) + 1) ** 0.5 for turn in one) for one in talks])
    mean = (torch.stack([one.answer for one in alone]) * counts).sum() / counts.sum()
    assert torch.allclose(packed.answer, mean, atol=1e-4)


def test_an_open_t5_row_is_hugging_faces_forward() -> None:
    torch.manual_seed(0)
    speaker = Speaker("t5")
    rows = [[talk(seed, 1 + seed % 4, "t5")] for seed in range(6)]
    batch = t5_batch(rows, 0, 1, encoder("t5")(".")[0], open_=True)
    seen = speaker.projection(Symbols()([scene_at(seed) for seed in range(6)], 1))
    mask = torch.cat([batch.group.new_ones(len(rows), QUERIES), batch.group], 1)
    with torch.no_grad():
        _, memory, decoded = forward(speaker.lm, seen, batch, 2)
        inputs = torch.cat([seen, speaker.embed(batch.ids)], 1)
        wanted = speaker.lm.encoder(inputs_embeds=inputs, attention_mask=mask).last_hidden_state
        theirs = speaker.lm.decoder(
            input_ids=batch.before, encoder_hidden_states=wanted, encoder_attention_mask=mask, use_cache=False
        ).last_hidden_state
    assert torch.allclose(memory[mask.bool()], wanted[mask.bool()], atol=1e-5)
    labelled = batch.labels != IGNORE
    assert torch.allclose(decoded[labelled], theirs[labelled], atol=1e-4)


def test_a_packed_t5_question_depends_on_nothing_after_it() -> None:
    torch.manual_seed(0)
    speaker, scene, stop = Speaker("t5"), scene_at(4), encoder("t5")(".")[0]
    slots, labels = Symbols()([scene], 1), slot_labels([scene])
    long, other = talk(4, 4, "t5"), talk(6, 2, "t5")
    with torch.no_grad():
        packed = speaker(slots, labels, t5_batch([[other, long]], 0, 1, stop))
        first = speaker(slots, labels, t5_batch([[long[:2]]], 0, 1, stop))
    skip = sum(len(turn.bare) + 1 for turn in other)
    assert packed.chosen[skip : skip + len(first.chosen)].tolist() == first.chosen.tolist()


def test_a_batch_follows_from_seed_and_step() -> None:
    scenes = [scene_at(seed) for seed in range(5)]
    for family in ("opt", "t5"):
        plan = Plan(family, 100, 5)
        first, again = chunks(plan, 7, scenes), chunks(plan, 7, scenes)
        assert all(torch.equal(a.ids, b.ids) for (_, a), (_, b) in zip(first, again, strict=True))
        assert first[0][1].ids.tolist() != chunks(plan, 8, scenes)[0][1].ids.tolist()
