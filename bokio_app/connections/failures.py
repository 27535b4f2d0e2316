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


SIGN_IN = "sign-in"

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
        _("The connection was to be renewed for one company, and another was chosen at Bokio."),
        _("Begin again and choose the same company, or connect the other one as a new company."),
    ),
    "taken": Failure(
        _("The company is connected to another workspace"),
        _("A company can be connected to one workspace at a time, and this one already is."),
        _("Ask the company who looks after its books. They can disconnect it in Bokio."),
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
}
