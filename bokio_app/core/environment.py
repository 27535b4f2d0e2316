"""Reading settings from the environment: what is missing or malformed is named with an example."""

import base64
import binascii
import os
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.Env()


def required(name: str, example: str) -> str:
    """A variable that has no default; a missing one is named together with an example."""
    value = os.environ.get(name, "")
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. Example: {name}={example}")
    return value


def http_url(name: str, default: str) -> str:
    value: str = env.str(name, default).rstrip("/")
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment:
        raise ImproperlyConfigured(f"{name} is not an http(s) address. Example: {name}={default}")
    return value


def number(name: str, default: float, *, least: float) -> float:
    text = os.environ.get(name, "") or str(default)
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not value >= least or value == float("inf"):
        raise ImproperlyConfigured(
            f"{name} must be a number of at least {least:g}. Example: {name}={default:g}"
        )
    return value


def encryption_keys() -> list[bytes]:
    """The ring of AES-256 keys: the first encrypts, all of them decrypt."""
    example = "two keys, newest first: <base64 of 32 bytes>,<base64 of 32 bytes>"
    keys = []
    for text in required("FIELD_ENCRYPTION_KEYS", example).split(","):
        try:
            key = base64.b64decode(text.strip(), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != 32:
            raise ImproperlyConfigured(f"FIELD_ENCRYPTION_KEYS is malformed. Example: {example}")
        keys.append(key)
    return keys


def origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def return_origins() -> list[str]:
    """Where Bokio's marketplace may have people led back to. `https` unless it is written out."""
    example = "app.bokio.se"
    found = []
    for text in env.list("BOKIO_RETURN_HOSTS", default=[example]):
        parts = urlsplit(text if "://" in text else f"https://{text}")
        plain = not (parts.path or parts.query or parts.fragment or "@" in parts.netloc)
        if parts.scheme not in {"http", "https"} or not parts.hostname or not plain:
            raise ImproperlyConfigured(
                f"BOKIO_RETURN_HOSTS is malformed. Example: BOKIO_RETURN_HOSTS={example}"
            )
        found.append(f"{parts.scheme}://{parts.netloc.lower()}")
    return found
