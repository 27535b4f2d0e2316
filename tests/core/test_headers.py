"""What every answer carries for the reader's safety."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from tests.support import make

PAGES = ["start", "connections:list", "invoicing:list", "flows:list", "connections:connect"]


@pytest.fixture
def browser() -> Client:
    client = Client()
    client.force_login(make.member())
    return client


@pytest.mark.django_db
@pytest.mark.parametrize("page", PAGES)
def test_a_page_cannot_be_framed_sniffed_scripted_or_kept(page: str, browser: Client) -> None:
    answer = browser.get(reverse(page))

    policy = answer["Content-Security-Policy"]
    assert answer.status_code in {200, 302}
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert not re.search(r"unsafe|\*|https?:(?!//)", policy)
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in answer["Permissions-Policy"]
    assert "private" in answer["Cache-Control"]


@pytest.mark.django_db
def test_signing_in_gives_the_browser_another_session(client: Client) -> None:
    person = make.user(password=make.PASSWORD)
    client.get(reverse("account_login"))
    planted = client.session
    planted["planted"] = True
    planted.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = planted.session_key

    answer = client.post(
        reverse("account_login"), {"login": person.email, "password": make.PASSWORD}
    )

    assert answer.status_code == 302
    cookie = answer.cookies[settings.SESSION_COOKIE_NAME]
    assert cookie.value != planted.session_key
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


@pytest.mark.django_db
def test_who_guesses_passwords_is_stopped_and_others_are_not(client: Client) -> None:
    person = make.user(password=make.PASSWORD)
    address = reverse("account_login")

    def attempt(password: str, *, at: str = "192.0.2.1") -> int:
        form = {"login": person.email, "password": password}
        return Client(REMOTE_ADDR=at).post(address, form).status_code

    guesses = [attempt(f"wrong guess {number}") for number in range(5)]

    assert guesses == [200] * 5
    assert attempt(make.PASSWORD) != 302
    other = make.user(password=make.PASSWORD)
    form = {"login": other.email, "password": make.PASSWORD}
    assert Client(REMOTE_ADDR="192.0.2.2").post(address, form).status_code == 302


@pytest.mark.django_db
def test_the_sign_in_page_does_not_tell_who_has_an_account(client: Client) -> None:
    person = make.user(password=make.PASSWORD)

    def said(email: str) -> str:
        form = {"login": email, "password": "wrong guess"}
        page = Client(REMOTE_ADDR="192.0.2.3").post(reverse("account_login"), form)
        return re.sub(r"(value=|FToken\": )\"[^\"]*\"", "", page.content.decode())

    assert said(person.email) == said("nobody@example.com")


@pytest.mark.django_db
def test_a_form_without_our_token_is_refused() -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(make.member())

    assert browser.post(reverse("connections:connect")).status_code == 403


def test_another_host_name_is_refused(client: Client) -> None:
    assert client.get("/healthz", headers={"host": "evil.example"}).status_code == 400


@pytest.mark.parametrize("password", ["short-one-1", "1qaz2wsx3edc", "123456789012"])
def test_a_weak_password_is_refused(password: str) -> None:
    with pytest.raises(ValidationError):
        validate_password(password)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["q", "company_text", "after", "before", "company", "k\0"])
@pytest.mark.parametrize("page", ["connections:list", "invoicing:list", "flows:list"])
def test_what_holds_a_nul_in_an_address_is_taken_for_absent(
    page: str, name: str, browser: Client
) -> None:
    answer = browser.get(reverse(page), {name: "a\0b", "view": "all", "sort": "number"})

    assert answer.status_code == 200
    assert list(answer.wsgi_request.GET.items()) == [("view", "all"), ("sort", "number")]
