"""Files as the tests send them: small documents and pictures, and the forms around them."""

import struct
import uuid
import zlib
from typing import Any

from tests.sandbox.conftest import Api
from tests.support.sandbox import Reply

PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj<<>>endobj\n%%EOF\r\n"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(20) + b"\xff\xd9"


def png(width: int = 1, height: int = 1) -> bytes:
    """A black picture. A large one has the size in its head alone."""
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"\0\0")),
        (b"IEND", b""),
    )
    chunks = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def form(content: bytes, name: str, *, part: str = "file", **fields: str) -> tuple[bytes, str]:
    """A `multipart/form-data` body with one file, and its media type."""
    boundary = uuid.uuid4().hex
    rows = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    ]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{part}"; filename="{name}"\r\n'
    rows += [head.encode(), b"Content-Type: application/octet-stream\r\n\r\n", content]
    return b"".join([*rows, f"\r\n--{boundary}--\r\n".encode()]), (
        f"multipart/form-data; boundary={boundary}"
    )


def send(api: Api, content: bytes = PDF, name: str = "kvitto.pdf", **fields: str) -> Reply:
    """Send the file to the uploads of the company."""
    body, media_type = form(content, name, **fields)
    path = f"/v1/companies/{api.company_id}/uploads"
    headers = {"Content-Type": media_type}
    return api.sandbox.request("POST", path, token=api.token, body=body, headers=headers)


def upload(api: Api, content: bytes = PDF, name: str = "kvitto.pdf", **fields: str) -> Any:
    """The upload that is made of the file."""
    reply = send(api, content, name, **fields)
    assert reply.status == 200, reply.body
    return reply.json
