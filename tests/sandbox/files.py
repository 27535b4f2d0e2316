"""Files as the tests send them: small documents and pictures, and the forms around them."""

import struct
import uuid
import zlib

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
