"""What the browser is told of pages that show documents, and of the documents themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from csp.constants import SELF
from csp.decorators import csp_replace, csp_update
from django.http.response import HttpResponseBase
from django.views.decorators.clickjacking import xframe_options_sameorigin

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def shows_documents(view: View) -> View:
    """Decorate a page that has a document in it."""
    allowed: Any = csp_update({"object-src": [SELF]})
    return cast("View", allowed(view))


def within_our_pages(view: View) -> View:
    """Decorate an answer that our own pages, and no others, may have in them."""
    framed: Any = csp_replace({"frame-ancestors": [SELF], "object-src": [SELF]})
    return cast("View", framed(xframe_options_sameorigin(view)))
