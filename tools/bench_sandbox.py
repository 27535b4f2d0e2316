"""Measure the sandbox over small and large books: `make bench-sandbox`.

Goals: 500 `GET /invoices/{id}` and 200 `POST /invoices` per processor second of the server, nearly
the same with 100,000 invoices in the company; filtered lists within 150 ms there. The load comes
from this process over kept connections, so the server's processor time is measured by itself.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import socket
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

from tests.support.sandbox import ALL_SCOPES, SandboxProcess

READS_GOAL, WRITES_GOAL = 500, 200
LIST_GOAL_MS = 150.0
READERS = 2
TICKS = os.sysconf("SC_CLK_TCK")
LISTS = (
    "pageSize=100",
    "pageSize=100&page=900",
    "query=" + quote("status==overdue"),
    "query=" + quote("status==paid&&invoiceDate>=2025-01-01"),
    "query=" + quote("metadata.pf_ref==bench7"),
    "query=" + quote("metadata.pf_ref~bench1"),
    "query=" + quote("invoiceDate>=2025-03-01&&invoiceDate<2025-04-01"),
    "query=" + quote("totalAmount>100000"),
)


@dataclass(frozen=True)
class Load:
    """What a load showed. Times are milliseconds of one request, as its sender saw them."""

    per_second: float
    per_cpu_second: float
    p50: float
    p95: float


class Client:
    """One kept connection, with as little work per request as can be."""

    def __init__(self, sandbox: SandboxProcess, token: str) -> None:
        host, port = sandbox.url.removeprefix("http://").split(":")
        self._socket = socket.create_connection((host, int(port)))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        self._head = f"Host: {host}:{port}\r\nAuthorization: Bearer {token}\r\n"

    def ask(self, method: str, path: str, body: bytes = b"") -> bytes:
        """Send one request and return the body of the answer. Raises for any but 200."""
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        head = f"{method} {path} HTTP/1.1\r\n{self._head}{length}\r\n"
        self._socket.sendall(head.encode() + body)
        received = self._socket.recv(65536)
        while b"\r\n\r\n" not in received:
            received += self._socket.recv(65536)
        top, _, content = received.partition(b"\r\n\r\n")
        if not top.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"{method} {path}: {received[:300]!r}")
        wanted = int(top.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
        while len(content) < wanted:
            content += self._socket.recv(65536)
        return content


class Bench:
    """One sandbox with one company of so many invoices."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self.sandbox = sandbox
        sandbox.set_switches(rate_limit=1_000_000_000)
        company = sandbox.companies()[0]["id"]
        self._token = sandbox.tokens_for(company, ALL_SCOPES).access_token
        self._root = f"/v1/companies/{company}"

    def reads(self, seconds: float) -> Load:
        """`GET` of invoices drawn from all over the books, on several connections."""
        client = self._client()
        pages = json.loads(client.ask("GET", f"{self._root}/invoices?pageSize=100"))["totalPages"]
        draw = random.Random(1)  # noqa: S311  # the same invoices in every run
        ids = [
            row["id"]
            for page in draw.sample(range(1, pages + 1), min(pages, 10))
            for row in json.loads(
                client.ask("GET", f"{self._root}/invoices?pageSize=100&page={page}")
            )["items"]
            if row["status"] != "credit"
        ]

        def read(_number: int, connection: Client) -> None:
            connection.ask("GET", f"{self._root}/invoices/{draw.choice(ids)}")

        return self._load(read, seconds, connections=READERS)

    def writes(self, seconds: float) -> Load:
        """`POST` of drafts with a customer, two lines and metadata. Bokio allows one at a time."""
        customers = json.loads(self._client().ask("GET", f"{self._root}/customers"))["items"]

        def write(number: int, connection: Client) -> None:
            body = _draft(customers[number % len(customers)]["id"], number)
            connection.ask("POST", f"{self._root}/invoices", body)

        return self._load(write, seconds, connections=1)

    def lists(self, rounds: int) -> Iterator[tuple[str, Load]]:
        """Each list by itself."""
        for query in LISTS:

            def read(_number: int, connection: Client, query: str = query) -> None:
                connection.ask("GET", f"{self._root}/invoices?{query}")

            yield query, self._load(read, 0, connections=1, rounds=rounds)

    def _client(self) -> Client:
        return Client(self.sandbox, self._token)

    def _load(
        self,
        work: Callable[[int, Client], None],
        seconds: float,
        *,
        connections: int,
        rounds: int = 0,
    ) -> Load:
        """Repeat the work for so long, or for so many rounds, on each of the connections."""
        clients = [self._client() for _ in range(connections)]
        for client in clients:
            work(0, client)
        times: list[float] = []
        busy_before, began = self._busy(), time.perf_counter()

        def run(client: Client) -> None:
            number = 0
            while number < rounds or time.perf_counter() - began < seconds:
                number += 1
                start = time.perf_counter()
                work(number, client)
                times.append((time.perf_counter() - start) * 1000)

        threads = [threading.Thread(target=run, args=(client,)) for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took, busy = time.perf_counter() - began, self._busy() - busy_before
        cuts = statistics.quantiles(times, n=20)
        return Load(
            len(times) / took, len(times) / max(busy, 1 / TICKS), statistics.median(times), cuts[-1]
        )

    def _busy(self) -> float:
        """Processor seconds that the server has used so far."""
        with open(f"/proc/{self.sandbox.pid}/stat") as stat:  # noqa: PTH123  # no file on a disk
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


def _draft(customer: str, number: int) -> bytes:
    line = {
        "description": "Konsulttimmar",
        "itemType": "salesItem",
        "productType": "services",
        "unitType": "hour",
        "quantity": 3,
        "unitPrice": 1250.5,
        "taxRate": 25,
    }
    body = {
        "invoiceDate": "2026-01-15",
        "customerRef": {"id": customer},
        "metadata": {"pf_ref": f"bench{number}"},
        "lineItems": [line, {**line, "productType": "goods", "unitType": "piece"}],
    }
    return json.dumps(body).encode()


def main() -> int:
    """Measure and print; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[2_000, 100_000])
    parser.add_argument("--seconds", type=float, default=5.0, help="per load")
    parser.add_argument("--rounds", type=int, default=20, help="per list")
    asked = parser.parse_args()
    met = True
    speeds: list[tuple[float, float]] = []
    for size in asked.sizes:
        started = time.monotonic()
        with SandboxProcess(companies=1, history=size, start_seconds=600) as sandbox:
            print(f"\n{size:,} invoices, seeded in {time.monotonic() - started:.0f} s", flush=True)
            bench = Bench(sandbox)
            reads = _show("GET /invoices/{id}", bench.reads(asked.seconds))
            writes = _show("POST /invoices", bench.writes(asked.seconds))
            speeds.append((reads.per_cpu_second, writes.per_cpu_second))
            met &= reads.per_cpu_second >= READS_GOAL and writes.per_cpu_second >= WRITES_GOAL
            for query, load in bench.lists(asked.rounds):
                _show(f"GET /invoices?{query}", load)
                met &= load.p95 <= LIST_GOAL_MS
    if len(speeds) > 1:
        for place, name in enumerate(("GET", "POST")):
            ratio = speeds[-1][place] / speeds[0][place]
            print(f"{name} over the largest books runs at {ratio:.0%} of the smallest")
    return 0 if met else 1


def _show(name: str, load: Load) -> Load:
    print(
        f"  {name:<75} {load.per_second:6.0f}/s {load.per_cpu_second:6.0f}/cpu s "
        f"p50 {load.p50:6.1f} ms  p95 {load.p95:6.1f} ms",
        flush=True,
    )
    return load


if __name__ == "__main__":
    sys.exit(main())
