"""Each call keeps a masked copy of Bokio's answer."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("flows", "0006_findings")]

    operations = [
        migrations.AddField(
            model_name="attempt",
            name="answer",
            field=models.TextField(
                blank=True,
                db_default="",
                default="",
                help_text="masked JSON of Bokio's last answer in this attempt",
                verbose_name="Bokio's answer",
            ),
        ),
    ]
