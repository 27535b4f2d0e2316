"""Searching a register as one types: all that leads on from the page follows the search."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from tests.support import make

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("register", ["customers", "items"])
def test_what_a_search_brings_replaces_all_that_names_the_search(client, register):
    tenant = make.tenant()
    make.connection(tenant)
    make.connection(tenant)
    client.force_login(make.member(tenant))

    html = client.get(reverse(f"{register}:list"), {"q": "findme"}).content.decode()

    [listed] = re.findall(r'hx-select-oob="([^"]+)"', html)
    for name in listed.split(","):
        [tag] = re.findall(rf'<[^>]* id="{name[1:]}"[^>]*>', html)
        part = html[html.index(tag) :]
        end = part.index("</nav>") if tag.startswith("<nav") else len(tag)
        assert "findme" in part[:end]
    assert {"#register-orders", "#register-export", "#register-company-q"} == set(listed.split(","))
