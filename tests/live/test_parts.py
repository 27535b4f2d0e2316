"""What parts of pages ask for by themselves, and what they get."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from tests.support import make

TEMPLATES = Path(__file__).parents[2] / "templates"


@pytest.mark.parametrize("of", ["flows", "invoicing"])
def test_no_part_asks_by_the_clock_beside_the_stream(of: str) -> None:
    """`data-poll` asks only while no stream is heard, and never in a hidden tab."""
    by_clock = re.compile(r'hx-trigger="[^"]*\bevery \d')
    parts = list((TEMPLATES / of).rglob("*.html"))

    assert parts
    assert [part.name for part in parts if by_clock.search(part.read_text())] == []


@pytest.mark.django_db
def test_the_runs_are_counted_once_and_again_only_when_one_has_moved(client: Client) -> None:
    client.force_login(make.member())

    page = client.get(reverse("flows:list")).content.decode()
    part = client.get(reverse("flows:list"), {"counts": "1"}).content.decode()

    assert 'hx-trigger="load, moved"' in page
    assert 'hx-trigger="moved"' in part
    assert "load" not in part


@pytest.mark.django_db
def test_a_part_of_a_page_that_is_signed_out_sends_the_whole_page_to_sign_in(
    client: Client,
) -> None:
    part = reverse("flows:list") + "?counts=1"
    asked_by = {"HX-Request": "true", "HX-Current-URL": "http://testserver/runs/?view=needs"}

    answer = client.get(part, headers=asked_by)

    sign_in = f"{reverse('account_login')}?next=/runs/%3Fview%3Dneeds"
    assert (answer.status_code, answer["HX-Redirect"]) == (200, sign_in)
    assert answer.content == b""
    elsewhere = asked_by | {"HX-Current-URL": "https://elsewhere.example/runs/"}
    assert client.get(part, headers=elsewhere)["HX-Redirect"].endswith("?next=/")
    assert client.get(part).status_code == 302
