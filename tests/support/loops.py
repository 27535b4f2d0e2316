"""A loop for what is asynchronous."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connections


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run it to its end, in a thread of its own: the browser of other tests has a loop in this."""

    def alone() -> Any:
        try:
            return asyncio.run(coroutine)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as threads:
        return threads.submit(alone).result()
