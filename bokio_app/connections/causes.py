"""Why a company cannot be worked for, as people read it everywhere: title, what happened, cure.

This table is the only place with such words; `docs/failures.md` is made of it. A cause that needs
a person stays until that person has seen to it; all others pass by themselves, and nobody is
called for them unless they last.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise


class Cause(models.TextChoices):
    """Why Bokio does not let us work for a company, as far as it can be told; the labels are
    titles.
    """

    REVOKED = "revoked", _("Needs reconnecting")
    DISCONNECTED = "disconnected", _("Ended in Bokio")
    OTHER_COMPANY = "other_company", _("Access to another company")
    TOKEN_REFUSED = "token_refused", _("Needs a new token")
    PLAN = "plan", _("The plan does not allow it")
    SCOPE = "scope", _("The connection lacks a permission")
    BUDGET = "budget", _("The month's calls are used up")
    QUOTA = "quota", _("The day's quota is spent")
    BROWNOUT = "brownout", _("Bokio rehearses a change")
    DOWN = "down", _("Bokio does not answer")
    TOLD_TO_WAIT = "told_to_wait", _("Waiting for Bokio")
    PAUSED = "paused", _("Paused")
    REGISTRATION = "registration", _("Bokio does not know us")


class Act(Enum):
    """The one thing that a person can do about a cause, each with a page or button of its own."""

    NONE = ""
    RECONNECT = "reconnect"
    NEW_TOKEN = "new_token"  # noqa: S105  the name of a button
    MORE = "more"
    CONNECT = "connect"
    LOOK_AGAIN = "look_again"


@dataclass(frozen=True)
class Words:
    """What people read of a cause, and whether it waits for one of them."""

    cause: Cause
    happened: StrPromise
    cure: StrPromise
    act: Act = Act.NONE
    needs_person: bool = True

    @property
    def title(self) -> str:
        return str(self.cause.label)


_WAIT = _("There is nothing to do: we try again by ourselves, and nothing is lost.")

_TABLE = (
    Words(
        Cause.REVOKED,
        _("Bokio no longer accepts our access."),
        _(
            "Reconnect: somebody who administers the company allows it once more. "
            "Runs that wait go on by themselves."
        ),
        Act.RECONNECT,
    ),
    Words(
        Cause.DISCONNECTED,
        _("The connection was ended in Bokio."),
        _(
            "Reconnect if you still keep the company's books, and runs that wait go on by "
            "themselves. Otherwise disconnect the company here."
        ),
        Act.RECONNECT,
    ),
    Words(
        Cause.OTHER_COMPANY,
        _("Bokio answered with the access of another company."),
        _("Reconnect, and choose this very company at Bokio."),
        Act.RECONNECT,
    ),
    Words(
        Cause.TOKEN_REFUSED,
        _("Bokio no longer accepts the token: it was replaced or revoked there."),
        _("Make a new token in Bokio and paste it here. Runs that wait go on by themselves."),
        Act.NEW_TOKEN,
    ),
    Words(
        Cause.PLAN,
        _("The company's plan at Bokio does not include the API."),
        _(
            "Ask the company to choose a plan with the API in Bokio, or the add-on for it. "
            "We look once a day, or at once when you ask for it."
        ),
        Act.LOOK_AGAIN,
    ),
    Words(
        Cause.SCOPE,
        _("A run needs what the company has not allowed."),
        _("Ask the company for the permission. The runs that stopped go on by themselves."),
        Act.MORE,
    ),
    Words(
        Cause.BUDGET,
        _("A private integration has so many calls a month at Bokio, and they are used up."),
        _(
            "Connect the company by consent, which has no such limit, or wait for the new month. "
            "Runs that wait go on by themselves."
        ),
        Act.CONNECT,
    ),
    Words(
        Cause.QUOTA,
        _("The company's quota of calls at Bokio is spent."),
        _("There is nothing to do: we go on by ourselves as soon as Bokio allows it."),
        needs_person=False,
    ),
    Words(
        Cause.BROWNOUT,
        _("Bokio rehearses the end of this version of its API."),
        _("There is nothing to do: Bokio opens again after a while, and we try once an hour."),
        needs_person=False,
    ),
    Words(
        Cause.DOWN,
        _("No usable answer has come from Bokio. The connection itself is sound."),
        _WAIT,
        needs_person=False,
    ),
    Words(Cause.TOLD_TO_WAIT, _("Bokio asked us to wait."), _WAIT, needs_person=False),
    Words(
        Cause.PAUSED,
        _(
            "Bokio has refused the same request several times in a row. "
            "We send nothing for a while, since refused requests are counted."
        ),
        _("Look at the runs that stopped, and correct what Bokio refuses."),
        needs_person=False,
    ),
    Words(
        Cause.REGISTRATION,
        _("Bokio does not accept the name and secret of this installation."),
        _(
            "Whoever runs this installation has to look at its registration at Bokio. "
            "No company needs connecting again, and nothing is lost."
        ),
        needs_person=False,
    ),
)
TABLE = {words.cause: words for words in _TABLE}
FOR_A_PERSON = tuple(cause for cause, words in TABLE.items() if words.needs_person)
