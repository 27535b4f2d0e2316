"""Doing something in the books as a person: one write, and a refusal that is shown."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol, TypeVar

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.functional import Promise

from bokio_app.sandbox import store
from bokio_app.sandbox.refusals import Refusal

Row = TypeVar("Row")
Row_contra = TypeVar("Row_contra", contravariant=True)
Acts = Mapping[str, tuple[Callable[[Row], object], str | Promise]]
"""By the name of its button: what is done to the row, and what is said when it is done."""


class Filled(Protocol[Row_contra]):
    """A form whose content changes a row of the books."""

    def is_valid(self) -> bool: ...

    def put_on(self, row: Row_contra, /) -> None:
        """Raises `Refusal` when the books do not allow it."""


@dataclass(frozen=True)
class Refused:
    """Why the books did not change, in the words of the API."""

    reasons: tuple[str, ...]

    @classmethod
    def of(cls, refusal: Refusal) -> "Refused":
        if refusal.errors:
            return cls(tuple(error.message for error in refusal.errors))
        return cls((refusal.message,))


def attempt(act: Callable[[], object]) -> Refused | None:
    """Run the act in the only write transaction. Everything of it is undone when it is refused."""
    try:
        with store.write():
            act()
    except Refusal as refusal:
        return Refused.of(refusal)
    return None


def perform(request: HttpRequest, acts: Acts[Row], find: Callable[[], Row]) -> Refused | None:
    """Do to the row, as it stands then, what the pressed button names.

    Raises `Http404` for a name that is not among `acts`.
    """
    name = request.POST.get("action", "")
    if name not in acts:
        raise Http404
    step, said = acts[name]
    refused = attempt(lambda: step(find()))
    if refused is None:
        messages.success(request, str(said))
    return refused


def submit(
    request: HttpRequest,
    form: Filled[Row],
    find: Callable[[], Row],
    *,
    said: str | Promise,
    then: HttpResponse,
    again: Callable[[Refused | None], HttpResponse],
) -> HttpResponse:
    """Put the form on the row as it stands then, say so and answer `then`.

    When it cannot be done, the answer is of `again`, which shows what was typed and why not.
    """
    if not form.is_valid():
        return again(None)
    if refused := attempt(lambda: form.put_on(find())):
        return again(refused)
    messages.success(request, str(said))
    return then


def status_of(refused: Refused | None, *, typed: bool) -> HTTPStatus:
    """The status of a page: of one that shows what was `typed` again, or what was refused."""
    if refused:
        return HTTPStatus.CONFLICT
    return HTTPStatus.UNPROCESSABLE_ENTITY if typed else HTTPStatus.OK
