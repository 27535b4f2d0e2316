"""What our logs and crash reports never hold: tokens, secrets, queries, people's numbers."""

from __future__ import annotations

import logging
import re
from base64 import b64encode
from collections.abc import ItemsView
from types import FrameType
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter

from .personal import DOTS, without_numbers

_AUTHORIZATION = re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{6,}", re.IGNORECASE)
_QUERY = re.compile(r"\?[\w%.~+-]+=[^\s\"'<>)]*")
# The database tells the values of a row that it refuses, in a line of its own or within one.
_DETAIL = re.compile(r"(DETAIL: )[^\n]*")


def hidden(text: str) -> str:
    """The text with everything in it hidden that is not for eyes."""
    for secret in _secrets():
        text = text.replace(secret, DOTS)
    text = _AUTHORIZATION.sub(rf"\1 {DOTS}", text)
    text = _QUERY.sub(f"?{DOTS}", text)
    return without_numbers(_DETAIL.sub(rf"\1{DOTS}", text))


def _secrets() -> list[str]:
    """The installation's own, as they stand and as they are sent."""
    pair = f"{settings.BOKIO_CLIENT_ID}:{settings.BOKIO_CLIENT_SECRET}".encode()
    keys = [b64encode(key).decode() for key in settings.FIELD_ENCRYPTION_KEYS]
    own = [b64encode(pair).decode(), settings.BOKIO_CLIENT_SECRET, settings.SECRET_KEY, *keys]
    return [secret for secret in own if secret]


class LineFormatter(logging.Formatter):
    """A line of the log, and the traceback below it, without secrets.

    The last guard, not the first: whoever logs is to leave them out.
    """

    def format(self, record: logging.LogRecord) -> str:
        return hidden(super().format(record))


class NothingShown(SafeExceptionReporterFilter):
    """Crash reports with where it happened, and not with what was being worked on."""

    def get_traceback_frame_variables(
        self, request: HttpRequest | None, tb_frame: FrameType
    ) -> ItemsView[str, Any]:
        nothing: dict[str, Any] = {}
        return nothing.items()

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        return {}

    def get_safe_cookies(self, request: HttpRequest | None) -> dict[str, Any]:
        return {}

    def get_safe_request_meta(self, request: HttpRequest | None) -> dict[str, Any]:
        return {}
