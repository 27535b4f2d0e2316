"""`manage.py sandbox`: run the emulator of Bokio."""

import signal
import sys
import threading
import uuid
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from bokio_app.sandbox import store
from bokio_app.sandbox.api import gate
from bokio_app.sandbox.models import Company
from bokio_app.sandbox.seed import seed
from bokio_app.sandbox.server import Server


class Command(BaseCommand):
    help = "Run the sandbox, an emulator of Bokio, on the loopback interface."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8001, help="0 picks a free one")
        parser.add_argument("--companies", type=int, default=3, help="how many to seed")
        parser.add_argument(
            "--history", type=int, default=2000, help="past invoices of the busy company"
        )
        parser.add_argument("--seed", type=int, default=seed.DEFAULT_NUMBER)
        parser.add_argument("--reset", action="store_true", help="forget all books first")

    def handle(self, *_: Any, **options: Any) -> None:
        _check_client_id(settings.SANDBOX_CLIENT_ID)
        settings.VAR_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
        call_command("migrate", verbosity=0, interactive=False)
        with store.write():
            _prepare(options)
        try:
            server = Server(options["port"], bind=settings.SANDBOX_BIND)
        except OSError as refused:
            raise CommandError(
                f"Port {options['port']} cannot be used ({refused.strerror}); "
                "choose another with --port"
            ) from refused
        _stop_on_signals(server)
        print(f"sandbox ready {server.url}{gate.ROOT}", flush=True)
        with server:
            server.serve()


def _check_client_id(given: str) -> None:
    """Name a malformed client id in one line. None at all means: no application."""
    try:
        uuid.UUID(given or str(uuid.UUID(int=0)))
    except ValueError as wrong:
        raise CommandError(
            "SANDBOX_CLIENT_ID (or BOKIO_CLIENT_ID) must be a UUID, "
            "such as 3f2b8c1e-7a54-4d0b-9a3e-5c1d2e3f4a5b"
        ) from wrong


def _prepare(options: dict[str, Any]) -> None:
    store.load_state()
    seed.register_application()
    wanted = {
        "companies": max(options["companies"], 1),
        "history": options["history"],
        "number": options["seed"],
    }
    if options["reset"]:
        seed.reset(**wanted)
    elif not Company.objects.exists():
        seed.plant(**wanted)


def _stop_on_signals(server: Server) -> None:
    """End quietly on Ctrl-C and SIGTERM. Open connections are dropped: nothing is half written."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        threading.Thread(target=server.end, daemon=True).start()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    if sys.platform != "win32":
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
