"""The `openai` package as a client: it must not notice that there is BLIP-2 behind the routes."""

import openai
import pytest
from apiserver import PNG, ask, listening, made

from blip2.api.keys import make_key

SHORT = {"max_retries": 0, "timeout": 20}


@pytest.fixture
def openai_client(address: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{address}/v1", api_key="none", **SHORT)


def test_a_plain_answer_about_a_picture(openai_client: openai.OpenAI) -> None:
    made = openai_client.chat.completions.create(model="scripted/opt", **ask())
    assert made.choices[0].message.content == "a red ball on a beach"
    assert made.usage is not None
    assert made.usage.total_tokens == 45
    assert made._request_id


def test_a_stream(openai_client: openai.OpenAI) -> None:
    options = {"include_usage": True}
    stream = openai_client.chat.completions.create(
        model="scripted/opt", stream=True, temperature=0, stream_options=options, **ask()
    )
    chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == "a red ball on a beach"
    assert chunks[-1].usage is not None
    assert chunks[-2].choices[0].finish_reason == "stop"


def test_the_packages_own_gathering_of_a_stream(openai_client: openai.OpenAI) -> None:
    with openai_client.chat.completions.stream(model="scripted/opt", temperature=0, **ask()) as stream:
        for _ in stream:
            pass
        final = stream.get_final_completion()
    assert final.choices[0].message.content == "a red ball on a beach"


def test_logprobs_and_extra_fields(openai_client: openai.OpenAI) -> None:
    made = openai_client.chat.completions.create(
        model="scripted/opt", logprobs=True, extra_body={"num_beams": 3, "length_penalty": -1.0}, **ask()
    )
    assert made.choices[0].logprobs is not None
    assert made.choices[0].logprobs.content is not None
    assert made.choices[0].logprobs.content[1].token == " red"
    assert made.model_extra is not None
    assert made.model_extra["blip2"]["decoding"]["num_beams"] == 3


def test_completions(openai_client: openai.OpenAI) -> None:
    made = openai_client.completions.create(
        model="scripted/opt", prompt="a photo of", logprobs=1, extra_body={"image": PNG}
    )
    assert made.choices[0].text == "a photo of a beach"
    assert made.choices[0].logprobs is not None
    assert made.choices[0].logprobs.tokens == ["a", " photo", " of", " a", " beach"]


def test_embeddings_come_the_same_as_floats_and_as_the_base64_the_package_asks_for(
    openai_client: openai.OpenAI,
) -> None:
    by_default = openai_client.embeddings.create(model="scripted/itm", input=["a meadow", PNG])
    floats = openai_client.embeddings.create(model="scripted/itm", input=["a meadow", PNG], encoding_format="float")
    for one, two in zip(by_default.data, floats.data, strict=True):
        assert one.embedding == pytest.approx(two.embedding)
    assert sum(value**2 for value in floats.data[1].embedding) == pytest.approx(1, abs=1e-5)


def test_models(openai_client: openai.OpenAI) -> None:
    assert [model.id for model in openai_client.models.list()] == ["scripted/opt", "scripted/t5", "scripted/itm"]
    assert openai_client.models.retrieve("scripted/opt").owned_by == "scripted"


def test_errors_are_the_packages_own_kinds(openai_client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="not served here") as unknown:
        openai_client.chat.completions.create(model="gpt-4o", **ask())
    assert unknown.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError) as bad:
        openai_client.chat.completions.create(model="scripted/opt", temperature=11, **ask())
    assert bad.value.param == "temperature"
    broken = {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": PNG[:90]}}]}]}
    with pytest.raises(openai.UnprocessableEntityError, match="damaged"):
        openai_client.chat.completions.create(model="scripted/opt", **broken)


def test_keys_and_rates_are_the_packages_own_errors(tmp_path) -> None:
    key, line = make_key("ada", rate=2)
    file = tmp_path / "keys"
    file.write_text(line)
    with listening(made(api_keys_file=str(file))) as address:
        with pytest.raises(openai.AuthenticationError):
            openai.OpenAI(base_url=f"{address}/v1", api_key="wrong", **SHORT).models.list()
        client = openai.OpenAI(base_url=f"{address}/v1", api_key=key, **SHORT)
        client.models.list()
        client.models.list()
        with pytest.raises(openai.RateLimitError) as refused:
            client.models.list()
        assert int(refused.value.response.headers["retry-after"]) in range(1, 31)


async def _ask_async(address: str) -> str | None:
    async with openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="none", **SHORT) as client:
        made = await client.chat.completions.create(model="scripted/t5", **ask())
        return made.choices[0].message.content


def test_the_async_client(address: str) -> None:
    import asyncio

    assert asyncio.run(_ask_async(address)) == "a red ball on a beach"
