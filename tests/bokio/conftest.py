from collections.abc import Callable, Iterator
from uuid import UUID, uuid4

import httpx2
import pytest

from bokio_app.bokio.client import Bokio
from bokio_app.bokio.http import Call, Http
from bokio_app.bokio.transport import new_client
from tests.bokio.server import FaultyServer


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with FaultyServer() as server:
        yield server


@pytest.fixture(scope="session")
def client() -> Iterator[httpx2.Client]:
    """One for all tests, as in a process of ours; making its TLS context takes a while."""
    with new_client() as client:
        yield client


@pytest.fixture
def calls() -> list[Call]:
    return []


@pytest.fixture
def http(server: FaultyServer, client: httpx2.Client, calls: list[Call]) -> Callable[..., Http]:
    """Make an `Http` towards the server, with other options where a test names them."""

    def make(api_url: str = "", **options: object) -> Http:
        chosen: dict[str, object] = {"access_token": "secret-token", "client": client} | options
        return Http(api_url or server.url, on_call=calls.append, **chosen)  # type: ignore[arg-type]

    return make


@pytest.fixture
def company_id() -> UUID:
    return uuid4()


@pytest.fixture
def bokio(http: Callable[..., Http], company_id: UUID) -> Bokio:
    return Bokio(http(), company_id)
