"""Fixtures for tests in one process; see `harness`. They run in a stage of their own, because the
sandbox is installed beside the product there: `TEST_INPROCESS=1`.

The product is imported inside the fixtures, because this file is read before its settings are.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.flows.cases import World
    from tests.inprocess.cells import Stage
    from tests.inprocess.harness import Harness

collect_ignore_glob = [] if os.environ.get("TEST_INPROCESS") == "1" else ["test_*.py"]


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_modify_db_settings: None, django_db_blocker: Any
) -> Iterator[None]:
    """Both databases: the product's and the sandbox's."""
    from django.test.utils import setup_databases, teardown_databases

    with django_db_blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False, serialized_aliases=set())
    yield
    with django_db_blocker.unblock():
        teardown_databases(made, verbosity=0)


@pytest.fixture(scope="session")
def built_harness(django_db_setup: None, django_db_blocker: Any) -> Harness:
    from tests.inprocess.harness import Harness

    with django_db_blocker.unblock():
        return Harness()


@pytest.fixture
def harness(built_harness: Harness, django_db_blocker: Any) -> Iterator[Harness]:
    """A run that begins with one connected company."""
    with django_db_blocker.unblock(), built_harness.fresh():
        yield built_harness


@pytest.fixture
def world(harness: Harness) -> World:
    """The company with its sandbox, as the cases of `tests.flows.cases` want it."""
    from tests.flows.cases import World

    [connection] = harness.connections
    return World(harness.sandbox, connection, harness.person)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def built_stage(built_harness: Harness) -> Stage:
    from tests.inprocess.cells import Stage

    return Stage(built_harness)


@pytest.fixture
def stage(built_stage: Stage, django_db_blocker: Any) -> Iterator[Stage]:
    """Where cells are played, one after the other."""
    with django_db_blocker.unblock():
        yield built_stage
