"""The components in a real browser, under the product's own content security policy."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from pytest_django.live_server_helper import LiveServer

from tests.support.walk import AXE

WIDTHS = (1280, 390)

pytestmark = [pytest.mark.journey, pytest.mark.urls("tests.look.urls")]


@pytest.fixture(scope="module")
def address():
    """The product over HTTP, as `live_server` serves it but without a database to empty."""
    server = LiveServer("127.0.0.1")
    yield server.url
    server.stop()


@pytest.fixture
def open_page(browser, address):
    """Opens a path in a fresh window and collects what the console complained about."""
    pages = []

    def open_page(path, *, width=1280, theme="light", language="en", script=True):
        context = browser.new_context(
            viewport={"width": width, "height": 844},
            java_script_enabled=script,
            reduced_motion="reduce",
        )
        context.add_cookies(
            [
                {"name": name, "value": value, "url": address}
                for name, value in (("theme", theme), ("bokio_app_language", language))
            ]
        )
        page = context.new_page()
        pages.append(page)
        page.complaints = []
        page.on(
            "console",
            lambda line: page.complaints.append(line.text) if line.type == "error" else None,
        )
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(address + path)
        return page

    yield open_page
    for page in pages:
        page.context.close()


def findings(page):
    """What axe calls serious or critical, one line each."""
    return [
        f"{violation['id']}: {node['html']}"
        for violation in Axe().run(page, options=AXE).response["violations"]
        if violation["impact"] in {"serious", "critical"}
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/gallery/", "/account/login/", "/broken/"])
def test_a_page_has_no_barriers_and_fits_its_window(open_page, path, theme, width):
    page = open_page(path, theme=theme, width=width)

    assert findings(page) == []
    assert page.complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("language,title", [("sv", "Logga in"), ("en", "Sign in")])
def test_the_sign_in_speaks_the_chosen_language(open_page, language, title):
    page = open_page("/account/login/", language=language)

    assert page.locator("h1").inner_text() == title
    assert page.locator("html").get_attribute("lang") == language


@pytest.mark.django_db(transaction=True)
def test_a_wrong_password_is_told_and_takes_the_focus(open_page):
    page = open_page("/account/login/")
    page.get_by_label("E-mail").fill("nobody@example.com")
    page.get_by_label("Password", exact=True).fill("not the one")

    page.get_by_role("button", name="Sign in").click()

    note = page.locator("#login-error")
    note.wait_for()
    assert note.evaluate("node => node === document.activeElement")
    assert page.get_by_label("E-mail").input_value() == "nobody@example.com"
    assert page.get_by_label("Password", exact=True).get_attribute("aria-invalid") == "true"


@pytest.mark.django_db(transaction=True)
def test_signing_in_is_refused_in_words_without_script_too(open_page):
    page = open_page("/account/login/", script=False)
    page.get_by_label("E-mail").fill("nobody@example.com")
    page.get_by_label("Password", exact=True).fill("not the one")

    page.get_by_role("button", name="Sign in").click()

    assert page.locator("#login-error").is_visible()
    assert page.get_by_role("button", name="Show the password").count() == 0


def test_the_eye_shows_the_password(open_page):
    page = open_page("/account/login/")
    field = page.get_by_label("Password", exact=True)
    field.fill("secret")

    page.get_by_role("button", name="Show the password").click()

    assert field.get_attribute("type") == "text"


def test_an_amount_is_formatted_when_one_leaves_the_field(open_page):
    page = open_page("/gallery/", language="sv")
    field = page.locator("#light_rest")

    for typed, shown in [
        ("1234567.5", "1\u00a0234\u00a0567,50"),
        ("-12,5", "\u221212,50"),
        ("1 000", "1\u00a0000,00"),
        ("about ten", "about ten"),
    ]:
        field.fill(typed)
        field.blur()
        assert field.input_value() == shown


def test_arrows_and_enter_pick_from_the_list(open_page):
    page = open_page("/gallery/")
    field = page.locator("#light_customer")
    field.focus()

    field.press("ArrowDown")
    field.press("ArrowDown")
    assert field.get_attribute("aria-activedescendant") == "light_customer_list_2"
    field.press("Enter")

    assert field.input_value() == "Bröderna Holm Bygg AB"
    assert field.get_attribute("aria-expanded") == "false"
    assert page.locator("#light_customer_list").is_hidden()


def test_both_themes_stand_side_by_side_in_the_gallery(open_page):
    page = open_page("/gallery/")
    backgrounds = page.locator(".gallery-side").evaluate_all(
        "nodes => nodes.map(node => getComputedStyle(node).backgroundColor)"
    )

    assert backgrounds == ["rgb(245, 246, 248)", "rgb(13, 17, 21)"]


def test_the_question_mark_lists_the_keys_of_the_page_and_escape_closes_it(open_page):
    page = open_page("/gallery/")

    page.keyboard.press("?")

    dialog = page.locator("dialog#keys")
    assert dialog.is_visible()
    assert "Ny faktura" in dialog.inner_text()
    assert "next and previous row" in dialog.inner_text()
    page.keyboard.press("Escape")
    assert dialog.is_hidden()


def test_a_letter_is_typed_and_not_obeyed_while_a_field_has_the_focus(open_page):
    page = open_page("/gallery/")
    page.locator("#light_accepted").focus()

    page.keyboard.press("?")

    assert page.locator("dialog#keys").is_hidden()


def test_j_and_k_walk_the_rows(open_page):
    page = open_page("/gallery/")
    focused = "document.activeElement.textContent"

    page.keyboard.press("j")
    assert page.evaluate(focused) == "Vila"
    page.keyboard.press("j")
    assert page.evaluate(focused) == "Hovrad"
    page.keyboard.press("k")
    assert page.evaluate(focused) == "Vila"


def test_single_letters_are_switched_off_and_on_again(open_page):
    page = open_page("/gallery/")
    dialog = page.locator("dialog#keys")
    page.keyboard.press("?")
    page.get_by_role("button", name="Switch single letters off").click()
    page.locator("body[data-keys=off]").wait_for()

    page.keyboard.press("?")
    assert dialog.is_hidden()

    page.locator("[data-dialog=keys]").first.click()
    page.get_by_role("button", name="Switch single letters on").click()
    page.locator("body:not([data-keys])").wait_for()
    page.keyboard.press("?")
    assert dialog.is_visible()


def test_the_appearance_changes_at_once_and_is_kept(open_page):
    page = open_page("/gallery/")
    dark = page.get_by_role("button", name="Dark")

    with page.expect_response("**/workspace/theme/"):
        dark.click()

    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert dark.get_attribute("aria-pressed") == "true"
    page.reload()
    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_the_appearance_changes_without_script_too(open_page):
    page = open_page("/gallery/", script=False)

    page.get_by_role("button", name="Dark").click()

    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert page.url.endswith("/gallery/")
