"""The demo's account: made where it belongs, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError, call_command

from bokio_app.tenants.models import Tenant, User

pytestmark = pytest.mark.django_db
PASSWORD = "a long enough pass phrase"


def test_the_demo_workspace_is_made_with_its_owner(settings: Any) -> None:
    settings.EMBEDDED = True

    call_command("seed_demo", "--password", PASSWORD)

    owner = User.objects.get(email="demo@example.com")
    assert owner.check_password(PASSWORD)
    assert owner.memberships.get().tenant == Tenant.objects.get(slug="demo")


def test_a_second_run_changes_nothing_but_the_password(settings: Any) -> None:
    settings.EMBEDDED = True
    call_command("seed_demo", "--password", PASSWORD)
    User.objects.update(name="Somebody Else")

    call_command("seed_demo", "--password", PASSWORD + "!")

    owner = User.objects.get()
    assert owner.name == "Somebody Else"
    assert owner.check_password(PASSWORD + "!")
    assert Tenant.objects.count() == 1


def test_an_installation_with_its_own_database_refuses_a_known_account(settings: Any) -> None:
    settings.EMBEDDED = False

    with pytest.raises(CommandError, match="--force"):
        call_command("seed_demo", "--password", PASSWORD)

    assert not User.objects.exists()


def test_without_a_password_nothing_is_made(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.EMBEDDED = True
    monkeypatch.delenv("DEMO_PASSWORD", raising=False)

    with pytest.raises(CommandError, match="DEMO_PASSWORD"):
        call_command("seed_demo")

    assert not User.objects.exists()
