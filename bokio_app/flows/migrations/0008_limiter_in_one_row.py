from django.db import migrations, models


class Migration(migrations.Migration):
    """The count of calls begins anew: an empty one finds out from Bokio what is left."""

    dependencies = [("flows", "0007_answers_of_calls")]

    operations = [
        migrations.DeleteModel("RateSlot"),
        migrations.DeleteModel("PathLease"),
        migrations.DeleteModel("UrgentAsker"),
        migrations.DeleteModel("Booking"),
        migrations.RemoveField("pace", "due"),
        migrations.RemoveField("pace", "known_until"),
        migrations.RemoveField("pace", "probe"),
        migrations.RemoveField("pace", "probe_until"),
        migrations.RemoveField("pace", "blocked_until"),
        migrations.AddField("pace", "state", models.TextField(default="{}")),
    ]
