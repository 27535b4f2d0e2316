"""What a test that commits leaves to the next one."""

import pytest
from django.contrib.auth.models import Permission

from bokio_app.flows.models import Flow
from bokio_app.tenants.models import Tenant, User
from tests.support import emptying, make


@pytest.mark.django_db(transaction=True)
def test_all_rows_go_but_those_that_the_migrations_made() -> None:
    permissions = Permission.objects.count()
    make.flow(make.connection())
    make.member()

    emptying.empty("default")

    assert not any(model.objects.exists() for model in (Flow, Tenant, User))
    assert Permission.objects.count() == permissions > 0
