"""Invoices from a file: `manage.py run_invoices FILE.jsonl --tenant SLUG`."""

import json
import signal
import sys
import threading
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any, BinaryIO
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bokio_app.batches.files import groups_of, lines_of
from bokio_app.batches.orders import Order
from bokio_app.batches.outcomes import ACCEPTED, REFUSED, Outcome
from bokio_app.batches.services import Accepted, Refused, accept_all
from bokio_app.batches.trial import Trial, Verdict, parsed
from bokio_app.batches.waiting import Kept, outcomes_now, until_at_rest
from bokio_app.flows.models import FlowState, Lane
from bokio_app.flows.tasks import ring
from bokio_app.tenants.models import Tenant

BAD_CALL = 2
INTERRUPTED = 130  # as shells count it: 128 and the number of SIGINT


class Command(BaseCommand):
    """Takes orders line by line; workers carry them out. See `docs/bulk-format.md`."""

    help = "Run the invoices of a file, each exactly once (docs/bulk-format.md)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="one JSON object per line")
        parser.add_argument("--tenant", required=True, help="the workspace's short name")
        parser.add_argument("--wait", action="store_true", help="until every line is at rest")
        parser.add_argument("--json", action="store_true", help="print one object per line")
        parser.add_argument("--dry-run", action="store_true", help="check only, keep nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["wait"] and options["dry_run"]:
            raise CommandError("--dry-run keeps nothing to wait for.", returncode=BAD_CALL)
        tenant = Tenant.objects.filter(slug=options["tenant"]).first()
        if tenant is None:
            raise CommandError(f"No workspace is called {options['tenant']}.", returncode=BAD_CALL)
        run = Run(self, tenant, as_json=options["json"], waits=options["wait"])
        try:
            with options["file"].open("rb") as file:
                (run.check if options["dry_run"] else run.take)(file)
        except OSError as error:
            raise CommandError(
                f"{options['file']}: {error.strerror}", returncode=BAD_CALL
            ) from None
        if options["wait"]:
            run.wait()
        else:
            run.tell_all()
        run.sum_up()
        if run.status:
            sys.exit(run.status)


class Run:
    """One call of the command: what it has taken, and what it has told."""

    def __init__(self, command: Command, tenant: Tenant, *, as_json: bool, waits: bool) -> None:
        self.out, self.err = command.stdout, command.stderr
        self.tenant, self.as_json, self.waits = tenant, as_json, waits
        self.kept = Kept()
        self.counts: Counter[str] = Counter()
        self.connections: set[UUID] = set()
        self.was_interrupted = False

    @property
    def status(self) -> int:
        """The exit status: 0 all well, 1 some line needs somebody, 130 interrupted."""
        if self.was_interrupted:
            return INTERRUPTED
        return 1 if self.counts["bad"] else 0

    # --- Taking --------------------------------------------------------------------------
    def check(self, file: BinaryIO) -> None:
        """Say of every line whether it would be accepted, and keep nothing."""
        for verdict in Trial(self.tenant).judge(lines_of(file)):
            if not verdict.error:
                self.counts["new" if verdict.new else "known"] += 1
            state = REFUSED if verdict.error else ACCEPTED
            error = verdict.error or None
            self._tell(Outcome(verdict.reference, state, verdict.number, error=error))

    def take(self, file: BinaryIO) -> None:
        """Accept or refuse every line. Some are kept together, so that a large file waits neither
        for the disk nor for many questions at each; if we die, all of those are taken anew by the
        same file.
        """
        for group in groups_of(lines_of(file)):
            together = [parsed(number, line) for number, line in group]
            orders = [each for _number, each in together if isinstance(each, Order)]
            verdicts = iter(accept_all(self.tenant, orders))
            for number, each in together:
                if isinstance(each, Verdict):
                    self._refuse(number, each.reference, each.error)
                else:
                    self._hear(number, each, next(verdicts))
        for connection_id in self.connections:
            ring(connection_id, lane=Lane.BATCH)

    def _hear(self, number: int, order: Order, verdict: Accepted | Refused) -> None:
        if isinstance(verdict, Refused):
            self._refuse(number, order.reference, str(verdict))
            return
        self.counts["new" if verdict.new else "known"] += 1
        self.kept.add(number, verdict.line)
        self.connections.add(verdict.connection.pk)

    def _refuse(self, number: int, reference: str, error: str) -> None:
        self._tell(Outcome(reference, REFUSED, number, error=error))

    # --- Waiting -------------------------------------------------------------------------
    def wait(self) -> None:
        """Tell each line when it is at rest. Ctrl-C ends the waiting, not the work."""
        interrupted = threading.Event()

        def interrupt(_number: int, _frame: FrameType | None) -> None:
            interrupted.set()

        earlier = signal.signal(signal.SIGINT, interrupt)
        left = len(self.kept.rows)
        self.err.write(f"Lines to wait for: {left}. Ctrl-C ends the waiting, not the work.")
        try:
            for outcome in until_at_rest(self.kept, interrupted=interrupted):
                self._tell(outcome)
        finally:
            signal.signal(signal.SIGINT, earlier)
        self.was_interrupted = interrupted.is_set()

    def tell_all(self) -> None:
        """Tell each line as it stands now."""
        for outcome in outcomes_now(self.kept):
            self._tell(outcome)

    # --- Telling -------------------------------------------------------------------------
    def _tell(self, outcome: Outcome) -> None:
        self.counts[outcome.state] += 1
        self.counts["bad"] += outcome.is_bad or (self.waits and outcome.state == FlowState.PARKED)
        if self.as_json:
            self.out.write(json.dumps(outcome.to_json(), ensure_ascii=False))
        elif outcome.error:
            name = f" ({outcome.reference})" if outcome.reference else ""
            self.err.write(f"line {outcome.number}{name}: {outcome.state}: {outcome.error}")

    def sum_up(self) -> None:
        """One sentence at the end, beside the objects if there are any."""
        taken = f"{self.counts['new']} accepted, {self.counts['known']} accepted before"
        states = ", ".join(
            f"{self.counts[state]} {state}"
            for state in ("refused", "done", "parked", "stuck", "cancelled")
            if self.counts[state]
        )
        text = f"{taken}; {states}" if states else taken
        (self.err if self.as_json else self.out).write(f"{text}.")
        if self.was_interrupted:
            self.err.write("No longer waiting. The work is kept, and workers go on with it.")
