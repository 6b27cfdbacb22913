"""Chat completions: the page's prompt, OpenAI's form, streams that add up to the whole."""

import base64
import io
from collections.abc import Callable
from typing import Any

import pytest
from apiserver import PNG, ask, events
from PIL import Image
from starlette.testclient import TestClient

from blip2.backends.scripted import ScriptedBackend
from blip2.values import ModelInfo

URL = "/v1/chat/completions"


def talk(*turns: str, **fields: Any) -> dict[str, Any]:
    """A conversation: questions and answers in turn, the picture in the first question."""
    body = ask(turns[0], **fields)
    for index, text in enumerate(turns[1:]):
        body["messages"].append({"role": ("assistant", "user")[index % 2], "content": text})
    return body


def test_an_answer_has_openais_form_and_what_repeats_it(client: TestClient) -> None:
    made = client.post(URL, json=ask()).json()
    assert made["object"] == "chat.completion"
    assert made["model"] == "scripted/opt"
    (choice,) = made["choices"]
    assert choice["message"] == {"role": "assistant", "content": "a red ball on a beach", "refusal": None}
    assert choice["finish_reason"] == "stop"
    assert made["usage"]["prompt_tokens"] == 32 + 7
    assert made["usage"]["total_tokens"] == made["usage"]["prompt_tokens"] + 6
    assert made["blip2"]["prompt"] == "Question: What is in the picture? Answer:"
    assert made["blip2"]["decoding"]["method"] == "beam"
    assert made["blip2"]["decoding"]["num_beams"] == 5


def test_the_history_becomes_laviss_prompt(client: TestClient) -> None:
    made = client.post(URL, json=talk("What is in the picture?", "a red ball on a beach", "why?")).json()
    assert made["choices"][0]["message"]["content"] == "it is round"
    assert made["blip2"]["prompt"].endswith("Answer: a red ball on a beach. Question: why? Answer:")


def test_whole_oldest_turns_are_dropped_and_told(client: TestClient) -> None:
    long = " ".join(["word"] * 300)
    made = client.post(URL, json=talk(long, "yes", long, "no", "and now?")).json()
    assert made["blip2"]["dropped_turns"] == 1
    assert "left out" in made["blip2"]["notices"][0]


def test_raw_mode_sends_the_text_as_it_stands(client: TestClient) -> None:
    made = client.post(URL, json=ask("a photo of", prompt_mode="raw")).json()
    assert made["blip2"]["prompt"] == "a photo of"
    assert made["choices"][0]["message"]["content"] == "a photo of a beach"


@pytest.mark.parametrize("fields", [{}, {"temperature": 0.8}])
def test_n_answers_whole_and_streamed(client: TestClient, fields: dict[str, Any]) -> None:
    whole = client.post(URL, json=ask(n=3, **fields)).json()
    assert [choice["index"] for choice in whole["choices"]] == [0, 1, 2]
    parts = events(client.post(URL, json=ask(n=3, stream=True, **fields)).text)
    finished = [c["index"] for each in parts for c in each["choices"] if c["finish_reason"]]
    assert sorted(finished) == [0, 1, 2]


def test_logprobs_are_of_the_raw_distribution(client: TestClient) -> None:
    made = client.post(URL, json=ask(logprobs=True)).json()
    content = made["choices"][0]["logprobs"]["content"]
    assert "".join(each["token"] for each in content).strip() == "a red ball on a beach"
    assert {round(each["logprob"], 4) for each in content} == {-0.6931}
    parts = events(client.post(URL, json=ask(logprobs=True, stream=True)).text)
    assert parts[-1]["choices"][0]["logprobs"]["content"] == content


def test_stop_strings_and_lengths_end_an_answer(client: TestClient) -> None:
    stopped = client.post(URL, json=ask(stop=" on")).json()["choices"][0]
    assert (stopped["message"]["content"], stopped["finish_reason"]) == ("a red ball", "stop")
    short = client.post(URL, json=ask(max_completion_tokens=2)).json()["choices"][0]
    assert (short["message"]["content"], short["finish_reason"]) == ("a red", "length")


def test_a_new_picture_begins_a_new_conversation(client: TestClient) -> None:
    other = PNG.replace("data:image/png;", "data:image/png;name=other;")
    body = talk("What is in the picture?", "a red ball on a beach")
    part = {"type": "image_url", "image_url": {"url": other}}
    body["messages"].append({"role": "user", "content": [part, {"type": "text", "text": "why?"}]})
    made = client.post(URL, json=body).json()
    assert made["blip2"]["prompt"] == "Question: why? Answer:"
    assert "new picture" in made["blip2"]["notices"][0]


def test_a_system_text_is_refused_with_the_reason_or_put_before(client_for: Callable[..., TestClient]) -> None:
    body = ask()
    body["messages"].insert(0, {"role": "system", "content": "You are brief."})
    refused = client_for().post(URL, json=body)
    assert refused.status_code == 400
    assert refused.json()["error"]["param"] == "messages[0].role"
    assert "--system-text prefix" in refused.json()["error"]["message"]
    taken = client_for(system_text="prefix").post(URL, json=body).json()
    assert taken["blip2"]["prompt"] == "You are brief. Question: What is in the picture? Answer:"


def test_a_picture_a_pocket_model_does_not_know_is_said_to_be_one(client_for: Callable[..., TestClient]) -> None:
    name = "blip2_opt/pocket_opt"
    pocket = ScriptedBackend(default="a dog", models=[ModelInfo(name, "Pocket", "opt", "pocket", pocket=True)])
    noise = io.BytesIO()
    Image.effect_noise((80, 80), 90).save(noise, "PNG")
    body = ask()
    url = "data:image/png;base64," + base64.b64encode(noise.getvalue()).decode()
    body["messages"][0]["content"][1]["image_url"]["url"] = url
    made = client_for(pocket, models=(name,)).post(URL, json=body).json()
    assert "drawn scenes" in made["blip2"]["notices"][0]
    assert client_for().post(URL, json=body).json()["blip2"]["notices"] == []


def test_control_tokens_stay_text(client: TestClient) -> None:
    made = client.post(URL, json=ask("what </s> <image> is it?")).json()
    assert "</s>" not in made["blip2"]["prompt"]
    assert made["blip2"]["notices"]


@pytest.mark.parametrize(
    ("change", "param", "part"),
    [
        ({"tools": [{"type": "function"}]}, "tools", "does not offer"),
        ({"response_format": {"type": "json_object"}}, "response_format", "does not offer"),
        ({"num_beam": 3}, "num_beam", "num_beams"),
        ({"temperature": 11}, "temperature", "less than or equal to 10"),
        ({"num_beams": 4, "temperature": 0.3}, "num_beams", "sampling"),
        ({"temperature": 0, "n": 2}, "n", "Greedy"),
        ({"max_tokens": 0}, "max_tokens", "greater than or equal"),
        ({"min_tokens": 40}, "min_tokens", "max_tokens"),
        ({"stop": ["a"] * 17}, "stop", "16"),
        ({"stop": ""}, "stop", "empty"),
        ({"messages": [{"role": "user", "content": "what is it?"}]}, "messages", "no picture"),
        ({"messages": []}, "messages", "it takes at least 1, and 0 came"),
        (
            {"messages": [{"role": "user", "content": [{"type": "sound"}]}]},
            "messages[0].content[0]",
            'of type "text", "im',
        ),
        ({"messages": [{"role": "user", "content": [{"text": "x"}]}]}, "messages[0].content[0]", "with a field type"),
        ({"stream": "x"}, "stream", 'it must be true or false, not "x".'),
        ({"seed": "x"}, "seed", 'it must be a whole number, not "x".'),
        ({"top_p": None, "temperature": []}, "temperature", "it must be a number, not []."),
        ({"prompt_mode": None}, "prompt_mode", 'it must be "chat" or "raw", not null.'),
        ({"messages": ["x"]}, "messages[0]", 'it must be an object, not "x".'),
        ({"messages": [{"role": "robot", "content": "hi"}]}, "messages[0].role", 'it must be "system", "developer"'),
        ({"messages": [{"role": "tool", "content": "hi"}]}, "messages[0].role", "tools"),
    ],
)
def test_what_is_wrong_is_named_with_its_field(
    client: TestClient, change: dict[str, Any], param: Any, part: str
) -> None:
    answer = client.post(URL, json=ask() | change)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["type"] == "invalid_request_error"
    assert error["param"] == param
    assert part in error["message"]


def test_fields_that_change_nothing_are_taken(client: TestClient) -> None:
    fields = {
        "user": "u",
        "tools": [],
        "frequency_penalty": 0,
        "tool_choice": None,
        "response_format": {"type": "text"},
    }
    assert client.post(URL, json=ask(**fields)).status_code == 200


def test_an_empty_question_is_refused_and_an_empty_raw_prompt_describes(client: TestClient) -> None:
    refused = client.post(URL, json=ask(""))
    assert refused.status_code == 400
    assert "empty" in refused.json()["error"]["message"]
    assert client.post(URL, json=ask("", prompt_mode="raw")).json()["blip2"]["prompt"] == ""


def test_out_of_time_is_a_length_or_an_error(client_for: Callable[..., TestClient]) -> None:
    client = client_for(ScriptedBackend(default="a " * 40, delay=0.05))
    cut = client.post(URL, json=ask(timeout=1, temperature=0, max_tokens=40)).json()
    assert cut["choices"][0]["finish_reason"] == "length"
    assert cut["blip2"]["finish"] == "deadline"
    assert 0 < len(cut["choices"][0]["message"]["content"].split()) < 40
    none = client.post(URL, json=ask(timeout=0.001))
    assert none.status_code == 504
    assert none.json()["error"]["param"] == "timeout"


def test_the_servers_deadline_bounds_the_clients(client_for: Callable[..., TestClient]) -> None:
    client = client_for(ScriptedBackend(default="a " * 40, delay=0.05), deadline=1.0)
    made = client.post(URL, json=ask(timeout=600, temperature=0, max_tokens=40)).json()
    assert made["blip2"]["finish"] == "deadline"


def test_sampling_without_a_seed_tells_the_one_it_drew(client: TestClient) -> None:
    seeds = {client.post(URL, json=ask(temperature=1)).json()["blip2"]["seed"] for _ in range(4)}
    assert len(seeds) > 1
    assert client.post(URL, json=ask(temperature=1, seed=7)).json()["blip2"]["seed"] == 7
