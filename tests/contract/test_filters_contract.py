"""The properties that lists are filtered by, held against Bokio's published description.

The folder with the description is named by `BOKIO_OPENAPI_DIR`.
"""

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bokio_app.bokio.filterable import FILTERABLE, METADATA
from bokio_app.bokio.filters import Kind

pytestmark = pytest.mark.contract

DESCRIPTION = Path(os.environ.get("BOKIO_OPENAPI_DIR", "")) / "bokio-company-api.yml"
if not DESCRIPTION.is_file():
    pytest.skip(
        "BOKIO_OPENAPI_DIR names no folder with Bokio's published descriptions",
        allow_module_level=True,
    )

KINDS = {
    "string": Kind.TEXT,
    "number": Kind.NUMBER,
    "decimal": Kind.NUMBER,
    "integer": Kind.NUMBER,
    "date": Kind.DAY,
    "date-time": Kind.MOMENT,
}
# Named by Bokio's changelog of 2026-09-07, after the description was published.
ADDED_LATER = {
    "get-customer": {"customerNumber": Kind.TEXT},
    "get-invoice": {"projectId": Kind.TEXT},
    "get-supplier-invoices": {"projectId": Kind.TEXT},
}


def described() -> dict[str, dict[str, Kind]]:
    """Read the table of properties out of the description of every `query` parameter."""
    document: dict[str, Any] = yaml.safe_load(DESCRIPTION.read_text())
    found = {}
    for item in document["paths"].values():
        listing = item.get("get", {})
        for parameter in item.get("parameters", []) + listing.get("parameters", []):
            if parameter["name"] == "query":
                found[listing["operationId"]] = dict(rows_of(parameter["description"]))
    return found


def rows_of(table: str) -> list[tuple[str, Kind]]:
    rows = re.findall(r"^\|\s*([\w.]+)\s*\|\s*([\w-]+)\s*\|", table, re.MULTILINE)
    named = [(METADATA if name == "metadata" else name, kind) for name, kind in rows[1:]]
    return [(name, KINDS[kind]) for name, kind in named if "--" not in name]


def test_every_filterable_property_is_one_that_bokio_describes_and_none_is_missing():
    expected = {
        operation: properties | ADDED_LATER.get(operation, {})
        for operation, properties in described().items()
    }

    assert {name: dict(properties) for name, properties in FILTERABLE.items()} == expected
