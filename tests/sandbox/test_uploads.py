"""Uploads: which files are taken, what they are connected to, and that they come back whole."""

import json
import uuid
from typing import Any
from urllib.parse import quote

import pytest

from tests.sandbox.conftest import Api
from tests.sandbox.entries import entry, make
from tests.sandbox.files import JPEG, PDF, png, send, upload
from tests.support.sandbox import Reply


def refused(reply: Reply) -> Any:
    assert reply.status == 400, reply.body
    return json.loads(reply.body)


@pytest.mark.parametrize(
    "content, name, media_type",
    [
        (PDF, "kvitto.pdf", "application/pdf"),
        (JPEG, "bild.jpeg", "image/jpeg"),
        (png(), "Räksmörgås.PNG", "image/png"),
    ],
)
def test_a_document_comes_back_byte_for_byte(api: Api, content: bytes, name: str, media_type: str):
    made = upload(api, content, name)

    assert made == {
        "id": made["id"],
        "description": name,
        "contentType": media_type,
        "journalEntryId": None,
    }
    assert api.ok("GET", f"uploads/{made['id']}") == made
    reply = api.call("GET", f"uploads/{made['id']}/download")
    assert (reply.headers["Content-Type"], reply.body) == ("application/octet-stream", content)


def test_the_part_may_be_named_as_in_the_published_sample(api: Api):
    assert upload(api, part="File", description="Lunch")["description"] == "Lunch"


@pytest.mark.parametrize(
    "content, name",
    [(b"GIF89a....", "bild.gif"), (b"hello", "kvitto.pdf"), (b"", "kvitto.pdf"), (PDF, "x.png")],
)
def test_other_kinds_of_files_are_refused(api: Api, content: bytes, name: str):
    refusal = refused(send(api, content, name))

    assert [error["field"] for error in refusal["errors"]] == ["#/file"]
    assert api.ok("GET", "uploads")["totalItems"] == 0


def test_a_body_without_a_file_is_refused(api: Api):
    refusal = api.refused("POST", "uploads", {"file": "x"}, status=400)

    assert [error["field"] for error in refusal["errors"]] == ["#/file"]


def test_by_a_switch_uploads_have_a_largest_size(api: Api):
    api.sandbox.set_switches(largest_upload_bytes=len(PDF))
    upload(api)

    assert refused(send(api, PDF + b"x"))["code"] == "limit-exceeded"
    assert api.ok("GET", "uploads")["totalItems"] == 1


def test_an_upload_can_be_connected_to_an_entry_from_either_side(api: Api):
    first = make(api)
    attached = upload(api, journalEntryId=first["id"])
    free = upload(api, name="faktura.pdf")
    second = make(api, uploadRef={"id": free["id"]})

    assert attached["journalEntryId"] == first["id"]
    assert api.ok("GET", f"journal-entries/{first['id']}")["uploadRef"] == {"id": attached["id"]}
    assert second["uploadRef"] == {"id": free["id"]}
    assert api.ok("GET", f"uploads/{free['id']}")["journalEntryId"] == second["id"]


def test_an_upload_belongs_to_one_thing_only(api: Api):
    taken = upload(api, journalEntryId=make(api)["id"])
    body = entry(uploadRef={"id": taken["id"]})

    assert api.pointers("POST", "journal-entries", body) == ["#/uploadRef/id"]
    assert len(api.sandbox.books(api.company_id)["journalEntries"]) == 1


def test_an_entry_with_an_unknown_upload_is_not_written(api: Api):
    body = entry(uploadRef={"id": str(uuid.uuid4())})

    assert api.refused("POST", "journal-entries", body, status=404)["code"] == "not-found"
    assert api.sandbox.books(api.company_id)["journalEntries"] == []


@pytest.mark.parametrize("entry_id", ["x", str(uuid.UUID(int=0))])
def test_an_upload_to_an_unknown_entry_is_refused(api: Api, entry_id: str):
    refusal = refused(send(api, journalEntryId=entry_id))

    assert [error["field"] for error in refusal["errors"]] == ["#/journalEntryId"]
    assert api.ok("GET", "uploads")["totalItems"] == 0


def test_uploads_are_found_by_description_and_entry(api: Api):
    made = make(api)
    upload(api, description="Lunch", journalEntryId=made["id"])
    upload(api, description="Hyra")

    for query, expected in (
        ("description==Lunch", ["Lunch"]),
        ("description~yr", ["Hyra"]),
        (f"journalEntryId=={made['id']}", ["Lunch"]),
        (f"journalEntryId!={made['id']}", ["Hyra"]),
    ):
        found = api.ok("GET", f"uploads?query={quote(query)}")["items"]
        assert [row["description"] for row in found] == expected, query


def test_an_upload_that_nobody_made_is_not_found(api: Api):
    for path in (f"uploads/{uuid.uuid4()}", f"uploads/{uuid.uuid4()}/download", "uploads/x"):
        assert api.refused("GET", path, status=404)["code"] == "not-found"
