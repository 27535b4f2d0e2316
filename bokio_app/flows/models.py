"""The rows that are the truth about work at Bokio; messages only make workers look at them."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from bokio_app.core import sealing
from bokio_app.tenants.seen import SeenManager

from .held_files import HeldFile
from .inventory.rows import Finding
from .limits.rows import Pace
from .listing.rows import FLEETING, ListedPage, Listing
from .operations import KINDS, OPERATIONS, Operation
from .sealed import KIND, PayloadColumn

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

__all__ = [
    "Attempt",
    "Finding",
    "Flow",
    "FlowState",
    "HeldFile",
    "Lane",
    "ListedPage",
    "Listing",
    "Pace",
    "Reading",
    "Recovery",
    "RemoteBinding",
    "ShortReference",
    "Step",
    "StepState",
    "WaitReason",
]


class FlowState(models.TextChoices):
    """Where a flow stands. It is between steps when it is ready with a cursor above zero."""

    READY = "ready", _("Waiting")
    RUNNING = "running", _("Running")
    PARKED = "parked", _("Waiting for the connection")
    STUCK = "stuck", _("Needs you")
    DONE = "done", pgettext_lazy("run", "Done")
    CANCELLED = "cancelled", _("Cancelled")


class StepState(models.TextChoices):
    """`sent` is written before the request leaves, so a crash leaves it behind as a warning."""

    PENDING = "pending", _("Waiting")
    SENT = "sent", _("Running")
    UNKNOWN = "unknown", _("No answer, checking")
    DONE = "done", pgettext_lazy("run", "Done")
    SKIPPED = "skipped", _("Skipped")


class Lane(models.IntegerChoices):
    """What goes first when a connection has several flows due."""

    CLICK = 0
    REPAIR = 1
    BATCH = 5
    SYNC = 9


class WaitReason(models.TextChoices):
    """Why a flow that is due later waits."""

    INVOICE_BUSY = "invoice_busy", _("Another run is working on the same invoice.")
    CUSTOMER_BUSY = "customer_busy", _("Another run is creating the same customer.")
    CHECKING = "checking", _("No answer came. We read in Bokio before anything is sent again.")
    BOKIO_DOWN = "bokio_down", _("Bokio does not answer. We try again. Nothing is lost.")
    TOLD_TO_WAIT = "told_to_wait", _("Bokio asked us to wait.")
    TOKEN = "token", _("The connection is being renewed.")
    PLAN = "plan", _("The company's plan at Bokio does not include the API.")
    CONSENT = "consent", _("The connection needs renewing. The run goes on afterwards.")
    RECOVERY = "recovery", _("After a restore, what Bokio holds is read before anything is sent.")
    TURN = "turn", _("Waiting for its turn.")
    RATE = (
        "rate",
        _("Bokio takes so many calls a minute. The run goes on as soon as it takes more."),
    )
    PATH = "path", _("Another run is just writing the same kind of thing in Bokio.")
    LIMITER = "limiter", _("The count of our calls cannot be reached. Nothing is sent meanwhile.")


class Flow(models.Model):
    """Work of one connection that must finish: an ordered list of steps."""

    public_id = models.UUIDField(
        _("number of the run"), default=uuid.uuid4, unique=True, editable=False
    )
    # Both are the first column of an index below, and need none of their own.
    tenant = models.ForeignKey(
        "tenants.Tenant",
        models.PROTECT,
        related_name="flows",
        verbose_name=_("workspace"),
        db_index=False,
    )
    connection = models.ForeignKey(
        "connections.Connection",
        models.PROTECT,
        related_name="flows",
        verbose_name=_("connection"),
        db_index=False,
    )
    kind = models.CharField(_("kind"), max_length=40)
    business_key = models.CharField(max_length=80, help_text="what this flow does once")
    request_key = models.CharField(max_length=80, help_text="the form or line that asked for it")
    resource_key = models.CharField(max_length=80, blank=True, help_text="what it must hold alone")
    holds_resource = models.BooleanField(default=False)
    lane = models.PositiveSmallIntegerField(_("lane"), choices=Lane.choices, default=Lane.CLICK)

    state = models.CharField(
        _("state"), max_length=10, choices=FlowState.choices, default=FlowState.READY
    )
    wait_reason = models.CharField(
        _("waits for"), max_length=20, choices=WaitReason.choices, blank=True
    )
    not_before = models.DateTimeField(_("not before"))
    cursor = models.PositiveSmallIntegerField(default=0, help_text="position of the current step")
    failures = models.PositiveSmallIntegerField(default=0, help_text="waits in a row")
    stuck_code = models.CharField(_("stopped by"), max_length=60, blank=True)
    cancel_requested = models.BooleanField(default=False)

    lease_owner = models.CharField(max_length=80, blank=True)
    lease_until = models.DateTimeField(null=True)
    fence = models.PositiveBigIntegerField(default=0)
    recovery_epoch = models.PositiveIntegerField(default=0)

    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="flows",
        verbose_name=_("created by"),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    finished_at = models.DateTimeField(_("ended"), null=True)

    objects = SeenManager()

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        constraints = [
            UniqueConstraint(fields=["tenant", "request_key"], name="flow_request_once"),
            UniqueConstraint(
                fields=["tenant", "kind", "business_key"],
                condition=~Q(state="cancelled"),
                name="flow_business_once",
            ),
            UniqueConstraint(
                fields=["connection", "resource_key"],
                condition=Q(holds_resource=True) & ~Q(resource_key=""),
                name="flow_resource_alone",
            ),
        ]
        indexes = [
            models.Index(
                fields=["connection", "lane", "not_before", "id"],
                condition=Q(state="ready"),
                name="flow_due",
            ),
            # Without `lease_until`: each step renews it, and would write to every index then.
            models.Index(
                fields=["connection", "lane"], condition=Q(state="running"), name="flow_running"
            ),
            models.Index(fields=["tenant", "-created_at"], name="flow_newest"),
            models.Index(fields=["tenant", "state", "kind"], name="flow_counts"),
            models.Index(
                fields=["tenant", "state", "-created_at"],
                condition=Q(state__in=["ready", "running", "parked", "stuck"]),
                name="flow_open",
            ),
            models.Index(fields=["connection", "resource_key"], name="flow_resource"),
            models.Index(
                fields=["finished_at"], condition=Q(kind__in=FLEETING), name="flow_fleeting"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.public_id}"

    @property
    def label(self) -> StrPromise | str:
        """What the flow does, in the reader's language."""
        return KINDS.get(self.kind, self.kind)

    @property
    def is_open(self) -> bool:
        """Not yet done or cancelled."""
        return self.state not in {FlowState.DONE, FlowState.CANCELLED}

    @property
    def is_moving(self) -> bool:
        """Workers will go on with it by themselves."""
        return self.state in {FlowState.READY, FlowState.RUNNING, FlowState.PARKED}


class Step(models.Model):
    """One operation at Bokio within a flow. `op_key` marks its effect there, however often sent."""

    flow = models.ForeignKey(Flow, models.CASCADE, related_name="steps", db_index=False)
    pos = models.PositiveSmallIntegerField(_("position"))
    op = models.CharField(_("operation"), max_length=40)
    op_key = models.UUIDField(_("marker"), default=uuid.uuid4)
    payload = models.JSONField(encoder=DjangoJSONEncoder)
    version = models.PositiveSmallIntegerField(default=1, help_text="raised by each correction")

    state = models.CharField(
        _("state"), max_length=10, choices=StepState.choices, default=StepState.PENDING
    )
    attempt = models.PositiveSmallIntegerField(_("attempts"), default=0)
    fence = models.PositiveBigIntegerField(default=0)
    intent_at = models.DateTimeField(_("sent"), null=True)
    send_by = models.DateTimeField(null=True)
    settle_at = models.DateTimeField(
        _("settled from"), null=True, help_text="before this, absence proves nothing"
    )
    unknown_at = models.DateTimeField(null=True)
    baseline = models.JSONField(null=True, help_text="remote ids known before sending")
    absent_reads = models.PositiveSmallIntegerField(default=0)
    last_proof_at = models.DateTimeField(null=True)

    remote_id = models.CharField(_("Bokio's id"), max_length=80, blank=True)
    result = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    resolved_by = models.CharField(
        _("settled by"), max_length=10, blank=True, help_text="response, proof, person"
    )
    skip_reason = models.CharField(max_length=40, blank=True)
    error_code = models.CharField(_("error code"), max_length=60, blank=True)
    error_message = models.TextField(_("error message"), blank=True)
    error_fields = models.JSONField(default=list, help_text="[pointer, message] pairs of Bokio")
    remote_error_id = models.CharField(_("Bokio's reference"), max_length=80, blank=True)
    evidence = models.JSONField(
        default=list, encoder=DjangoJSONEncoder, help_text="what an ambiguous proof read saw"
    )
    adopt_id = models.CharField(
        max_length=80, blank=True, default="", help_text="what a person takes for its effect"
    )
    disowned = models.JSONField(
        default=list, encoder=DjangoJSONEncoder, help_text="evidence that a person says is not ours"
    )
    done_at = models.DateTimeField(_("done"), null=True)

    class Meta:
        ordering = ["flow", "pos"]
        constraints = [UniqueConstraint(fields=["flow", "pos"], name="step_position_once")]
        indexes = [
            models.Index(
                fields=["op"], condition=Q(state__in=["sent", "unknown"]), name="step_open_ops"
            )
        ]

    def __str__(self) -> str:
        return f"{self.op} {self.op_key}"

    @property
    def operation(self) -> Operation | None:
        """What the step does; None for an operation that this release no longer knows."""
        return OPERATIONS.get(self.op)

    @property
    def label(self) -> StrPromise | str:
        """What the step does, in the reader's language."""
        return self.operation.label if self.operation else self.op

    @property
    def is_finished(self) -> bool:
        return self.state in {StepState.DONE, StepState.SKIPPED}


class Attempt(models.Model):
    """One call for a step, kept for good; its `answer` as long as the settings say. No tokens."""

    class Outcome(models.TextChoices):
        SUCCESS = "success", _("Answered")
        NOT_EXECUTED = "not_executed", _("Not carried out")
        REFUSED = "refused", _("Refused by Bokio")
        UNKNOWN = "unknown", _("No answer")
        FOUND = "found", _("Found in Bokio")
        ABSENT = "absent", _("Not in Bokio")
        AMBIGUOUS = "ambiguous", _("Unclear in Bokio")

    step = models.ForeignKey(Step, models.CASCADE, related_name="attempts", verbose_name=_("step"))
    number = models.PositiveSmallIntegerField(_("number"))
    fence = models.PositiveBigIntegerField()
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome.choices)
    status = models.PositiveSmallIntegerField(
        _("status"), default=0, help_text="HTTP status, 0 without one"
    )
    code = models.CharField(_("code"), max_length=60, blank=True)
    remote_error_id = models.CharField(_("Bokio's reference"), max_length=80, blank=True)
    milliseconds = models.PositiveIntegerField(_("milliseconds"), default=0)
    answer = models.TextField(
        _("Bokio's answer"),
        blank=True,
        default="",
        db_default="",  # the last release, which may run beside this one, does not know of it
        help_text="masked JSON of Bokio's last answer in this attempt",
    )
    at = models.DateTimeField(_("time"), auto_now_add=True)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.step} #{self.number} {self.outcome}"


class RemoteBinding(models.Model):
    """Which step made which object at Bokio. Two steps can never claim the same one."""

    connection = models.ForeignKey("connections.Connection", models.PROTECT, db_index=False)
    object_type = models.CharField(max_length=20)
    remote_id = models.CharField(max_length=80)
    step = models.ForeignKey(Step, models.PROTECT, related_name="bindings")

    class Meta:
        constraints = [
            UniqueConstraint(fields=["connection", "object_type", "remote_id"], name="binding_once")
        ]

    def __str__(self) -> str:
        return f"{self.object_type} {self.remote_id}"


class Reading(models.Model):
    """When the copy that we hold of something was asked for: an older answer does not replace it.

    `subject` names what was read of the company, such as `read_customers`.
    """

    connection = models.ForeignKey("connections.Connection", models.CASCADE)
    subject = models.CharField(max_length=80)
    asked_at = models.DateTimeField()

    class Meta:
        constraints = [UniqueConstraint(fields=["connection", "subject"], name="reading_once")]

    def __str__(self) -> str:
        return f"{self.subject} {self.asked_at}"


class Recovery(models.Model):
    """A restore of the database: what it says of open flows may be older than Bokio's books."""

    epoch = models.PositiveIntegerField(primary_key=True)
    reason = models.TextField()
    settled_at = models.DateTimeField(help_text="before this, absence at Bokio proves nothing")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.epoch}: {self.reason}"


class ShortReference(models.Model):
    """A step's mark for fields that people read. No two steps of a connection have the same."""

    connection = models.ForeignKey("connections.Connection", models.PROTECT)
    text = models.CharField(max_length=12)
    step = models.ForeignKey(Step, models.CASCADE, related_name="references")

    class Meta:
        constraints = [UniqueConstraint(fields=["connection", "text"], name="reference_once")]

    def __str__(self) -> str:
        return self.text


sealing.register(PayloadColumn(KIND, Step.objects.select_related("flow"), "payload"))
