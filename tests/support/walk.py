"""A person's way through the slice, in a browser: shared by the journeys and by the pictures."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import escape
from urllib.parse import parse_qs, urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Request,
    Response,
    expect,
)

from tests.support.forms import submit

CHROMIUM = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 30_000
RELOADS = 60
# Without preloading, axe leaves out the rotation of screens and writes no style of its own into
# the page, which the page's policy would refuse.
AXE = {"resultTypes": ["violations"], "preload": False}
MAJA = re.compile(r'name="person" value="([^"]+)"(?:(?!</button>).)*Maja Lindqvist', re.DOTALL)
# A page was left, or asked for something newer, while a part of it was on its way.
LEFT_EARLY = ("htmx:sendAbort", "htmx:afterRequest")
STATUS = re.compile(r"responded with a status of (\d+)")

SWEDISH = {
    "sign_in": "Logga in",
    "connect": "Fortsätt till Bokio",
    "reconnect": "Anslut igen",
    "disconnect": "Koppla bort",
    "create_customer": "Skapa kunden",
    "add_discount": "Lägg till rabatt",
    "save": "Spara utkast",
    "add_line": "Lägg till rad",
    "send": "Publicera och bokför",
    "register": "Registrera och bokför",
    "paid": "Betald",
    "total": "64\u00a0625,00",
    "zero": "0,00",
}
ENGLISH = {
    "sign_in": "Sign in",
    "connect": "Continue to Bokio",
    "reconnect": "Reconnect",
    "disconnect": "Disconnect",
    "create_customer": "Create the customer",
    "add_discount": "Add discount",
    "save": "Save draft",
    "add_line": "Add line",
    "send": "Publish and record",
    "register": "Register and record",
    "paid": "Paid",
    "total": "64,625.00",
    "zero": "0.00",
}


@dataclass
class Walk:
    """One browser window of one person. `noted` collects what must not happen.

    `statuses` are those above 399 that the test provokes: the browser reports each as an error.
    """

    page: Page
    app_url: str
    sandbox_url: str
    language: str = "sv"
    noted: list[str] = field(default_factory=list)
    statuses: set[int] = field(default_factory=set)
    callbacks: list[str] = field(default_factory=list)
    policies: list[str] = field(default_factory=list)

    @classmethod
    def begin(
        cls,
        browser: Browser,
        *,
        app_url: str,
        sandbox_url: str,
        language: str = "sv",
        width: int = 1440,
        height: int = 900,
        theme: str = "light",
        javascript: bool = True,
    ) -> Walk:
        """Open a window of its own: no cookies, the language switched as by the switch."""
        context = browser.new_context(
            viewport={"width": width, "height": height},
            java_script_enabled=javascript,
            device_scale_factor=2 if width < 600 else 1,
        )
        context.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        for name, value in (("bokio_app_language", language), ("theme", theme)):
            context.add_cookies([{"name": name, "value": value, "url": app_url}])
        walk = cls(
            page=context.new_page(), app_url=app_url, sandbox_url=sandbox_url, language=language
        )
        walk.page.on("console", walk._note_message)
        walk.page.on("pageerror", lambda error: walk.noted.append(f"error: {error}"))
        walk.page.on("request", walk._note_request)
        walk.page.on("response", walk._note_response)
        return walk

    @property
    def context(self) -> BrowserContext:
        return self.page.context

    def word(self, key: str) -> str:
        """What the page calls it in this person's language."""
        return (SWEDISH if self.language == "sv" else ENGLISH)[key]

    def press(self, key: str) -> None:
        """Press the button of that name."""
        self.page.get_by_role("button", name=self.word(key)).first.click()

    def go(self, path: str) -> None:
        self.page.goto(self.app_url + path)

    def sign_in(self, email: str, password: str) -> None:
        self.go("/")
        self.page.locator("input[name=login]").fill(email)
        self.page.locator("input[name=password]").fill(password)
        self.press("sign_in")
        self.page.wait_for_url(self.app_url + "/")

    def be_signed_in(self, email: str, password: str) -> None:
        """Signed in, where the sign-in page is not what the test looks at."""
        shown = self.context.request.get(f"{self.app_url}/account/login/")
        submit(self.context, shown, login=email, password=password)

    def be_given(self, company_id: str, name: str) -> str:
        """Have the company connected, where that is not what the test looks at; returns the
        connection's id once its name is read.
        """
        asked = self.context.request.get(f"{self.app_url}/companies/connect/")
        shown = submit(self.context, asked, "feature")
        if person := MAJA.search(shown.text()):
            shown = submit(self.context, shown, person=person[1])
        here = submit(self.context, shown, decision="allow", company=company_id).url
        for _ in range(PATIENCE // 100):
            if escape(name) in self.context.request.get(here).text():
                return _connection_in(here)
            self.page.wait_for_timeout(100)
        raise AssertionError(f"the name of {name} is not read")

    def ask_for_consent(self) -> None:
        """From our hand-over page to the sandbox's consent page."""
        self.go("/companies/connect/")
        self.press("connect")
        self.be_at_bokio()
        expect(self.page.locator("button[value=allow]")).to_be_visible()

    def be_at_bokio(self, page: Page | None = None) -> None:
        """Be Maja at Bokio, where the sandbox asks at the first visit who one is."""
        page = page or self.page
        page.wait_for_url(f"{self.sandbox_url}/**")
        sign_in = page.locator("button.person", has_text="Maja Lindqvist")
        expect(sign_in.or_(page.locator("button[value=allow], .offer")).first).to_be_visible()
        if sign_in.count():
            sign_in.first.click()

    def consent_again(self) -> None:
        """On the consent page for a company that is given already: allow."""
        expect(self.page.locator("input[name=company]")).to_have_count(1)
        self.page.locator("button[value=allow]").click()
        self.page.wait_for_url(f"{self.app_url}/companies/**")

    def connect(self, company_id: str, name: str) -> str:
        """Connect the company; returns the connection's id once its name is read."""
        self.ask_for_consent()
        self.answer_consent(company_id)
        self.page.wait_for_url(f"{self.app_url}/companies/**")
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(name)
        return _connection_in(self.page.url)

    def companies(self) -> list[str]:
        """The names in the list of companies."""
        self.go("/companies/")
        return self.page.locator("tbody[data-rows] th a").all_inner_texts()

    def answer_consent(self, company_id: str) -> None:
        """On the consent page: choose the company and allow."""
        self.page.locator(f"input[name=company][value='{company_id}']").check()
        self.page.locator("button[value=allow]").click()

    def come_back(self, *, code: str, state: str) -> None:
        """Open the callback's address as if Bokio had sent this person there."""
        self.go(f"/bokio/callback?code={code}&state={state}")

    @property
    def asked_state(self) -> str:
        """The `state` in the address of the consent page that is open."""
        return parse_qs(urlsplit(self.page.url).query)["state"][0]

    def line(self, place: int) -> Locator:
        """A line of the editor, counted from 0."""
        return self.page.locator("tbody[data-line]").nth(place)

    def type_line(self, place: int, **values: str) -> None:
        """Fill in fields of a line; one that is not there yet is added with the button."""
        lines = self.page.locator("tbody[data-line]")
        if lines.count() == place:
            self.press("add_line")
            expect(lines).to_have_count(place + 1)
        for name, value in values.items():
            part = self.line(place).locator(f"[data-part={name}]")
            if name in {"product", "unit", "tax_rate"}:
                part.select_option(value)
            else:
                part.fill(value)

    def reload_until(self, wanted: Locator) -> None:
        """Reload, as a person without scripts does, until it is there."""
        for _ in range(RELOADS):
            if wanted.count():
                return
            self.page.wait_for_timeout(500)
            self.page.reload()
        expect(wanted).to_have_count(1)

    def write_guide_invoice(self, connection_id: str, *, org_number: str) -> None:
        """Type the invoice of Bokio's guide, with a new customer and the discount."""
        self.go(f"/invoices/new/?company={connection_id}")
        self.fill_customer(org_number)
        line = self.page.locator("tbody[data-line]").first
        line.locator("[name$=description]").fill("Consultancy services")
        line.locator("[name$=product]").select_option("goods")
        line.locator("[name$=quantity]").fill("180")
        line.locator("[name$=unit]").select_option("hour")
        line.locator("[name$=unit_price]").fill("290")
        self.page.locator("[name$=amount]").fill("500")
        self.press("add_discount")
        expect(self.page.locator("tbody[data-line]").nth(1)).to_be_visible()
        expect(self.page.locator("[data-total=total]")).to_contain_text(self.word("total"))

    def fill_customer(self, org_number: str) -> None:
        details = self.page.locator("#new-customer")
        if details.get_attribute("open") is None:
            details.locator("summary").click()
        for name, value in {
            "name": "John Doe",
            "org_number": org_number,
            "line1": "Älvsborgsvägen 10",
            "postal_code": "414 72",
            "city": "Göteborg",
        }.items():
            details.locator(f"[name$={name}]").fill(value)
        self.press("create_customer")
        expect(self.page.locator("#customer-line")).to_contain_text("Älvsborgsvägen 10")

    def publish_and_record(self) -> None:
        """One click, and the steps until the invoice has its journal entry on the page."""
        self.press("send")
        self.page.wait_for_url("**/invoices/*-*/")
        expect(self.page.locator("a[href*='/payments/invoice/']").first).to_be_visible()

    def register_payment(self) -> None:
        """The guide's payment: 64,609.50 on 1940, of which the bank had kept 15.50."""
        self.page.locator("a[href*='/payments/invoice/']").first.click()
        self.fill_payment()
        self.press("register")
        self.page.wait_for_url("**/invoices/*-*/")
        expect(self.page.locator("h1 + *").first).to_contain_text(self.word("paid"))

    def fill_payment(self) -> None:
        self.page.locator("[name=amount]").fill("64609,50")
        self.page.locator("[name=fee]").fill("15,50")
        self.page.locator("[name=account]").select_option("1940")

    def barriers(self) -> list[str]:
        """What axe calls serious or critical on the present page, one line each."""
        found = Axe().run(self.page, options=AXE).response["violations"]
        return [
            f"{self.page.url}: {each['id']}: {node['target']}"
            for each in found
            if each["impact"] in {"serious", "critical"}
            for node in each["nodes"]
        ]

    def _note_message(self, message: ConsoleMessage) -> None:
        provoked = STATUS.search(message.text)
        if provoked and int(provoked[1]) in self.statuses:
            return
        if message.text.startswith(LEFT_EARLY):
            return
        if message.type in {"error", "warning"}:
            self.noted.append(f"console: {message.text}")

    def _note_request(self, request: Request) -> None:
        ours = {urlsplit(self.app_url).netloc, urlsplit(self.sandbox_url).netloc}
        parts = urlsplit(request.url)
        if parts.scheme in {"http", "https"} and parts.netloc not in ours:
            self.noted.append(f"request to another host: {request.url}")
        if request.url.startswith(f"{self.app_url}/bokio/callback"):
            self.callbacks.append(request.url)

    def _note_response(self, response: Response) -> None:
        if response.url.startswith(self.app_url) and response.request.is_navigation_request():
            self.policies.append(response.headers.get("content-security-policy", ""))


def _connection_in(url: str) -> str:
    """The connection's id in the address of one of its pages."""
    return next(part for part in urlsplit(url).path.split("/") if "-" in part)
