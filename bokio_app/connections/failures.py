"""What people read when a consent did not lead to a connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from . import services

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise


@dataclass(frozen=True)
class Failure:
    """A page: what happened, what it means, and what to do about it."""

    title: StrPromise
    happened: StrPromise
    advice: StrPromise
    nothing_kept: bool = True


SIGN_IN = "sign-in"
MARKETPLACE = "marketplace"

FAILURES: dict[str, Failure] = {
    "declined": Failure(
        _("The company was not connected"),
        _("The request was declined on Bokio's consent page."),
        _("Connect again when somebody who administers the company can allow it."),
    ),
    "unknown": Failure(
        _("This way back does not belong to you"),
        _(
            "Bokio sent you back to a connection that was not begun here, or was begun in "
            "another browser or by somebody else."
        ),
        _("Begin again from here, and stay in this browser until you are back."),
    ),
    "used": Failure(
        _("This way back has been used already"),
        _("Each way back from Bokio works once. The page was reloaded, or its address copied."),
        _("If the company is in the list, everything is fine. If not, connect it again."),
    ),
    "expired": Failure(
        _("The connection took too long"),
        _("The way back from Bokio is open for ten minutes, and they had passed."),
        _("Begin again. It usually takes about a minute."),
    ),
    "refused": Failure(
        _("Bokio did not accept the connection"),
        _("Bokio refused the code that it had sent along: it was used, too old, or not for us."),
        _("Begin again. You then get a new code."),
    ),
    "no-answer": Failure(
        _("Bokio did not answer"),
        _("You allowed the connection, but Bokio did not hand over the access in time."),
        _("Wait a moment and begin again. Allowing it a second time does no harm."),
    ),
    "other-company": Failure(
        _("You chose another company"),
        _("The consent was asked for one company, and another was chosen at Bokio."),
        _("Begin again and choose the same company, or connect the other one as a new company."),
    ),
    "taken": Failure(
        _("Another workspace has just connected the company"),
        _("Somebody else allowed the same company at the very same moment, and was first."),
        _("Begin again if it should be yours. The company then moves to your workspace."),
    ),
    "invitation-over": Failure(
        _("The invitation is no longer valid"),
        _("It was used, withdrawn or too old by the time that you came back from Bokio."),
        _("Ask whoever invited you for a new link."),
    ),
    "not-given": Failure(
        _("The company is here, but not given to you"),
        _("It is connected to your workspace already, and its owner has not let you see it."),
        _("Ask the owner of the workspace to give you the company."),
        nothing_kept=False,
    ),
    MARKETPLACE: Failure(
        _("The way here from Bokio has expired"),
        _("What Bokio sent along is valid for an hour, and was too old or had been changed."),
        _("Go back to the marketplace in Bokio and press Connect there once more."),
    ),
    SIGN_IN: Failure(
        _("Sign in and begin again"),
        _("You came back from Bokio without being signed in here, so nobody could be asked."),
        _("Sign in, and connect the company once more."),
    ),
}

REASONS: dict[type[services.ConnectFailed], str] = {
    services.Refused: "declined",
    services.UnknownState: "unknown",
    services.StateUsed: "used",
    services.StateExpired: "expired",
    services.CodeRefused: "refused",
    services.BokioUnreachable: "no-answer",
    services.AnotherCompany: "other-company",
    services.CompanyTaken: "taken",
    services.InvitationOver: "invitation-over",
    services.NotGiven: "not-given",
}
