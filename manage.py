#!/usr/bin/env python
"""Run a management command. The sandbox is a program of its own, with settings of its own."""

import os
import sys


def main() -> None:
    """Hand the command line to Django, with the sandbox's settings for the sandbox's commands."""
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    settings = (
        "bokio_app.sandbox.settings" if command.startswith("sandbox") else "bokio_app.settings"
    )
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", settings)
    from django.core.management import execute_from_command_line  # noqa: PLC0415  after the settings are chosen

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
