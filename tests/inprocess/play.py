"""One company with a queued invoice, and what people see of it while Bokio lets it down."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.html import strip_tags

from bokio_app.bokio.oauth import Tokens
from bokio_app.connections import grants, notices, overview, private_tokens, roll_call, services
from bokio_app.connections.models import Connection, Notice
from bokio_app.core import clock
from bokio_app.flows import tasks
from bokio_app.flows.models import Flow, FlowState
from bokio_app.mirror import planner
from bokio_app.mirror.models import Mirror
from tests.flows.cases import World
from tests.support import bokio as support

from .harness import MOVING, Harness, one_flow

A_WHILE = timedelta(minutes=10)
A_DAY = timedelta(days=1)
MOST_TURNS = 60


@dataclass
class Play:
    """The company, the run that was queued before the fault, and the sandbox behind them."""

    harness: Harness
    world: World
    flow: Flow | None = None

    @property
    def sandbox(self) -> Any:
        return self.world.sandbox

    @property
    def company(self) -> str:
        return str(self.world.connection.company_id)

    @property
    def connection(self) -> Connection:
        return Connection.objects.get(pk=self.world.connection.pk)

    def be_private(self, scopes: Sequence[str]) -> None:
        """Let the company be one that was brought in by a pasted token instead."""
        Connection.objects.filter(pk=self.world.connection.pk).update(state="ended")
        made = private_tokens.paste(
            self.world.connection.tenant,
            company_id=UUID(self.company),
            token=self.sandbox.private_token(self.company, scopes),
            by=self.world.person,
        )
        support.work(made)
        self.world.connection = Connection.objects.get(pk=made.pk)

    def queue(self) -> None:
        """An invoice is to be sent and recorded; no worker has looked yet."""
        self.flow = self.world.sent()
        self.sandbox.clear_calls()

    # Time and workers

    def pass_time(self, by: timedelta) -> None:
        self.harness.kernel.sleep(by.total_seconds())

    def work_for(self, span: timedelta) -> None:
        """Be the workers of the company for so long."""
        ends = clock.now() + span
        for _turn in range(MOST_TURNS):
            task = self.harness.worker("worker", self._turn)
            self.harness.kernel.join(task)
            due = self._next_due()
            if due is None or due > ends:
                break
            self.pass_time(max(due - clock.now(), timedelta(0)) + timedelta(milliseconds=10))
        self.pass_time(max(ends - clock.now(), timedelta(0)))

    def _turn(self) -> None:
        tasks.look()
        one_flow(self.world.connection)

    def _next_due(self) -> Any:
        open_flows = Flow.objects.filter(connection=self.world.connection, state__in=MOVING)
        moments = [each.lease_until or each.not_before for each in open_flows]
        if not moments:
            return None
        return max(min(moments), self.connection.blocked_until or min(moments))

    def check_daily(self) -> None:
        """What the scheduler does for a company for which nobody does anything, in two days."""
        Mirror.objects.get_or_create(
            connection=self.connection,
            defaults={"next_at": clock.now(), "all_at": clock.now(), "open_at": clock.now()},
        )
        for _day in range(2):
            self.pass_time(A_DAY)
            task = self.harness.worker("errands", self._errands)
            self.harness.kernel.join(task)
            Mirror.objects.update(next_at=clock.now(), open_at=clock.now(), all_at=clock.now())
            planner.look()
            self.work_for(timedelta(minutes=2))

    def _errands(self) -> None:
        for job in (roll_call.take, roll_call.renew_idle, notices.tell_lasting):
            try:
                job()
            except Exception as error:  # noqa: BLE001  as the errands do, which only log it
                self.said = repr(error)

    # People

    def consent(self, scopes: Sequence[str] = ()) -> None:
        """Somebody connects the company again, and Bokio's administrator allows what is asked."""
        connection, person = self.connection, self.world.person
        address = services.start_connect(
            connection.tenant, by=person, browser="b", connection=connection, more=scopes
        )
        asked = parse_qs(urlsplit(address).query)
        code = self.sandbox.authorize_directly(self.company, asked["scope"][0].split(" "))
        services.finish_connect(
            by=person, browser="b", state=asked["state"][0], code=code, error=""
        )

    def be_given(self, scopes: Sequence[str]) -> None:
        """The company has consented to no more than this."""
        found = self.sandbox.tokens_for(self.company, scopes)
        connection = self.connection
        tokens = Tokens(
            access_token=found.access_token,
            refresh_token=found.refresh_token,
            expires_in=3600,
            company_id=connection.company_id,
            connection_id=UUID(found.connection_id),
        )
        grants.store(connection, tokens, after=connection.generation)
        Connection.objects.filter(pk=connection.pk).update(
            scopes=list(scopes), remote_id=found.connection_id
        )

    def paste_token(self, scopes: Sequence[str]) -> None:
        token = self.sandbox.private_token(self.company, scopes, name="New")
        private_tokens.replace(self.connection, token=token, by=self.world.person)

    def look_again(self) -> None:
        services.look_again(self.connection, by=self.world.person)

    def page(self, name: str, *args: object, language: str = "en") -> str:
        """The text of a page, as its reader has it."""
        browser = Client()
        browser.force_login(self.world.person)
        browser.cookies["bokio_app_language"] = language
        answer = browser.get(reverse(name, args=args))
        assert answer.status_code == 200, answer
        return re.sub(r"\s+", " ", strip_tags(answer.content.decode()).replace("&#x27;", "'"))

    def health(self, language: str = "en") -> overview.Health:
        with translation.override(language):
            return overview.health(self.connection)

    def notices(self) -> list[tuple[str, str]]:
        """What the person was told, oldest first, as kind and cause."""
        told = Notice.objects.filter(person=self.world.person).order_by("pk")
        return [(each.kind, each.cause) for each in told]

    def mails(self) -> list[str]:
        """The mails that leave by now, as their subjects."""
        self.pass_time(2 * notices.GATHER)
        before = len(mail.outbox)
        notices.send_due()
        return [each.subject for each in mail.outbox[before:]]

    # Bokio

    def settled_once(self) -> None:
        """The run is done, and the sandbox holds its invoice once, with one entry that records it;
        whatever was asked for twice was refused.
        """
        flow = Flow.objects.get(pk=self.flow.pk) if self.flow else None
        assert flow is not None
        assert flow.state == FlowState.DONE, (flow.state, flow.wait_reason, flow.stuck_code)
        key = str(flow.steps.get(op="create_invoice").op_key)
        mine = [each for each in self.books["invoices"] if each["metadata"].get("op_key") == key]
        assert len(mine) == 1
        assert mine[0]["invoiceNumber"]
        assert len(self.books["invoices"]) == 1
        assert len(self.books["journalEntries"]) == 1
        assert len(self.books["customers"]) == 1

    @property
    def books(self) -> Any:
        return self.world.books
