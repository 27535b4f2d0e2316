"""The workspace of the demo: `manage.py seed_demo [--password …]`."""

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from bokio_app.tenants.models import Member, Role, Tenant, User

EMAIL = "demo@example.com"


class Command(BaseCommand):
    """Makes what is missing and changes nothing else, so it can run at every start."""

    help = "Make the workspace `demo` with its owner demo@example.com, who is operator too."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--password", help="default: DEMO_PASSWORD of the environment")
        parser.add_argument(
            "--force", action="store_true", help="allow it outside the embedded mode"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.EMBEDDED and not options["force"]:
            raise CommandError(
                "This installation has a database of its own (DATABASE_URL). A known demo "
                "account does not belong there; --force makes it all the same."
            )
        password = options["password"] or os.environ.get("DEMO_PASSWORD")
        if not password:
            raise CommandError("Give --password, or set DEMO_PASSWORD.")
        with transaction.atomic():
            user = User.objects.filter(email=EMAIL).first()
            if user is None:
                user = User(email=EMAIL, name="Maja Lindqvist", is_staff=True, is_superuser=True)
            if not user.check_password(password):
                user.set_password(password)
                user.save()
            user.vouch()
            tenant, _made = Tenant.objects.get_or_create(
                slug="demo", defaults={"name": "Byrån Lagerkvist"}
            )
            Member.objects.get_or_create(tenant=tenant, user=user, defaults={"role": Role.OWNER})
        self.stdout.write(f"The workspace {tenant.name} is ready; sign in as {EMAIL}.")
