"""What keeps a sound connection from working, and which permissions runs lack."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Q
from django.db.models.functions import Now

CAUSES = [
    ("revoked", "Needs reconnecting"),
    ("disconnected", "Ended in Bokio"),
    ("other_company", "Access to another company"),
    ("token_refused", "Needs a new token"),
    ("plan", "The plan does not allow it"),
    ("scope", "The connection lacks a permission"),
    ("budget", "The month's calls are used up"),
    ("quota", "The day's quota is spent"),
    ("brownout", "Bokio rehearses a change"),
    ("down", "Bokio does not answer"),
    ("told_to_wait", "Waiting for Bokio"),
    ("paused", "Paused"),
    ("registration", "Bokio does not know us"),
]
BLOCKED_BY = {
    "plan": Q(blocked_by__in=["PlanRequired", "price_plan_feature_required"]),
    "quota": Q(blocked_by__in=["QuotaExceeded", "quota-exceeded"]),
    "brownout": Q(blocked_by__istartswith="version"),
    "paused": Q(blocked_by__startswith="breaker"),
}


def name_what_blocks(apps: Apps, _schema: BaseDatabaseSchemaEditor) -> None:
    """Companies that are at rest at this moment go on saying why."""
    connections = apps.get_model("connections", "Connection").objects
    for cause, code in BLOCKED_BY.items():
        connections.filter(code, state="active", blocked_until__gt=Now()).update(
            hindered_by=cause, hindered_at=Now(), hindrance_told=cause == "plan"
        )
    private = connections.filter(kind="private", state="broken", broken_by="revoked")
    private.update(broken_by="token_refused")


class Migration(migrations.Migration):
    dependencies = [("connections", "0012_word_of_workspaces")]

    operations = [
        migrations.AddField(
            model_name="connection",
            name="hindered_by",
            field=models.CharField(
                blank=True,
                choices=CAUSES,
                db_default="",
                default="",
                max_length=20,
                verbose_name="hindered by",
            ),
        ),
        migrations.AddField(
            model_name="connection",
            name="hindered_at",
            field=models.DateTimeField(null=True, verbose_name="hindered since"),
        ),
        migrations.AddField(
            model_name="connection",
            name="hindrance_told",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="connection",
            name="lacks",
            field=models.JSONField(db_default=[], default=list, verbose_name="lacking permissions"),
        ),
        migrations.AlterField(
            model_name="connection",
            name="broken_by",
            field=models.CharField(
                blank=True,
                choices=CAUSES,
                db_default="",
                default="",
                max_length=20,
                verbose_name="broken by",
            ),
        ),
        migrations.AlterField(
            model_name="notice",
            name="cause",
            field=models.CharField(blank=True, choices=CAUSES, max_length=20),
        ),
        migrations.AlterField(
            model_name="notice",
            name="kind",
            field=models.CharField(
                choices=[
                    ("broke", "Needs you"),
                    ("lasting", "Still at rest"),
                    ("recovered", "Works again"),
                    ("given_up", "Moved to another workspace"),
                    ("taken_over", "Moved here from another workspace"),
                    ("closed", "Workspace closed"),
                    ("opened", "Workspace opened again"),
                ],
                max_length=10,
            ),
        ),
        migrations.RunPython(name_what_blocks, migrations.RunPython.noop),
    ]
