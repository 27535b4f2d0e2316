"""The table of failures: each is told by its name, loses no work, and ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import translation

from bokio_app.connections import notices
from bokio_app.connections.causes import TABLE
from bokio_app.connections.models import State
from tests.flows.cases import World
from tests.inprocess.failures import BROKE, FAILURES, LASTING, PARKED, STUCK, Failure
from tests.inprocess.failures_table import PAGE, page
from tests.inprocess.harness import Harness
from tests.inprocess.play import A_DAY, Play

pytestmark = pytest.mark.fault

NOT_SAID = ("unknown error", "okänt fel", "Traceback")


@pytest.fixture
def play(harness: Harness, world: World, settings: Any) -> Iterator[Play]:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.BOKIO_CLIENT_SECRET = harness.sandbox.client_secret
    with translation.override("en"):
        yield Play(harness, world)


@pytest.mark.parametrize("failure", FAILURES, ids=lambda each: each.name)
def test_a_run_queued_before_a_failure_is_done_once_after_it(failure: Failure, play: Play) -> None:
    if failure.private:
        play.be_private(failure.private)
    play.queue()
    failure.strike(play)
    play.work_for(failure.work)
    notices.tell_lasting()

    is_broken = play.connection.state == State.BROKEN
    assert is_broken == (failure.flow == PARKED)
    shown(failure, play)
    assert play.notices() == [(kind, failure.cause) for kind in failure.told[:1]]
    flow = play.flow
    assert flow
    flow.refresh_from_db()
    assert flow.state == failure.flow
    on_run = play.page("flows:detail", flow.public_id)
    assert not any(each in on_run for each in NOT_SAID)
    assert failure.flow != STUCK or TABLE[failure.cause].title in on_run
    assert len(play.mails()) == (1 if failure.told else 0)

    failure.mend(play)
    play.work_for(A_DAY)

    play.settled_once()
    assert play.health().state == "works"
    assert [kind for kind, _cause in play.notices()] == list(failure.told)
    assert len(play.mails()) == (1 if failure.told else 0)


@pytest.mark.parametrize(
    "failure", [each for each in FAILURES if each.daily], ids=lambda each: each.name
)
def test_the_daily_check_finds_it_where_nobody_works(failure: Failure, play: Play) -> None:
    if failure.private:
        play.be_private(failure.private)
    failure.strike(play)

    play.check_daily()

    shown(failure, play)
    needs_person = TABLE[failure.cause].needs_person
    assert play.notices() == [(BROKE if needs_person else LASTING, failure.cause)]


def shown(failure: Failure, play: Play) -> None:
    """What people read, in both languages, on each page that tells of the company."""
    words = TABLE[failure.cause]
    health = play.health()
    assert health.code == failure.cause
    for language in ("en", "sv"):
        with translation.override(language):
            said = (words.title, str(words.happened), str(words.cure))
        lists = [play.page("connections:list", language=language)]
        if words.needs_person:
            lists.append(play.page("start", language=language))
        pages = [play.page("connections:detail", play.connection.pk, language=language)]
        if play.notices():
            pages.append(play.page("connections:notices", language=language))
        for text in lists:
            assert all(each in text for each in said[:2]), (said, text)
        for text in pages:
            assert all(each in text for each in said), (said, text)
        assert not any(each in text for each in NOT_SAID for text in (*lists, *pages))


def test_every_cause_has_its_row_and_its_words_in_both_languages() -> None:
    assert {each.cause for each in FAILURES} == set(TABLE)
    for words in TABLE.values():
        for text in (words.cause.label, words.happened, words.cure):
            with translation.override("en"):
                english = str(text)
            with translation.override("sv"):
                assert str(text) != english


def test_the_page_says_what_is_tested() -> None:
    if os.environ.get("WRITE_FAILURES"):
        PAGE.write_text(page())

    assert PAGE.read_text() == page(), "make failures writes it anew"
