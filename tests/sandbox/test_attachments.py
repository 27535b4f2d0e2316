"""Attachments: which files an invoice takes, while it is a draft, and that they come back whole."""

import uuid
from typing import Any

import pytest

from tests.sandbox.conftest import Api
from tests.sandbox.files import JPEG, PDF, form, png
from tests.support.sandbox import Reply

MEGABYTE = 1024 * 1024


def send(api: Api, invoice: Any, content: bytes = PDF, name: str = "ritning.pdf") -> Reply:
    body, media_type = form(content, name)
    path = f"/v1/companies/{api.company_id}/invoices/{invoice['id']}/attachments"
    headers = {"Content-Type": media_type}
    return api.sandbox.request("POST", path, token=api.token, body=body, headers=headers)


def attach(api: Api, invoice: Any, content: bytes = PDF, name: str = "ritning.pdf") -> Any:
    reply = send(api, invoice, content, name)
    assert reply.status == 200, reply.body
    return reply.json


def jpeg(width: int, height: int) -> bytes:
    """The head of a picture: a comment, then the frame with the size."""
    frame = b"\xff\xc0\x00\x11\x08" + height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return b"\xff\xd8\xff\xfe\x00\x05abc" + frame + bytes(12) + b"\xff\xd9"


@pytest.mark.parametrize(
    "content, name",
    [(PDF, "Ritning över altan.pdf"), (JPEG, "foto.JPG"), (png(), "foto.png")],
)
def test_a_file_comes_back_as_it_was_sent(api: Api, content: bytes, name: str):
    draft = api.draft()

    attachment = attach(api, draft, content, name)

    path = f"invoices/{draft['id']}/attachments/{attachment['id']}"
    assert attachment == {"id": attachment["id"], "invoiceId": draft["id"], "fileName": name}
    assert api.ok("GET", path) == attachment
    reply = api.call("GET", f"{path}/download")
    assert (reply.headers["Content-Type"], reply.body) == ("application/octet-stream", content)


def test_the_invoice_refers_to_its_files_in_their_order(api: Api):
    draft = api.draft()
    made = [attach(api, draft, name=f"{place}.pdf") for place in range(3)]
    path = f"invoices/{draft['id']}"

    api.ok("DELETE", f"{path}/attachments/{made[1]['id']}")

    left = [made[0], made[2]]
    refs = api.ok("GET", path)["attachmentRefs"]
    assert [(ref["id"], ref["name"]) for ref in refs] == [(a["id"], a["fileName"]) for a in left]
    assert api.ok("GET", f"{path}/attachments")["items"] == left
    assert api.ok("GET", f"{path}/attachments?query=fileName~2")["items"] == [made[2]]
    listed = api.ok("GET", "invoices")["items"][0]
    assert listed["attachmentRefs"] == refs


@pytest.mark.parametrize(
    "content, name",
    [
        (b"hello", "text.txt"),
        (b"hello", "pretends.pdf"),
        (PDF, "pretends.png"),
        (PDF, "nameless"),
        (b"", "empty.pdf"),
    ],
)
def test_only_documents_and_pictures_are_taken(api: Api, content: bytes, name: str):
    draft = api.draft()

    reply = send(api, draft, content, name)

    assert (reply.status, reply.json["code"]) == (400, "validation-error")
    assert reply.json["errors"][0]["field"] == "#/file"
    assert api.ok("GET", f"invoices/{draft['id']}")["attachmentRefs"] == []


def test_a_file_over_4_megabytes_is_refused(api: Api):
    draft = api.draft()
    attach(api, draft, PDF.ljust(4 * MEGABYTE))

    reply = send(api, draft, PDF.ljust(4 * MEGABYTE + 1))

    assert (reply.status, reply.json["code"]) == (400, "limit-exceeded")


def test_the_files_of_an_invoice_come_to_10_megabytes_at_most(api: Api):
    draft = api.draft()
    for _ in range(2):
        attach(api, draft, PDF.ljust(4 * MEGABYTE))
    attach(api, draft, PDF.ljust(2 * MEGABYTE))

    reply = send(api, draft)

    assert (reply.status, reply.json["code"]) == (400, "limit-exceeded")
    assert api.ok("GET", f"invoices/{draft['id']}/attachments")["totalItems"] == 3


@pytest.mark.parametrize(
    "content, name, taken",
    [
        (png(4959, 7015), "just.png", True),
        (png(4960, 1), "wide.png", False),
        (png(1, 7016), "high.png", False),
        (jpeg(4959, 7015), "just.jpg", True),
        (jpeg(4960, 1), "wide.jpg", False),
        (jpeg(1, 7016), "high.jpeg", False),
    ],
)
def test_a_picture_has_a_largest_size(api: Api, content: bytes, name: str, taken: bool):
    assert (send(api, api.draft(), content, name).status == 200) is taken


def test_a_published_invoice_keeps_the_files_it_has(api: Api):
    draft = api.draft()
    attachment = attach(api, draft)
    path = f"invoices/{draft['id']}"
    published = api.ok("POST", f"{path}/publish")

    assert send(api, draft).json["code"] == "operation-not-allowed"
    refusal = api.refused("DELETE", f"{path}/attachments/{attachment['id']}", status=400)

    assert refusal["code"] == "operation-not-allowed"
    assert api.ok("GET", path) == published
    assert len(published["attachmentRefs"]) == 1


def test_what_does_not_exist_is_not_found(api: Api):
    first, second = api.draft(), api.draft()
    theirs = attach(api, second)["id"]
    for attachment_id in (str(uuid.uuid4()), theirs, "x"):
        path = f"invoices/{first['id']}/attachments/{attachment_id}"
        assert api.call("GET", path).status == 404
        assert api.call("GET", f"{path}/download").status == 404
        assert api.call("DELETE", path).status == 404
    assert api.call("GET", f"invoices/{uuid.uuid4()}/attachments").status == 404
    assert send(api, {"id": uuid.uuid4()}).status == 404


def test_a_body_that_is_no_form_is_refused(api: Api):
    path = f"invoices/{api.draft()['id']}/attachments"

    assert api.pointers("POST", path, {"file": "ritning.pdf"}) == ["#/file"]
