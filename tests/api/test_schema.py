"""The OpenAPI document: complete, its examples work as they stand, and nothing made from it breaks the server."""

from typing import Any

import pytest
import schemathesis
from apiserver import HERE, made
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import checks
from starlette.applications import Starlette
from starlette.testclient import TestClient

from blip2.api.server import middleware, routes

SERVICE = made(hosts=("*",))
APP = Starlette(routes=routes(SERVICE), middleware=middleware(SERVICE.settings))
SCHEMA = schemathesis.openapi.from_asgi("/v1/openapi.json", APP)
MADE = [each.ok() for each in SCHEMA.get_all_operations()]
BOUNDED = settings(
    max_examples=12,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],  # the document's own examples have a test below
    suppress_health_check=list(HealthCheck),
)
DOCUMENT: dict[str, Any] = TestClient(APP, HERE).get("/v1/openapi.json").json()
OPERATIONS = [(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods]


@pytest.mark.parametrize("operation", MADE, ids=lambda each: each.label)
def test_no_request_made_from_the_document_breaks_the_server(operation: Any) -> None:
    @BOUNDED
    @given(case=operation.as_strategy())
    def holds(case: schemathesis.Case) -> None:
        response = case.call(timeout=60)
        case.validate_response(response, checks=[checks.not_a_server_error])

    holds()


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_operation_is_described_with_examples(path: str, method: str) -> None:
    operation = DOCUMENT["paths"][path][method]
    assert operation["summary"]
    assert operation["description"]
    (answer,) = operation["responses"]["200"]["content"].values()
    assert answer["example"]
    assert {"400", "401", "404", "413", "415", "422", "429", "503"} <= set(operation["responses"])
    if method == "post":
        body = operation["requestBody"]["content"]["application/json"]["schema"]
        assert resolved(body)["examples"]


@pytest.mark.parametrize(("path", "method"), [(p, m) for p, m in OPERATIONS if m == "post"])
def test_the_documents_examples_are_answered(client: TestClient, path: str, method: str) -> None:
    body = resolved(DOCUMENT["paths"][path][method]["requestBody"]["content"]["application/json"]["schema"])
    for example in body["examples"]:
        answer = client.post(f"/v1{path}", json=example)
        assert answer.status_code == 200, answer.text


def test_every_field_of_a_request_for_an_answer_is_described() -> None:
    fields = DOCUMENT["components"]["schemas"]["ChatCompletionRequest"]["properties"]
    undescribed = [name for name, field in fields.items() if not field.get("description")]
    assert undescribed in ([], ["messages"])


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema, or the component it refers to."""
    reference = schema.get("$ref", "")
    return DOCUMENT["components"]["schemas"][reference.rsplit("/", 1)[1]] if reference else schema
