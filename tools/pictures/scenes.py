"""The scenes. Each goes on from the books that the one before has left."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

from playwright.sync_api import expect

from bokio_app.core import clock
from bokio_app.invoicing.models import Invoice
from tests.support.forms import submit
from tests.support.walk import MAJA, Walk
from tools.pictures import books
from tools.pictures.studio import BOTH, EMAIL, Studio

GUIDE_CUSTOMER = "556016-0680"
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
        studio.take(walk.page, "sign-in")
        walk.sign_in(EMAIL, studio.password)
        studio.take(walk.page, "first-start")
        walk.go("/companies/connect/")
        studio.take(walk.page, "connect-hand-over")
        walk.ask_for_consent()
        walk.page.locator(f"input[name=company][value='{busy['id']}']").check()
        studio.take(walk.page, "sandbox-consent")
        walk.page.locator("button[value=allow]").click()
        walk.page.wait_for_url(f"{walk.app_url}/companies/**")
        expect(walk.page.get_by_role("heading", level=1)).to_contain_text(busy["name"])
        books.wait_for_all()
        walk.page.reload()
        studio.take(walk.page, "connect-result")
        for other in (works, electric):
            walk.connect(other["id"], other["name"])
        books.wait_for_all()
        walk.go("/runs/?view=needs")
        studio.take(walk.page, "runs-empty")


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
        walk.page.locator("details.more summary").click()
        walk.page.locator("[name$=order_number]").fill("4711")
        walk.page.locator("[name$=project]").fill("Kajen, etapp 2")
        studio.take(walk.page, "editor-references", tall=1000)
        walk.press("save")
        walk.page.wait_for_url("**/invoices/*-*/edit/")
        address = walk.page.url
    with studio.phone() as walk:
        walk.page.goto(address)
        studio.take(walk.page, "editor-phone")
        walk.page.locator("tbody[data-line]").first.evaluate(
            "each => window.scrollTo(0, each.getBoundingClientRect().top - 110)"
        )
        studio.take(walk.page, "editor-lines-phone")


def write_guide_invoice(walk: Walk) -> None:
    walk.write_guide_invoice(str(books.company(1).pk), org_number=GUIDE_CUSTOMER)
    walk.type_line(0, description="Konsulttjänster", product="services")
    walk.page.locator("[name$=your_reference]").fill("Jane Doe")
    walk.page.locator("h1").click()
    for account in ("3011", "3730"):
        expect(walk.page.locator("#preview")).to_contain_text(account)


def sending(studio: Studio) -> None:
    """Progress while Bokio takes its time over the last step."""
    sandbox, invoice = studio.stack.sandbox, guide_invoice()
    with studio.window() as walk:
        walk.go(f"/invoices/{invoice.pk}/")
        studio.take(walk.page, "invoice-draft")
        walk.go(f"/invoices/{invoice.pk}/edit/")
        held = sandbox.add_fault("record-invoice-with-id", "hold_before")
        walk.press("send")
        sandbox.wait_held(held)
        expect(walk.page.locator(".flow-progress")).to_contain_text("1001")
        studio.take(walk.page, "invoice-progress")
        sandbox.release(held)
        expect(walk.page.locator("a[href*='/payments/invoice/']").first).to_be_visible()
        books.wait_for_all()
        walk.page.reload()
        expect(walk.page.locator("#pdf-shown")).to_be_visible()
        studio.take(walk.page, "invoice-recorded")


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
        expect(walk.page.locator("#pdf-shown")).to_be_visible()
        studio.take(walk.page, "invoice-paid", themes=("dark",))
        studio.take(walk.page, "invoice-paid", tall=1000)
    with studio.phone() as walk:
        walk.go(address)
        studio.take(walk.page, "invoice-paid-phone", themes=BOTH)


def taking_back(studio: Studio) -> None:
    """A payment that was only registered in Bokio can be taken back."""
    builder = books.company(0)
    invoice = Invoice.objects.filter(connection=builder).get(
        lines__quantity="24", lines__unit_price="980"
    )
    studio.stack.sandbox.pay_invoice(
        str(builder.company_id),
        invoice.remote_id,
        "5000",
        date=clock.today().isoformat(),
        account=1930,
    )
    with studio.window() as walk:
        walk.go(f"/invoices/{invoice.pk}/")
        walk.page.locator("form[action$='/refresh/'] button").click()
        back = walk.page.locator("a[href*='/take-back/']", has_text="Ta tillbaka")
        walk.reload_until(back)
        back.click()
        walk.page.wait_for_url("**/take-back/")
        studio.take(walk.page, "take-back")
    books.wait_for_all()


def crediting(studio: Studio) -> None:
    """A part of an invoice is credited; the credit note, and the list of them."""
    invoice = Invoice.objects.filter(connection=books.company(0)).get(lines__quantity="61.5")
    with studio.window() as walk:
        walk.go(f"/invoices/{invoice.pk}/credit/")
        walk.page.locator("table.credit-lines input").first.fill("12")
        expect(walk.page.locator("#credit-button")).to_contain_text("9\u00a0600,00")
        expect(walk.page.locator("#effect .entry")).to_contain_text("9\u00a0600,00")
        studio.take(walk.page, "credit")
        walk.page.keyboard.press("Control+Enter")
        walk.page.wait_for_url("**/invoices/*-*/")
        books.wait_for_all()
        walk.page.reload()
        walk.page.locator(".open-rows a[href*='/credit-notes/']").first.click()
        walk.page.wait_for_url("**/credit-notes/*/")
        expect(walk.page.locator("#pdf-shown")).to_be_visible()
        studio.take(walk.page, "credit-note")
        walk.go("/credit-notes/")
        studio.take(walk.page, "credit-notes")


def registers(studio: Studio) -> None:
    """Customers and items: lists, one of each, and their forms."""
    builder = books.company(0)
    credited = Invoice.objects.filter(connection=builder).get(lines__quantity="61.5")
    with studio.window() as walk:
        walk.go("/customers/")
        studio.take(walk.page, "customers")
        walk.go(f"/customers/{credited.customer_id}/")
        studio.take(walk.page, "customer")
        walk.page.keyboard.press("e")
        walk.page.wait_for_url("**/edit/")
        studio.take(walk.page, "customer-form")
        allow_items(walk)
        for text, price in (("Byggledning", "850"), ("Målning", "590"), ("Spackling", "560")):
            walk.go(f"/items/company/{builder.pk}/new/")
            walk.page.locator("[name=description]").fill(text)
            walk.page.locator("[name=unit]").select_option("hour")
            walk.page.locator("[name=unit_price]").fill(price)
            if text == "Byggledning":
                studio.take(walk.page, "item-form")
            walk.page.keyboard.press("Control+Enter")
            walk.page.wait_for_url(lambda url: not url.endswith("/new/"))
            books.wait_for_all()
        walk.go(f"/items/company/{builder.pk}/")
        studio.take(walk.page, "items")


def allow_items(walk: Walk) -> None:
    """Have the company allow the register of items too."""
    builder = books.company(0)
    address = f"{walk.app_url}/companies/{builder.pk}/more/?scope=items:write"
    shown = submit(walk.context, walk.context.request.get(address), "feature")
    if person := MAJA.search(shown.text()):
        shown = submit(walk.context, shown, person=person[1])
    submit(walk.context, shown, decision="allow", company=str(builder.company_id))
    books.wait_for_all()


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
        walk.page.locator(".next-step.needs a.primary").click()
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
        expect(walk.page.locator("#run h1")).to_be_visible()
        studio.take(walk.page, "runs")
        walk.go(f"/runs/{flow.public_id}/")
        expect(walk.page.locator("#runs .run-link").first).to_be_visible()
        studio.take(walk.page, "run-needs-you", themes=BOTH, tall=1000)
    with studio.phone() as walk:
        walk.go(f"/runs/{flow.public_id}/")
        studio.take(walk.page, "run-needs-you-phone")


def listing(studio: Studio) -> None:
    """The list of invoices: filters, a saved view, selected rows, the keys, no hits."""
    builder = books.company(0)
    with studio.window() as walk:
        page = walk.page
        walk.go("/invoices/")
        page.keyboard.press("f")
        page.locator("[name=least]").fill("10000")
        page.keyboard.press("Tab")
        expect(page.locator(".chip.set").first).to_be_visible()
        studio.take(page, "invoices-filter")
        page.keyboard.press("Escape")
        page.locator(".list-tools a", has_text="Spara vy").click()
        page.locator("[name=name]").fill("Över tio tusen")
        studio.take(page, "view-form")
        page.locator("#view-form .primary").click()
        expect(page.locator(".views a[aria-current] .count")).to_be_visible()
        page.keyboard.press("j")
        page.keyboard.press("Space")
        for _row in range(2):
            page.keyboard.press("Shift+ArrowDown")
        expect(page.locator("#bulk [data-count]")).to_have_text("3")
        studio.take(page, "invoices-selected")
        page.keyboard.press("Escape")
        page.locator("[data-dialog=keys]").click()
        studio.take(page, "keys")
        walk.go(f"/invoices/company/{builder.pk}/")
        expect(page.locator("#list-sums")).to_contain_text("Totalt")
        studio.take(page, "invoices-company")
        walk.go("/invoices/?q=ingenting")
        studio.take(page, "invoices-empty")


def overview(studio: Studio) -> None:
    """The pages that gather: start, payments of a week, companies, one company, invoices."""
    with studio.window() as walk:
        walk.go("/")
        expect(walk.page.locator("#weeks svg")).to_be_visible()
        studio.take(walk.page, "start", themes=BOTH)
        for path, name in (
            (f"/received/?week={monday().isoformat()}", "received"),
            ("/companies/", "companies"),
            (f"/companies/{books.company(0).pk}/", "company"),
            ("/admin/", "admin"),
        ):
            walk.go(path)
            studio.take(walk.page, name)
        go_to_invoices(walk)
        studio.take(walk.page, "invoices", themes=BOTH)
    with studio.phone() as walk:
        walk.go("/")
        studio.take(walk.page, "start-phone", themes=BOTH)
        go_to_invoices(walk)
        studio.take(walk.page, "invoices-phone")


def go_to_invoices(walk: Walk) -> None:
    """The list of all companies, once its sums and counts have come."""
    walk.go("/invoices/")
    expect(walk.page.locator("#list-sums")).to_contain_text("Totalt")
    expect(walk.page.locator(".views .count").first).to_be_visible()


def monday() -> date:
    """The beginning of this week."""
    return clock.today() - timedelta(days=clock.today().weekday())


SCENES: list[Callable[[Studio], None]] = [
    connecting,
    history,
    editor,
    sending,
    paying,
    taking_back,
    crediting,
    refused,
    stuck,
    registers,
    listing,
    overview,
]
