"""Faults that a test or a person orders: each waits for calls it matches, then strikes.

`KINDS` says what can go wrong, a `Fault` whom it hits and when, and `ordered` holds those in force.
"""

from bokio_app.sandbox.faults.fault import ANY, ClientGone, Fault
from bokio_app.sandbox.faults.kinds import KINDS, Kind, Param, client_gone
from bokio_app.sandbox.faults.ordered import from_json, ordered

__all__ = [
    "ANY",
    "KINDS",
    "ClientGone",
    "Fault",
    "Kind",
    "Param",
    "client_gone",
    "from_json",
    "ordered",
]
