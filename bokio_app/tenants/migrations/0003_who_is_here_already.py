"""Who was a member could do everything, and who had an account was let in by an operator."""

from django.db import migrations


def keep_their_rights(apps, _schema_editor):
    apps.get_model("tenants", "Member").objects.update(role="owner")


def vouch(apps, _schema_editor):
    addresses = apps.get_model("account", "EmailAddress")
    people = apps.get_model("tenants", "User").objects.exclude(
        pk__in=addresses.objects.filter(verified=True).values("user")
    )
    for person in people.iterator():
        addresses.objects.update_or_create(
            user=person, email=person.email.lower(), defaults={"verified": True, "primary": True}
        )


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0002_roles"),
        ("account", "0009_emailaddress_unique_primary_email"),
    ]

    operations = [
        migrations.RunPython(keep_their_rights, migrations.RunPython.noop),
        migrations.RunPython(vouch, migrations.RunPython.noop),
    ]
