"""A file is attached to a draft from its page, and Bokio has it when the invoice is published."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import Company
from tests.journeys.steps import draft, expect_recorded, one_invoice
from tests.support.processes import Stack
from tests.support.walk import Walk

pytestmark = [pytest.mark.journey, pytest.mark.slow]


def upload(walk: Walk, name: str, content: bytes) -> None:
    file: Any = {"name": name, "mimeType": "application/pdf", "buffer": content}
    walk.page.get_by_label("Ny bilaga").set_input_files(file)
    walk.page.get_by_role("button", name="Bifoga").click()


def test_a_file_is_refused_by_its_content_and_another_goes_with_the_invoice(
    member: Walk, connection_id: str, company: Company, stack: Stack
) -> None:
    page = member.page
    member.statuses.add(422)
    path = draft(member, connection_id)

    upload(member, "Villkor.pdf", b"MZ no such thing")
    expect(page.get_by_role("alert")).to_contain_text("ingen PDF, JPEG eller PNG")
    expect(page.get_by_label("Ny bilaga")).to_be_focused()
    barriers = member.barriers()

    upload(member, "Villkor.pdf", b"%PDF-1.4 terms")
    files = page.locator("#attachments li")
    expect(files).to_have_count(1)
    expect(files).to_contain_text("Följer med fakturan till Bokio")
    link = files.get_by_role("link", name="Villkor.pdf").get_attribute("href") or ""
    assert member.context.request.get(member.app_url + link).body() == b"%PDF-1.4 terms"
    upload(member, "Fel.pdf", b"%PDF-1.4 wrong one")
    page.get_by_role("button", name="Ta bort Fel.pdf").click()
    expect(files).to_have_count(1)
    barriers += member.barriers()

    member.go(path)
    member.press("send")
    expect_recorded(member)
    expect(files).to_contain_text("Finns i Bokio")
    expect(page.locator("#attachments")).to_contain_text("bara medan fakturan är ett utkast")
    barriers += member.barriers()

    [name] = [each["name"] for each in one_invoice(stack, company)["attachmentRefs"]]
    assert name.startswith("Villkor ref ")
    assert barriers == []
