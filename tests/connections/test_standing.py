"""What hinders a sound connection: told once, not hidden by less, over with the first success."""

from __future__ import annotations

from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import translation

from bokio_app.connections import features, grants, notices, overview, standing
from bokio_app.connections.causes import TABLE, Act, Cause
from bokio_app.connections.models import Connection, Kind, Notice, State
from bokio_app.core import clock
from bokio_app.flows import errands
from bokio_app.flows import services as flows
from bokio_app.flows.explain import LACKS_SCOPE
from bokio_app.flows.models import FlowState
from bokio_app.tenants.models import Tenant, User
from tests.support import make

pytestmark = pytest.mark.django_db(transaction=True)

WAITING = [cause for cause, words in TABLE.items() if not words.needs_person]


@pytest.fixture
def tenant() -> Tenant:
    return make.tenant()


@pytest.fixture
def person(tenant: Tenant) -> User:
    return make.member(tenant, language="en")


@pytest.fixture
def connection(tenant: Tenant, person: User) -> Connection:
    return make.connection(tenant, name="Bolaget AB")


@pytest.fixture
def client(person: User) -> Client:
    browser = Client()
    browser.force_login(person)
    browser.cookies["bokio_app_language"] = "en"
    return browser


def again(connection: Connection) -> Connection:
    """The row as the next worker loads it."""
    return Connection.objects.get(pk=connection.pk)


def told() -> list[tuple[str, str]]:
    return list(Notice.objects.order_by("pk").values_list("kind", "cause"))


def test_what_needs_a_person_is_told_once_and_its_end_too(connection: Connection) -> None:
    standing.hindered(connection, Cause.PLAN)
    standing.hindered(again(connection), Cause.PLAN)
    standing.hindered(make.connection(connection.tenant), Cause.DOWN)
    assert told() == [("broke", "plan")]

    standing.eased(again(connection))
    standing.eased(again(connection))

    assert told() == [("broke", "plan"), ("recovered", "")]
    assert overview.health(again(connection)).state == "works"


@pytest.mark.parametrize("cause", WAITING)
def test_what_passes_by_itself_is_told_only_when_it_lasts_and_then_once(
    cause: Cause, connection: Connection, settings: Any
) -> None:
    standing.hindered(connection, cause)
    notices.tell_lasting()
    assert told() == []

    settings.CONNECTIONS_TELL_AFTER = 0
    notices.tell_lasting()
    notices.tell_lasting()
    standing.eased(again(connection))

    assert told() == [("lasting", cause), ("recovered", "")]


def test_it_lasts_since_the_first_of_several_causes(connection: Connection) -> None:
    standing.hindered(connection, Cause.DOWN)
    since = again(connection).hindered_at

    standing.hindered(again(connection), Cause.BROWNOUT)

    assert again(connection).hindered_by == Cause.BROWNOUT
    assert again(connection).hindered_at == since


@pytest.mark.parametrize("cause", WAITING)
def test_what_passes_by_itself_hides_nothing_that_needs_a_person(
    cause: Cause, connection: Connection
) -> None:
    standing.hindered(connection, Cause.PLAN)

    standing.hindered(again(connection), cause)

    assert again(connection).hindered_by == Cause.PLAN
    assert told() == [("broke", "plan")]


def test_a_shorter_wait_does_not_rename_a_longer_one(connection: Connection) -> None:
    soon, late = (clock.now() + timedelta(minutes=minutes) for minutes in (1, 60))
    grants.block(connection, until=late, code="quota-exceeded", cause=Cause.QUOTA)

    grants.block(again(connection), until=soon, code="rate-limit-exceeded")

    assert overview.health(again(connection)).code == Cause.QUOTA


def test_a_break_ends_what_hindered_before(connection: Connection) -> None:
    standing.hindered(connection, Cause.DOWN)

    standing.broke(connection, generation=1, cause=Cause.REVOKED)

    broken = again(connection)
    assert (broken.state, broken.hindered_by) == (State.BROKEN, "")
    assert overview.health(broken).code == Cause.REVOKED


def test_no_cause_that_waits_or_hinders_breaks_a_connection(connection: Connection) -> None:
    for cause in TABLE:
        standing.hindered(again(connection), cause)
        assert again(connection).is_active


def test_a_permission_is_lacking_until_it_is_given_and_is_told_once(
    connection: Connection,
) -> None:
    with transaction.atomic():
        standing.lacks(connection, ["items:write", "items:read"])
        standing.lacks(connection, ["items:read"])
    assert told() == [("broke", "scope")]
    health = overview.health(again(connection))
    assert health.act is Act.MORE
    assert health.cause.endswith(f"({features.FEATURES[7].title})")

    standing.is_given(connection, ["items:read"])
    assert told() == [("broke", "scope")]
    standing.is_given(connection, ["items:write", "items:read"])

    assert told() == [("broke", "scope"), ("recovered", "")]
    assert overview.health(again(connection)).state == "works"


def test_a_permission_that_was_asked_for_already_is_mended_by_asking_again(
    connection: Connection,
) -> None:
    with transaction.atomic():
        standing.lacks(connection, ["invoices:write"])

    assert overview.health(again(connection)).act is Act.RECONNECT


def test_a_run_that_is_given_up_asks_for_nothing_any_more_and_nothing_has_recovered(
    connection: Connection, person: User
) -> None:
    with transaction.atomic():
        standing.lacks(connection, ["items:write"])
    first, second = (
        make.flow(connection, state=FlowState.STUCK, stuck_code=LACKS_SCOPE, created_by=person)
        for _run in range(2)
    )

    flows.abandon(first, by=person)
    assert again(connection).lacks == ["items:write"]
    flows.abandon(second, by=person)

    assert again(connection).lacks == []
    assert told() == [("broke", "scope")]


def test_a_reading_that_is_begun_anew_does_not_count_as_given_up(connection: Connection) -> None:
    with transaction.atomic():
        standing.lacks(connection, ["items:read"])
    reading = make.flow(connection, state=FlowState.STUCK, stuck_code=LACKS_SCOPE)

    flows.abandon(reading, by=None)

    assert again(connection).lacks == ["items:read"]


def test_look_again_ends_the_rest_for_a_plan_but_not_what_bokio_has_told_us(
    connection: Connection, client: Client
) -> None:
    late = clock.now() + timedelta(hours=20)
    other = make.connection(connection.tenant)
    grants.block(connection, until=late, code="price_plan_feature_required", cause=Cause.PLAN)
    grants.block(other, until=late, code="quota-exceeded", cause=Cause.QUOTA)
    waiting = make.flow(connection, wait_reason="plan", not_before=late)
    page = client.get(reverse("connections:detail", args=[connection.pk])).content.decode()
    assert "Look again now" in page

    for each in (connection, other):
        client.post(reverse("connections:look_again", args=[each.pk]))

    waiting.refresh_from_db()
    assert waiting.not_before <= clock.now()
    assert again(connection).blocked_until is None
    assert again(connection).hindered_by == Cause.PLAN  # until a call has shown that it is over
    assert again(other).blocked_until == late


def test_the_start_page_lists_who_needs_a_person_with_the_cause_and_what_helps(
    tenant: Tenant, client: Client
) -> None:
    broken = make.connection(tenant, name="Aspen AB", state=State.BROKEN, broken_by="revoked")
    private = make.connection(
        tenant, name="Björk AB", state=State.BROKEN, kind=Kind.PRIVATE, broken_by="token_refused"
    )
    planless = make.connection(tenant, name="Cypress AB")
    lacking = make.connection(tenant, name="Druva AB", lacks=["items:write"])
    down = make.connection(tenant, name="Ek AB")
    standing.hindered(planless, Cause.PLAN)
    standing.hindered(down, Cause.DOWN)

    answer = client.get("/")

    queue = answer.context["queue"]
    assert [each.connection for each in queue.needy] == [broken, private, planless, lacking]
    page = unescape(answer.content.decode())
    for name, company in (
        ("reconnect", broken),
        ("replace_token", private),
        ("look_again", planless),
        ("more", lacking),
    ):
        assert reverse(f"connections:{name}", args=[company.pk]) in page
    with translation.override("en"):
        assert str(TABLE[Cause.PLAN].happened) in page
        assert str(TABLE[Cause.DOWN].happened) not in page


def test_a_consent_without_the_permission_leaves_it_lacking() -> None:
    lacking = make.connection(lacks=["items:write"])

    standing.is_given(lacking, features.NEEDED)

    assert again(lacking).lacks == ["items:write"]


def test_the_errands_tell_of_what_lasts(connection: Connection, settings: Any) -> None:
    settings.CONNECTIONS_TELL_AFTER = 0
    standing.hindered(connection, Cause.DOWN)

    errands.run_rare()

    assert told() == [("lasting", "down")]
