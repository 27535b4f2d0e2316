"""Bokio's published descriptions: found, corrected in one place, and asked for what fits.

The folder with the two files is named by `BOKIO_OPENAPI_DIR`; without it, `AVAILABLE` is false.
"""

import functools
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from openapi_schema_validator import OAS30ReadValidator, OAS30WriteValidator, oas30_format_checker

from tests.contract.corrections import corrected

FOLDER = os.environ.get("BOKIO_OPENAPI_DIR", "")
FILES = {"company": "bokio-company-api.yml", "general": "bokio-general-api.yml"}
AVAILABLE = bool(FOLDER) and all(Path(FOLDER, name).is_file() for name in FILES.values())
METHODS = ("get", "post", "put", "delete")
JSON_TYPE = "application/json"

Schema = dict[str, Any]


class _DaysAsText(yaml.CSafeLoader):
    """Reads `2024-10-10` as the text that an answer would hold."""


_DaysAsText.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if not tag.endswith(":timestamp")]
    for first, found in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True)
class Operation:
    """One operation as published. `described` is its part of the file."""

    id: str
    api: str
    method: str
    template: str
    described: Schema = field(repr=False, hash=False, compare=False)
    document: Schema = field(repr=False, hash=False, compare=False)

    @property
    def parameters(self) -> list[Schema]:
        shared = self.document["paths"][self.template].get("parameters", [])
        return [*shared, *self.described.get("parameters", [])]

    @property
    def query(self) -> dict[str, Schema]:
        """The parameters of the address, by name."""
        return {each["name"]: each for each in self.parameters if each.get("in") == "query"}

    @property
    def request_types(self) -> dict[str, Schema]:
        """The schema of the request's body by media type; empty where no body is described."""
        content = self.described.get("requestBody", {}).get("content", {})
        return {media.strip(): each["schema"] for media, each in content.items()}

    @property
    def success(self) -> str:
        """The status of what went well, which each operation has exactly one of."""
        (status,) = (each for each in self.described["responses"] if each < "400")
        return str(status)

    @property
    def success_examples(self) -> dict[str, Any]:
        """The published examples of a success, by name."""
        answer = self.described["responses"][self.success].get("content", {}).get(JSON_TYPE, {})
        return {name: each["value"] for name, each in answer.get("examples", {}).items()}

    def schema_of(self, status: int) -> Schema | None:
        """What an answer with this status holds. A refusal that is not listed is an `apiError`."""
        responses = self.described["responses"]
        if str(status) not in responses:
            assert status >= 400, f"{self.id}: {status} is not published"
            return {"$ref": "#/components/schemas/apiError"}
        found: Schema | None = (
            responses[str(status)].get("content", {}).get(JSON_TYPE, {}).get("schema")
        )
        return found


class Contract:
    """Both files as one: every operation, and the checks of requests and answers."""

    def __init__(self, folder: Path) -> None:
        self.operations: dict[str, Operation] = {}
        for api, name in FILES.items():
            document = corrected(api, yaml.load((folder / name).read_text(), _DaysAsText))  # noqa: S506  # a safe loader
            for template, item in document["paths"].items():
                for method in METHODS:
                    if method in item:
                        identifier = item[method]["operationId"]
                        self.operations[identifier] = Operation(
                            identifier, api, method.upper(), template, item[method], document
                        )

    def find(self, method: str, path: str) -> Operation:
        """The operation that serves the method at this path, which may carry a query."""
        plain = path.split("?", maxsplit=1)[0]
        fitting = [
            each
            for each in self.operations.values()
            if each.method == method.upper() and _pattern(each.template).fullmatch(plain)
        ]
        # A literal segment, such as `bulk`, wins over a parameter.
        fitting.sort(key=lambda each: each.template.count("{"))
        assert fitting, f"nothing is published for {method} {path}"
        return fitting[0]

    def wrong_in_request(self, operation: Operation, schema: Schema, value: object) -> list[str]:
        """What in a request's body does not fit: values, and keys that nothing names."""
        found = _errors(operation, schema, value, writing=True)
        return found or list(_stray(operation, schema, value, reading=False))

    def wrong_in_answer(
        self, operation: Operation, status: int, headers: Mapping[str, str], body: bytes
    ) -> list[str]:
        """What in an answer does not fit: status, media type, values, stray or missing keys."""
        responses = operation.described["responses"]
        if str(status) not in responses and status < 400:
            return [f"the status {status} is not published"]
        schema = operation.schema_of(status)
        media = {name.lower(): value for name, value in headers.items()}.get("content-type", "")
        if schema is None:
            expected = list(responses.get(str(status), {}).get("content", {}))
            return _wrong_file(expected, media, body)
        if not media.startswith(JSON_TYPE):
            return [f"the media type is {media!r}"]
        try:
            value = json.loads(body)
        except ValueError:
            return [f"the body is not JSON: {body[:80]!r}"]
        if status == 403 and isinstance(value, dict) and isinstance(value.get("error"), str):
            return _wrong_plan(value)
        found = _errors(operation, schema, value, writing=False)
        return found or list(_stray(operation, schema, value, reading=True))


def _wrong_file(expected: list[str], media: str, body: bytes) -> list[str]:
    if not expected:
        return [f"there is a body: {body[:80]!r}"] if body else []
    if not body:
        return ["the file is empty"]
    fits = "application/octet-stream" in expected or media in expected
    return [] if fits else [f"the media type is {media!r}, not one of {expected}"]


def _wrong_plan(value: Schema) -> list[str]:
    """A price plan without the feature is refused in a shape of its own."""
    keys = {"error", "message", "details"}
    details = {"requiredFeature", "availableIn", "availableAsAddonIn", "isAvailableInTrial"}
    if set(value) != keys or not details | {"isInTrial"} <= set(value["details"]):
        return [f"the refusal of a plan has the keys {sorted(value)}"]
    return []


def _errors(operation: Operation, schema: Schema, value: object, *, writing: bool) -> list[str]:
    validator = _validator(operation.api, json.dumps(schema, sort_keys=True), writing)
    return [
        f"#/{'/'.join(map(str, each.absolute_path))}: {each.message[:300]}"
        for each in validator.iter_errors(value)
    ]


@functools.cache
def _validator(api: str, schema: str, writing: bool) -> Any:
    kind = OAS30WriteValidator if writing else OAS30ReadValidator
    (document,) = {
        id(each.document): each.document
        for each in contract().operations.values()
        if each.api == api
    }.values()
    whole = {"allOf": [json.loads(schema)], "components": document["components"]}
    return kind(whole, format_checker=oas30_format_checker)


def _stray(
    operation: Operation, schema: Schema, value: object, *, reading: bool, at: str = "#"
) -> Iterator[str]:
    """Keys that no schema names: Bokio ignores them, so a misspelt one would look like success.

    An answer also has to carry the `id` that its schema names.
    """
    variants = list(_variants(operation.document, schema))
    if isinstance(value, list):
        of_rows: Schema = {"oneOf": [each["items"] for each in variants if "items" in each]}
        for number, each in enumerate(value):
            yield from _stray(operation, of_rows, each, reading=reading, at=f"{at}/{number}")
    if isinstance(value, dict):
        known = {key: s for each in variants for key, s in each.get("properties", {}).items()}
        free = not known or any(each.get("additionalProperties") for each in variants)
        if not free:
            yield from (f"{at}/{key} is not published" for key in set(value) - set(known))
            if reading and "id" in known and "id" not in value:
                yield f"{at}/id is missing"
        for key, each in value.items():
            yield from _stray(
                operation, known.get(key, {}), each, reading=reading, at=f"{at}/{key}"
            )


def _variants(document: Schema, schema: Schema) -> Iterator[Schema]:
    if "$ref" in schema:
        target: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        yield from _variants(document, target)
        return
    yield schema
    for group in ("allOf", "oneOf", "anyOf"):
        for each in schema.get(group, []):
            yield from _variants(document, each)


@functools.cache
def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{\w+\}", "[^/]+", template))


@functools.cache
def contract() -> Contract:
    """The published contract, read once."""
    return Contract(Path(FOLDER))
