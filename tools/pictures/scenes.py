"""The scenes. Each goes on from the books that the one before has left."""

from collections.abc import Callable
from decimal import Decimal

from playwright.sync_api import expect

from bokio_app.core import clock
from bokio_app.invoicing.models import Invoice
from tests.support.walk import Walk
from tools.pictures import books
from tools.pictures.studio import BOTH, EMAIL, LIGHT, Studio

GUIDE_CUSTOMER = "556016-0680"
GUIDE_LINES = ("Konsulttjänster", "Rabatt till ny kund")
REFUSED_ACCOUNT = 3305
REFUSAL = (
    '{"code": "validation-error", "message": "Validation failed with 1 error",'
    ' "bokioErrorId": "0b6f4c1e-52a7-4c0f-9b7e-3f1a8d2c7e64", "errors": [{'
    '"field": "#/lineItems/1/bookkeepingAccountNumber",'
    ' "message": "The account is not active for the fiscal year"}]}'
)


def connecting(studio: Studio) -> None:
    """Sign-in, hand-over, consent, result; then two more companies."""
    busy, works, electric = (studio.stack.sandbox.companies()[place] for place in (1, 0, 2))
    with studio.window(sign_in=False) as walk:
        walk.go("/")
        studio.take(walk.page, "sign-in", themes=BOTH)
        walk.sign_in(EMAIL, studio.password)
        studio.take(walk.page, "first-start")
        walk.go("/companies/connect/")
        studio.take(walk.page, "connect-hand-over")
        walk.ask_for_consent()
        walk.page.locator(f"input[name=company][value='{busy['id']}']").check()
        studio.take(walk.page, "sandbox-consent", themes=BOTH)
        walk.page.locator("button[value=allow]").click()
        walk.page.wait_for_url(f"{walk.app_url}/companies/**")
        expect(walk.page.get_by_role("heading", level=1)).to_contain_text(busy["name"])
        books.wait_for_all()
        walk.page.reload()
        studio.take(walk.page, "connect-result")
        for other in (works, electric):
            walk.connect(other["id"], other["name"])
    books.wait_for_all()


def history(_studio: Studio) -> None:
    """Invoices in many states, as if people had worked here for weeks."""
    builder, electric = books.company(0), books.company(2)
    paid = books.draft(builder, ("Målning av fasad", "38", "620"), customer=3, days_ago=44)
    books.pay(books.send(paid), paid.total, days_ago=16)
    late = books.draft(builder, ("Snickeriarbete", "61.5", "640"), customer=8, days_ago=52)
    books.send(late)
    part = books.draft(builder, ("Projektledning", "24", "980"), customer=12, days_ago=40)
    books.pay(books.send(part), Decimal(12000), days_ago=5)
    for customer, days_ago, hours in ((5, 12, "17"), (9, 9, "8.5"), (16, 3, "42")):
        lines = (("Målning invändigt", hours, "590"), ("Spackling", "6", "560"))
        books.send(books.draft(builder, *lines, customer=customer, days_ago=days_ago))
    for customer, days_ago, hours in ((0, 38, "14"), (1, 20, "6"), (2, 8, "22"), (3, 2, "9")):
        line = ("Elinstallation", hours, "695")
        books.send(books.draft(electric, line, customer=customer, days_ago=days_ago))
    books.draft(builder, ("Målning av trapphus", "55", "610"), customer=1, days_ago=0)
    books.wait_for_all()


def editor(studio: Studio) -> None:
    """The invoice of Bokio's guide in the editor, at a desk and on a phone."""
    with studio.window() as walk:
        write_guide_invoice(walk)
        studio.take(walk.page, "editor", themes=BOTH)
        walk.press("save")
        walk.page.wait_for_url("**/invoices/*-*/edit/")
        address = walk.page.url
    with studio.phone() as walk:
        walk.page.goto(address)
        studio.take(walk.page, "editor-phone", themes=BOTH)
        walk.page.locator("tbody[data-line]").first.evaluate(
            "each => window.scrollTo(0, each.getBoundingClientRect().top - 110)"
        )
        studio.take(walk.page, "editor-lines-phone")


def write_guide_invoice(walk: Walk) -> None:
    walk.write_guide_invoice(str(books.company(1).pk), org_number=GUIDE_CUSTOMER)
    lines = walk.page.locator("tbody[data-line]")
    for place, text in enumerate(GUIDE_LINES):
        lines.nth(place).locator("[name$=product]").select_option("services")
        lines.nth(place).locator("[name$=description]").fill(text)
    walk.page.locator("[name$=your_reference]").fill("Jane Doe")
    walk.page.locator("h1").click()
    for account in ("3011", "3730"):
        expect(walk.page.locator("#preview")).to_contain_text(account)


def sending(studio: Studio) -> None:
    """Progress while Bokio takes its time over the last step."""
    sandbox, invoice = studio.stack.sandbox, guide_invoice()
    with studio.window() as walk:
        walk.go(f"/invoices/{invoice.pk}/edit/")
        held = sandbox.add_fault("record-invoice-with-id", "hold_before")
        walk.press("send")
        sandbox.wait_held(held)
        expect(walk.page.locator(".flow-progress")).to_contain_text("1001")
        studio.take(walk.page, "invoice-progress")
        sandbox.release(held)
        expect(walk.page.locator("a[href*='/payments/invoice/']").first).to_be_visible()
    books.wait_for_all()


def paying(studio: Studio) -> None:
    """The payment's form, and the invoice paid."""
    address = f"/invoices/{guide_invoice().pk}/"
    with studio.window() as walk:
        walk.go(address)
        walk.page.locator("a[href*='/payments/invoice/']").first.click()
        walk.fill_payment()
        expect(walk.page.locator("#effect")).to_contain_text("6570")
        studio.take(walk.page, "payment")
        walk.press("register")
        walk.page.wait_for_url("**/invoices/*-*/")
        expect(walk.page.locator("h1 + *").first).to_contain_text(walk.word("paid"))
        books.wait_for_all()
        walk.page.reload()
        studio.take(walk.page, "invoice-paid", themes=("dark",))
    with studio.window(scale=1.5) as walk:
        walk.go(address)
        studio.take(walk.page, "invoice-paid", tall=1000)
    with studio.phone() as walk:
        walk.go(address)
        studio.take(walk.page, "invoice-paid-phone", themes=BOTH)


def guide_invoice() -> Invoice:
    return Invoice.objects.get(connection=books.company(1))


def refused(studio: Studio) -> None:
    """What Bokio says about a field stands on that field."""
    lines = (("Elinstallation", "16", "695"), ("Jour, kvällstid", "4", "1040"))
    invoice = books.draft(books.company(2), *lines, customer=1, days_ago=0)
    invoice.lines.filter(position=1).update(account=REFUSED_ACCOUNT)
    studio.stack.sandbox.add_fault("post-invoice", "status", status=400, body=REFUSAL)
    with studio.window() as walk:
        walk.go(f"/invoices/{invoice.pk}/")
        walk.press("send")
        walk.page.locator(".next-step.needs a.btn").click()
        expect(walk.page.locator(".line-errors").first).to_be_visible()
        studio.take(walk.page, "editor-refused")


def stuck(studio: Studio) -> None:
    """A payment whose answer was lost, while somebody entered the same one in Bokio by hand."""
    sandbox, builder = studio.stack.sandbox, books.company(0)
    invoice = Invoice.objects.filter(connection=builder).exclude(number="").latest("number")
    half = invoice.total / 2
    sandbox.lose_answer("post-invoice-payment")
    proof = sandbox.add_fault("get-invoice-payments", "hold_before", nth=2)
    flow = books.start_paying(invoice, half)
    sandbox.wait_held(proof)
    day = clock.today().isoformat()
    sandbox.pay_invoice(
        str(builder.company_id), invoice.remote_id, str(half), date=day, account=1930
    )
    sandbox.release(proof)
    books.wait_for(flow, ("stuck",))
    with studio.window() as walk:
        walk.go("/runs/")
        studio.take(walk.page, "runs")
        walk.go(f"/runs/{flow.public_id}/")
        studio.take(walk.page, "run-needs-you", themes=BOTH, tall=1000)
    with studio.phone() as walk:
        walk.go(f"/runs/{flow.public_id}/")
        studio.take(walk.page, "run-needs-you-phone")


def overview(studio: Studio) -> None:
    """The pages that gather: start, companies, invoices, components, console."""
    with studio.window() as walk:
        for path, name, themes in (
            ("/", "start", BOTH),
            ("/companies/", "companies", LIGHT),
            ("/invoices/", "invoices", BOTH),
            ("/admin/", "admin", LIGHT),
        ):
            walk.go(path)
            studio.take(walk.page, name, themes=themes)
        walk.go("/_components/")
        studio.take(walk.page, "components", tall=1560)
    with studio.phone() as walk:
        for path, name, themes in (("/", "start", BOTH), ("/invoices/", "invoices", LIGHT)):
            walk.go(path)
            studio.take(walk.page, f"{name}-phone", themes=themes)


SCENES: list[Callable[[Studio], None]] = [
    connecting,
    history,
    editor,
    sending,
    paying,
    refused,
    stuck,
    overview,
]
