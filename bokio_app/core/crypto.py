"""Encryption of single values at rest: AES-256-GCM, each bound to the place where it is stored."""

import hashlib
import secrets
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

VERSION = b"\x01"
KEY_ID_BYTES = 4
NONCE_BYTES = 12
KINDS: set[str] = set()  # that `sealing` knows the columns of


class CannotDecrypt(Exception):
    """The value was made with a key we do not have, for another place, or was changed."""


@lru_cache(maxsize=8)
def _ring(keys: tuple[bytes, ...]) -> dict[bytes, AESGCM]:
    return {hashlib.sha256(key).digest()[:KEY_ID_BYTES]: AESGCM(key) for key in keys}


def encrypt(text: str, *, place: str) -> bytes:
    """Encrypt with the newest key. `place` names the row and field, and must be given again
    to decrypt: a value copied to another row does not open there.

    Its first part, up to the first slash, names the kind of value. Raises `LookupError` for a
    kind whose column is not registered (see `sealing`): rotating the keys would not find it.
    """
    kind = place.partition("/")[0]
    if kind not in KINDS:
        raise LookupError(f"No column is registered for values of the kind {kind!r}.")
    key_id, cipher = next(iter(_ring(tuple(settings.FIELD_ENCRYPTION_KEYS)).items()))
    nonce = secrets.token_bytes(NONCE_BYTES)
    header = VERSION + key_id
    return header + nonce + cipher.encrypt(nonce, text.encode(), header + place.encode())


def decrypt(value: bytes, *, place: str) -> str:
    """The text that `encrypt` was given for the same place. Raises `CannotDecrypt`."""
    header, rest = value[: 1 + KEY_ID_BYTES], value[1 + KEY_ID_BYTES :]
    cipher = _ring(tuple(settings.FIELD_ENCRYPTION_KEYS)).get(header[1:])
    if header[:1] != VERSION or cipher is None:
        raise CannotDecrypt("The key of this value is not among FIELD_ENCRYPTION_KEYS.")
    try:
        text = cipher.decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], header + place.encode())
    except InvalidTag:
        raise CannotDecrypt("This value does not belong to this place.") from None
    return text.decode()


def key_ids() -> list[str]:
    """The short names of our keys, the newest first: what an encrypted value tells of its own."""
    return [key_id.hex() for key_id in _ring(tuple(settings.FIELD_ENCRYPTION_KEYS))]


def key_id_of(value: bytes) -> str:
    """The short name of the key that a value was encrypted with, ours or not."""
    return value[1 : 1 + KEY_ID_BYTES].hex()
