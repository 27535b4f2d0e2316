"""Signing up: an address that is proved, a workspace, and nothing told about who is here."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client

from bokio_app.audit.models import Event
from bokio_app.tenants import accounts
from bokio_app.tenants.models import Tenant, User
from tests.support import make

pytestmark = pytest.mark.django_db

SIGN_UP = "/account/signup/"
CONFIRM = "/account/confirm-email/"
FORM = {
    "name": "Anna Ek",
    "workspace": "Ek Redovisning",
    "email": "anna@example.com",
    "password1": make.PASSWORD,
}


@pytest.fixture(autouse=True)
def no_tries_before() -> None:
    cache.clear()


def code() -> str:
    """The code in the latest mail."""
    found = re.search(r"^[A-Z0-9]{3,}-?[A-Z0-9]{3,}$", str(mail.outbox[-1].body), re.MULTILINE)
    assert found, mail.outbox[-1].body
    return found[0]


def test_a_new_person_proves_the_address_and_owns_a_workspace(client: Client) -> None:
    assert client.post(SIGN_UP, FORM)["Location"] == CONFIRM
    assert client.get("/companies/")["Location"].startswith("/account/login/")

    client.post(CONFIRM, {"code": code()})

    person = User.objects.get(email=FORM["email"])
    assert person.name == "Anna Ek"
    tenant = Tenant.objects.get(members__user=person)
    assert (tenant.name, tenant.members.get().role) == ("Ek Redovisning", "owner")
    assert client.get("/companies/").context["request"].tenant == tenant


def test_a_wrong_code_opens_nothing(client: Client) -> None:
    client.post(SIGN_UP, FORM)

    for _try in range(3):
        client.post(CONFIRM, {"code": "WRONG1"})
    client.post(CONFIRM, {"code": code()})

    assert client.get("/companies/").status_code == 302


def test_an_address_that_has_an_account_is_answered_as_any_other(client: Client) -> None:
    make.user(FORM["email"])
    new = client.post(SIGN_UP, FORM | {"email": "new@example.com"})

    known = Client().post(SIGN_UP, FORM)

    assert (known.status_code, known["Location"]) == (new.status_code, new["Location"])
    assert User.objects.filter(email=FORM["email"]).count() == 1
    assert not Tenant.objects.filter(members__user__email=FORM["email"]).exists()
    assert "/account/password/reset/" in str(mail.outbox[-1].body)


def test_a_sign_up_from_the_marketplace_goes_on_for_the_same_company(client: Client) -> None:
    page = "/companies/marketplace/?ask=something"
    client.post(SIGN_UP, FORM | {"next": page})

    assert client.post(CONFIRM, {"code": code()})["Location"] == page


def test_somebody_who_signs_up_without_end_is_stopped(client: Client) -> None:
    answers = [
        Client().post(SIGN_UP, FORM | {"email": f"anna{number}@example.com"}).status_code
        for number in range(11)
    ]

    assert answers == [302] * 10 + [429]
    assert User.objects.count() == 10


def test_a_closed_installation_has_no_sign_up(client: Client, settings: Any) -> None:
    settings.SIGN_UP = False

    page = client.post(SIGN_UP, FORM)

    assert not User.objects.exists()
    assert "invit" in page.content.decode() or "inbjud" in page.content.decode()
    assert SIGN_UP not in client.get("/account/login/").content.decode()


def test_whom_an_operator_made_an_account_for_signs_in_without_a_mail(client: Client) -> None:
    person = make.member(password=make.PASSWORD)

    client.post("/account/login/", {"login": person.email, "password": make.PASSWORD})

    assert client.get("/companies/").status_code == 200
    assert mail.outbox == []


def test_an_operator_who_changes_an_address_vouches_for_the_new_one(
    admin_client: Client, client: Client
) -> None:
    person = make.member(email="old@example.com", password=make.PASSWORD)
    page = f"/admin/tenants/user/{person.pk}/change/"
    form = admin_client.get(page).context["adminform"].form
    values = {name: form[name].value() for name in ("name", "is_active")}

    changed = {"last_login_0": "", "last_login_1": "", "email": "New@example.com"}
    joined = {"date_joined_0": "2026-01-01", "date_joined_1": "12:00"}
    answer = admin_client.post(page, values | changed | joined)

    assert answer.status_code == 302, answer.context["errors"]
    client.post("/account/login/", {"login": "new@example.com", "password": make.PASSWORD})
    assert client.get("/companies/").status_code == 200
    assert [each.email for each in person.emailaddress_set.all()] == ["new@example.com"]


def test_an_account_that_nobody_proves_has_no_workspace_and_is_erased_in_time(
    client: Client, settings: Any, pass_time: Any
) -> None:
    client.post(SIGN_UP, FORM)
    kept = [make.member(), make.user(is_staff=True), make.user()]
    User.objects.update(last_login=None)
    assert not Tenant.objects.filter(name=FORM["workspace"]).exists()

    for days, left in ((6, 4), (2, 3)):
        pass_time(timedelta(days=days))
        accounts.erase_unproven()
        assert User.objects.count() == left

    assert list(User.objects.order_by("pk")) == kept
    cache.clear()
    later = Client()
    later.post(SIGN_UP, FORM)
    later.post(CONFIRM, {"code": code()})
    assert later.get("/companies/").status_code == 200


def test_a_new_workspace_is_the_first_line_of_its_audit_trail(client: Client) -> None:
    client.post(SIGN_UP, FORM)
    client.post(CONFIRM, {"code": code()})
    client.post("/account/logout/")
    client.post("/account/login/", {"login": FORM["email"], "password": make.PASSWORD})

    told = Event.objects.get(tenant__name=FORM["workspace"])
    assert (told.action, told.actor) == ("workspace.made", User.objects.get(email=FORM["email"]))
