"""The whole application as real processes, and a browser."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Error as PlaywrightError

from tests.journeys.secrets import everywhere
from tests.support.processes import Stack
from tests.support.walk import Walk

WINDOWS = pytest.StashKey[list[Walk]]()
PASSWORD = "a long enough pass phrase"
EMAIL = "demo@example.com"
COLLEAGUE = "colleague@example.com"
STRANGER = "stranger@example.com"
GUIDE_COMPANIES = 4
COMPANIES = 40
# Another person of the demo's workspace, and a person of a workspace of her own.
MAKE_PEOPLE = f"""
from bokio_app.tenants.models import Member, Tenant, User
for email, name, tenant in (
    ("{COLLEAGUE}", "Oskar Berglund", Tenant.objects.get(slug="demo")),
    ("{STRANGER}", "Siv Ek", Tenant.objects.create(slug="other", name="Ek Redovisning")),
):
    person = User.objects.create_user(email, "{PASSWORD}", name=name)
    Member.objects.create(tenant=tenant, user=person)
"""


@dataclass(frozen=True)
class Company:
    """A company of the sandbox."""

    id: str
    name: str


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """On the test run's database and broker, at a tenth of the engine's times.

    An answer may take ten seconds all the same, so that a test can look at a call in flight.
    Static files are collected, compressed and named by their content, as in production.
    When all is over, what the processes have logged, written and stored is searched for secrets.
    """
    with Stack(
        tmp_path_factory.mktemp("stack"),
        companies=COMPANIES,
        env={"TIME_FACTOR": "0.1", "FLOW_DEADLINE": "100", "STATIC_MANIFEST": "1"},
    ) as running:
        running.manage("collectstatic", "--no-input", "--verbosity", "0")
        running.start()
        running.manage("seed_demo", "--password", PASSWORD, "--force")
        yield running
        assert everywhere(running) == [], "a secret can be read there"


@pytest.fixture(scope="session")
def people(stack: Stack) -> None:
    """`COLLEAGUE` works beside the demo's owner, `STRANGER` in another workspace."""
    stack.manage("shell", "-c", MAKE_PEOPLE)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the windows showed where a journey failed."""
    report = yield
    if report.when == "call" and report.failed:
        for walk in item.stash.get(WINDOWS, []):
            report.sections.append((f"window at {walk.page.url}", _text_of(walk)))
    return report


def _text_of(walk: Walk) -> str:
    try:
        return walk.page.locator("body").inner_text(timeout=5000)
    except PlaywrightError as error:
        return f"It cannot be read: {error}"


@pytest.fixture
def open_window(
    browser: Browser, stack: Stack, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Walk]]:
    """Windows that close with the test, which fails if one of them noted anything."""
    windows = request.node.stash.setdefault(WINDOWS, [])

    def open_window(**options: object) -> Walk:
        walk = Walk.begin(
            browser,
            app_url=stack.app_url,
            sandbox_url=stack.sandbox.url,
            **options,  # type: ignore[arg-type]
        )
        windows.append(walk)
        return walk

    yield open_window
    noted = [line for walk in windows for line in walk.noted]
    for walk in windows:
        walk.context.close()
    assert not noted, "\n".join(noted)


@pytest.fixture
def member(open_window: Callable[..., Walk]) -> Walk:
    """A signed-in person, in Swedish, at a desk."""
    walk = open_window()
    walk.be_signed_in(EMAIL, PASSWORD)
    return walk


@pytest.fixture(scope="session")
def unused_companies(stack: Stack) -> Iterator[Company]:
    """Companies that no test has touched; those of the guide's tests are not among them."""
    known = stack.sandbox.companies()[GUIDE_COMPANIES:]
    return iter([Company(id=each["id"], name=each["name"]) for each in known])


@pytest.fixture
def company(unused_companies: Iterator[Company]) -> Company:
    """A company of the sandbox for this test alone."""
    return next(unused_companies)


@pytest.fixture
def connection_id(member: Walk, company: Company) -> str:
    """The company, connected by the member."""
    return member.be_given(company.id, company.name)


@pytest.fixture(autouse=True)
def no_faults(stack: Stack) -> Iterator[None]:
    """What a test orders of the sandbox ends with it."""
    yield
    stack.sandbox.clear_faults()
