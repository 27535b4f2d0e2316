"""What befalls a storm: deeds against processes in a random order, and faults of the sandbox."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass

from tests.support.sandbox_client import SandboxClient

KILL, CRASH, FLUSH, BROKER = "kill", "crash", "flush", "broker"
REFRESH, FREEZE = "refresh", "freeze"
DEEDS = {
    KILL: "workers killed (SIGKILL)",
    CRASH: "PostgreSQL crashes",
    FLUSH: "Redis flushed",
    BROKER: "broker killed and restarted",
    REFRESH: "answers of a refresh lost",
    FREEZE: "workers frozen past the lease",
}

ANY = "*"
WRITES = (
    "post-customer",
    "post-invoice",
    "post-invoices-invoiceId-publish",
    "record-invoice-with-id",
    "post-invoice-settlement",
    "record-invoice-settlement-with-id",
    "post-invoice-payment",
    "record-invoice-payment-with-id",
    "post-invoices-invoiceId-credit",
    "publish-credit-note-v1",
    "record-credit-note-with-id",
)
SHARES = {
    "lose_answer": 0.010,
    "error_after": 0.010,
    "truncate": 0.003,
    "delay_after": 0.020,
    "error_before": 0.003,
    "reset_before": 0.003,
    "token_expires": 0.001,
}
"""How likely each kind strikes a write; the first three leave the work done without an answer."""
ANSWERS = {
    "lose_answer": "the answer is lost",
    "error_after": "500 after the commit",
    "error_before": "500 before the commit",
    "reset_before": "reset before any work",
    "truncate": "half of an answer",
    "token_expires": "the token has expired",
}
"""What happens to single calls in the cells that are not scaled."""
DELAY = 2.0  # seconds, scaled: long enough for a kill to fall between the work and its answer


@dataclass(frozen=True)
class Deeds:
    """How often each thing happens to the processes."""

    kills: int = 0
    crashes: int = 0
    flushes: int = 0
    brokers: int = 0
    refreshes: int = 0
    freezes: int = 0

    def in_random_order(self, seed: int) -> list[str]:
        """One name per deed."""
        counts = {
            KILL: self.kills,
            CRASH: self.crashes,
            FLUSH: self.flushes,
            BROKER: self.brokers,
            REFRESH: self.refreshes,
            FREEZE: self.freezes,
        }
        deeds = [deed for deed, count in counts.items() for _ in range(count)]
        random.Random(seed).shuffle(deeds)  # noqa: S311  # the same seed, the same order
        return deeds


def order_faults(sandbox: SandboxClient, *, seed: int, factor: float = 1) -> None:
    """Have the sandbox fail at random from now on; each kind strikes once in any case.

    `factor` multiplies the shares: a short storm has fewer calls to strike.
    """
    for number, kind in enumerate(SHARES):
        params = {"seconds": DELAY} if kind == "delay_after" else {}
        sandbox.add_fault("post-invoice", kind, nth=number + 2, **params)
        for place, operation in enumerate(WRITES):
            sandbox.add_fault(
                operation,
                kind,
                probability=min(SHARES[kind] * factor, 1),
                seed=seed * 1000 + number * 100 + place,
                **params,
            )


def lose_a_refresh(sandbox: SandboxClient) -> str:
    """Have the next token expire, and the answer of its refresh get lost; returns the fault's id.

    Not left to chance: Bokio takes a spent refresh token once more, so whoever loses that answer
    too, to a kill, needs a person. Kills by themselves may well fall into a refresh.
    """
    # In this order: a token that expires before the refresh is to fail is renewed, and none fails.
    lost = sandbox.add_fault("request-token", "lose_refresh")
    # Another fault may strike the next call before this one does: then the one after it.
    sandbox.add_fault(ANY, "token_expires", method="POST", probability=1, times=1)
    return lost


def strikes(sandbox: SandboxClient) -> Counter[str]:
    """How often each kind of the sandbox's faults has struck."""
    struck: Counter[str] = Counter()
    for fault in sandbox.control("GET", "faults")["faults"]:
        struck[fault["kind"]] += fault["hits"]
    return struck
