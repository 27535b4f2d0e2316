"""A stand-in for Bokio that costs nearly nothing: it answers the seven writes of a flow, says that
every list is empty, and gives a new pair of tokens to whoever asks.

It keeps no books and checks nothing; what a call costs us is measured against it. Its first line
of output is its port, and each answer waits for the latency that it was started with.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import uuid
from typing import Any

LINE = {
    "id": 1,
    "description": "Advice",
    "itemType": "salesItem",
    "productType": "services",
    "unitType": "hour",
    "quantity": 1,
    "unitPrice": 1000,
    "taxRate": 25,
}
ENTRY = {"id": "11111111-1111-4111-8111-111111111111"}
_TARGET = re.compile(
    rb"POST /v1/companies/[^/]+/invoices(?:/(?P<invoice>[^/ ]+))?(?:/(?P<part>[^/ ]+))?"
    rb"(?:/(?P<of>[^/ ]+)/record)? "
)
_TOKEN = b"POST /v1/token "
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def answer(head: bytes, body: bytes) -> dict[str, Any]:
    """What Bokio would say, as far as the client reads it. Raises `ValueError` for other calls."""
    if head.startswith(b"GET "):
        return {"items": [], "totalItems": 0, "totalPages": 0, "currentPage": 1}
    if head.startswith(_TOKEN):
        pair = {"access_token": uuid.uuid4().hex, "refresh_token": uuid.uuid4().hex}
        return pair | {"token_type": "bearer", "expires_in": 3600}
    found = _TARGET.match(head)
    if not found:
        raise ValueError(head[:80])
    invoice, part, of = (text and text.decode() for text in found.groups())
    if part in {"settlements", "payments"}:
        return _receipt(str(invoice), str(part), of, json.loads(body) if body else {})
    made = {"id": invoice or str(uuid.uuid4()), "type": "invoice", "status": "draft"}
    made |= {"invoiceDate": "2026-01-15", "totalAmount": 1250, "totalTax": 250, "paidAmount": 0}
    made |= {"currency": "SEK", "currencyRate": 1, "lineItems": [LINE], "metadata": {}}
    made |= {"customerRef": {"id": ENTRY["id"], "name": "Kund AB"}}
    if part:
        made |= {"status": "published", "invoiceNumber": "17", "paymentReference": "1719"}
    return made | ({"journalEntryRef": ENTRY} if part == "record" else {})


def _receipt(invoice: str, kind: str, of: str | None, sent: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"id": of or str(uuid.uuid4()), "invoiceId": invoice}
    if of:
        made["journalEntryRef"] = ENTRY
    if kind == "payments":
        facts = {"date": "2026-01-15", "sumBaseCurrency": 1, "bookkeepingAccountNumber": 1930}
        return made | facts | sent
    details = {"date": "2026-01-15", "sumBaseCurrency": 1}
    return made | {"type": "bankFee", "settlementDetails": details} | sent


class Answering(asyncio.Protocol):
    """One kept connection, one request at a time."""

    def __init__(self, latency: float) -> None:
        self._latency = latency
        self._received = b""
        self._transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        if not isinstance(transport, asyncio.WriteTransport):
            raise TypeError(transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not end or len(body) < (int(length[1]) if length else 0):
            return
        self._received = b""
        content = json.dumps(answer(head, body)).encode()
        top = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        reply = top % len(content) + content
        if self._latency:
            asyncio.get_running_loop().call_later(self._latency, self._transport.write, reply)
        else:
            self._transport.write(reply)


async def serve(latency: float) -> None:
    """Answer on a free loopback port, whose number is printed, until this process is killed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Answering(latency), "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    asyncio.run(serve(parser.parse_args().latency))
