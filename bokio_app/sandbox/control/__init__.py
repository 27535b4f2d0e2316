"""The control API under `/_sandbox/`: for tests, and for whoever plays Bokio.

JSON in and out, on loopback only. A browser cannot be talked into calling it: a request that
names an `Origin` is refused.
"""

import logging
import re

from bokio_app.sandbox import wire
from bokio_app.sandbox.control import access, books, running
from bokio_app.sandbox.control.asking import Action, Ask, Missing, Wrong
from bokio_app.sandbox.oauth import OAuthError
from bokio_app.sandbox.refusals import Refusal
from bokio_app.sandbox.wire import Answer, Call, json_answer

log = logging.getLogger(__name__)
ROOT = "/_sandbox/"

_ROUTES = [
    (method, re.compile(pattern), action)
    for method, pattern, action in (*running.ROUTES, *books.ROUTES, *access.ROUTES)
]


def answer(call: Call) -> Answer:
    """Find the action for the path and answer it; every refusal is JSON with `error`."""
    if "origin" in call.headers:
        return json_answer({"error": "not for browsers"}, 403)
    path = call.path.removeprefix(ROOT)
    for method, pattern, action in _ROUTES:
        found = pattern.fullmatch(path)
        if method == call.method and found:
            return _act(action, call, found.groups())
    return json_answer({"error": f"There is no {call.method} {call.path}"}, 404)


def _act(action: Action, call: Call, parts: tuple[str, ...]) -> Answer:
    try:
        body = wire.loads(call.body) if call.body else {}
        if not isinstance(body, dict):
            raise Wrong("The body must be an object")
        return json_answer(action(Ask(call, body, parts)) or {"ok": True})
    except Missing:
        return json_answer({"error": "not found"}, 404)
    except (Refusal, OAuthError) as refusal:
        return refusal.answer()
    except (Wrong, ValueError, KeyError, TypeError, ArithmeticError) as wrong:
        return json_answer({"error": f"{type(wrong).__name__}: {wrong}"}, 400)
    except Exception:
        log.exception("The control API failed at %s %s", call.method, call.path)
        return json_answer({"error": "the sandbox failed; its log says more"}, 500)
