"""The list of invoices: what is found, in which order, added up, kept and sent as a file."""

import csv
import io
import uuid
from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import translation

from bokio_app.core import clock
from bokio_app.invoicing.listing.asked import read_amount
from bokio_app.invoicing.listing.kept import ListSettings, SavedView
from bokio_app.invoicing.listing.order import SORTS
from bokio_app.invoicing.listing.saved import MOST_VIEWS
from bokio_app.tenants.models import Member
from tests.support import make

pytestmark = pytest.mark.django_db

URL = "/invoices/"
PART = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


@pytest.fixture
def tenant():
    return make.tenant()


@pytest.fixture
def page(client, tenant):
    client.force_login(make.member(tenant))
    client.cookies["bokio_app_language"] = "en"
    return client


@pytest.fixture
def colleague(client_class, tenant):
    other = client_class()
    other.force_login(make.member(tenant))
    return other


@pytest.fixture
def client_class(client):
    return type(client)


@pytest.fixture
def company(tenant):
    return make.connection(tenant)


def sent(company, amount="1250.00", **fields):
    """A published invoice of so much, with nothing paid."""
    total = Decimal(amount)
    return make.invoice(
        company, **({"status": "published", "total": total, "open_amount": total} | fields)
    )


def found(page, url=URL, **query):
    """The invoices on the page, in their order."""
    answer = page.get(url, query, follow=True)
    assert answer.status_code == 200
    return [row.invoice for row in answer.context["page"].rows]


def text(answer):
    return answer.content.decode()


def rows_of(answer):
    body = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(body)))


class TestSearch:
    @pytest.mark.parametrize(
        "typed",
        ["10427", "1042788", "holmgården", "Lina", "LINA", "12 500,00", "12500", "12.500,00"],
    )
    def test_one_field_finds_number_reference_customer_and_amount(self, page, company, typed):
        customer = make.customer(company, name="Brf Holmgårdens Samfällighet")
        wanted = sent(
            company,
            "12500.00",
            customer=customer,
            number="10427",
            ocr="104278801",
            your_reference="Lina Åkesson",
        )
        sent(company, "99.00", number="77", ocr="7788", your_reference="")

        assert found(page, q=typed) == [wanted]

    def test_whole_kronor_find_any_ore_and_written_ore_only_themselves(self, page, company):
        odd = sent(company, "12500.40")

        assert found(page, q="12500") == [odd]
        assert found(page, q="12500,00") == []
        assert found(page, q="12500,40") == [odd]

    def test_what_is_still_open_is_found_too(self, page, company):
        partly = sent(company, "8000.00", open_amount=Decimal("7123.45"))

        assert found(page, q="7 123,45") == [partly]

    def test_customers_beyond_those_named_one_by_one_are_found_as_well(
        self, page, company, monkeypatch
    ):
        monkeypatch.setattr("bokio_app.invoicing.listing.matching.NAMED", 0)
        mine = sent(company)

        assert found(page, q=mine.customer.name[:8].lower()) == [mine]

    def test_while_one_types_only_the_changed_part_is_sent_and_the_address_follows(
        self, page, company
    ):
        sent(company, number="555")

        answer = page.get(URL, {"q": "555"}, headers=PART)

        assert "<html" not in text(answer)
        assert text(answer).lstrip().startswith('<div id="list"')
        assert answer["HX-Replace-Url"] == "/invoices/?q=555"
        assert "HX-Request" in answer["Vary"]

    @pytest.mark.parametrize(
        "typed, amount",
        [("12 500,00", "12500"), ("12,500.00", "12500"), ("−3,5", "-3.5"), ("0", "0")],
    )
    def test_amounts_are_read_as_people_type_and_paste_them(self, typed, amount):
        assert read_amount(typed) == Decimal(amount)

    @pytest.mark.parametrize("typed", ["", "tolv", "1.2.3,4,5", "1,234", "1e30", "NaN"])
    def test_what_is_no_amount_of_money_is_refused(self, typed):
        with pytest.raises(ValueError, match=r"\w"):
            read_amount(typed)


class TestFilters:
    @pytest.fixture
    def made(self, company):
        """One invoice in each state."""
        today, paid = clock.today(), {"open_amount": Decimal(0)}
        late = today - timedelta(days=12)
        recorded = {"journal_entry_id": str(uuid.uuid4())}
        return {
            "draft": make.invoice(company),
            "published": sent(company),
            "recorded": sent(company, **recorded),
            "part-paid": sent(company, open_amount=Decimal(50), **recorded),
            "paid": sent(company, **paid, **recorded),
            "overdue": sent(company, due_date=late, **recorded),
            "credited": sent(company, **paid | {"status": "credited"}),
        }

    @pytest.mark.parametrize(
        "query, names",
        [
            ({"state": "draft"}, {"draft"}),
            ({"state": "published"}, {"published"}),
            ({"state": "recorded"}, {"recorded", "part-paid", "overdue"}),
            ({"state": "part-paid"}, {"part-paid"}),
            ({"state": "paid"}, {"paid"}),
            ({"state": "overdue"}, {"overdue"}),
            ({"state": "credited"}, {"credited"}),
            ({"state": ["draft", "paid"]}, {"draft", "paid"}),
            ({"recorded": "no"}, {"published", "credited"}),
            ({"open": "yes"}, {"published", "recorded", "part-paid", "overdue"}),
            ({"open": "no"}, {"paid", "credited"}),
            ({"view": "overdue", "recorded": "yes"}, {"overdue"}),
            ({"view": "draft", "open": "yes"}, set()),
            ({"view": "unrecorded"}, {"published", "credited"}),
            ({"left": "draft"}, set()),
        ],
    )
    def test_states_and_facts_narrow_the_list(self, page, made, query, names):
        assert set(found(page, **query)) == {made[name] for name in names}

    def test_days_and_amounts_are_both_included(self, page, company):
        day = clock.today() - timedelta(days=40)
        mine = sent(company, "500.00", invoice_date=day, due_date=day + timedelta(days=30))
        exact = {"since": day, "until": day, "due_since": mine.due_date, "due_until": mine.due_date}

        assert found(page, **exact, least="500", most="500,00") == [mine]
        for missed in (
            {"since": day + timedelta(days=1)},
            {"until": day - timedelta(days=1)},
            {"due_since": mine.due_date + timedelta(days=1)},
            {"due_until": mine.due_date - timedelta(days=1)},
            {"least": "500,01"},
            {"most": "499,99"},
        ):
            assert found(page, **missed) == [], missed

    def test_currency_and_customer_narrow_the_list(self, page, company):
        euro, crowns = sent(company, currency="EUR"), sent(company)

        assert found(page, currency="eur") == [euro]
        assert found(page, customer=str(crowns.customer.pk)) == [crowns]

    def test_each_set_filter_is_a_chip_that_takes_only_itself_away(self, page, company):
        sent(company)

        context = page.get(
            f"{URL}?q=x&state=paid&state=draft&least=100&recorded=yes&sort=total"
        ).context

        urls = {chip.label: chip.url for chip in context["chips"]}
        assert len(context["chips"]) == 4
        assert urls["Total from"] == "/invoices/?q=x&state=draft&state=paid&recorded=yes&sort=total"
        assert urls["Status"] == "/invoices/?q=x&state=draft&least=100&recorded=yes&sort=total"

    def test_a_day_that_is_none_is_said_and_stays_as_typed(self, page, company):
        mine = sent(company)

        answer = page.get(URL, {"since": "32 nov"})

        assert "“32 nov” is neither a date" in text(answer)
        assert 'value="32 nov"' in text(answer)
        assert [row.invoice for row in answer.context["page"].rows] == [mine]

    @pytest.mark.parametrize(
        "query", ["after=nonsense", "view=x", "company=x", "customer=x", "sort=x", "saved=x"]
    )
    def test_an_address_that_makes_no_sense_shows_the_whole_list(self, page, company, query):
        mine = sent(company)

        assert found(page, f"{URL}?{query}") == [mine]


class TestCompanies:
    def test_the_company_stands_in_the_path_of_the_address(self, page, tenant, company):
        other = make.connection(tenant)
        mine, _theirs = sent(company), sent(other)

        answer = page.get(URL, {"company": str(company.pk), "view": "open"})

        assert answer["Location"] == f"/invoices/company/{company.pk}/?view=open"
        assert found(page, answer["Location"]) == [mine]

    def test_another_workspaces_company_is_not_found(self, page):
        theirs = make.connection()

        for name in ("company_list", "company_sums", "company_tabs", "company_export"):
            assert page.get(reverse(f"invoicing:{name}", args=[theirs.pk])).status_code == 404
        assert page.get(URL, {"company": str(theirs.pk)}).status_code == 404

    def test_of_many_companies_one_is_typed_and_the_text_decides(self, page, tenant, company):
        """Without script the id that was picked before is sent along with the new text."""
        almgren, bergdal = (make.connection(tenant, name=name) for name in ("Almgren", "Bergdal"))
        for _ in range(12):
            make.connection(tenant)
        mine, theirs = sent(company), sent(bergdal)

        assert 'name="company_text"' in text(page.get(URL))
        assert found(page, company_text="bergd") == [theirs]
        assert found(page, company_text="Bergdal", company=str(almgren.pk)) == [theirs]
        assert set(found(page, company_text="", company=str(almgren.pk))) == {mine, theirs}
        assert found(page, company_text="Nobody", company="") == []


class TestOrder:
    @pytest.mark.parametrize("amount", ["NaN", "sNaN", "Infinity", "1E+999", "x"])
    @pytest.mark.parametrize("sort", ["-total", "open"])
    def test_a_place_at_no_amount_is_no_place(self, page, company, sort, amount):
        mine = sent(company)

        assert found(page, sort=sort, after=f"{mine.pk}~{amount}") == [mine]

    def test_a_place_before_all_time_is_no_place(self, page, company):
        mine = sent(company)

        assert found(page, after=f"{mine.pk}~0001-01-01T00:00:00+14:00") == [mine]

    @pytest.fixture
    def made(self, tenant, monkeypatch):
        """Rows of one company, with equal and with missing values, on pages of two."""
        monkeypatch.setattr("bokio_app.invoicing.listing.rows.PAGE", 2)
        today, company = clock.today(), make.connection(tenant)
        rows = [("9", 2, 5), ("10", 1, None), ("100", 2, 5), ("101", 3, 1), ("102", 2, 3)]
        made = [
            sent(
                company,
                f"{amount}00.00",
                number=number,
                invoice_date=today - timedelta(days=amount),
                due_date=today + timedelta(days=days) if days else None,
            )
            for number, amount, days in rows
        ]
        return [*made, make.invoice(company, customer=None)]

    @pytest.mark.parametrize("sign", ["", "-"])
    @pytest.mark.parametrize("sort", SORTS)
    def test_every_order_goes_on_where_the_page_ended(self, page, made, sort, sign):
        url = f"{URL}company/{made[0].connection_id}/?sort={sign}{sort}"
        seen = []
        while url:
            context = page.get(url, headers=PART).context
            seen += [row.invoice for row in context["page"].rows]
            url = context["next_url"]
            assert len(seen) <= len(made)

        assert len(seen) == len(set(seen)) == len(made)

    def test_numbers_are_ordered_as_numbers(self, page, made, monkeypatch):
        monkeypatch.setattr("bokio_app.invoicing.listing.rows.PAGE", 100)

        numbers = [each.number for each in found(page, sort="number")]

        assert numbers == ["", "9", "10", "100", "101", "102"]

    def test_the_head_of_the_ordered_column_tells_and_turns_the_order(self, page, company):
        sent(company)

        heads = {head.label: head for head in page.get(URL, {"sort": "-total"}).context["heads"]}

        assert heads["Total, SEK"].direction == "descending"
        assert heads["Total, SEK"].url == "/invoices/?sort=total"
        assert heads["Customer"].url == heads["Customer"].direction == ""
        one = page.get(f"{URL}company/{company.pk}/").context["heads"]
        assert next(head.url for head in one if head.label == "Customer").endswith("?sort=customer")

    def test_a_row_that_is_added_meanwhile_is_not_shown_twice_and_hides_none(
        self, page, company, monkeypatch
    ):
        monkeypatch.setattr("bokio_app.invoicing.listing.rows.PAGE", 2)
        made = [sent(company) for _ in range(4)]
        first = page.get(URL).context

        sent(company)
        after = [row.invoice for row in page.get(first["next_url"]).context["page"].rows]

        assert after == [made[1], made[0]]


class TestSums:
    def test_each_currency_is_added_by_itself_and_drafts_owe_nothing(self, page, tenant, company):
        sent(company, "100.10")
        sent(company, "200.20", open_amount=Decimal("50.05"))
        sent(make.connection(tenant), "10.00", currency="EUR")
        make.invoice(company, total=Decimal("1000.00"), open_amount=Decimal("1000.00"))

        sums = page.get(reverse("invoicing:sums")).context["sums"]

        assert (sums.count, sums.companies) == (4, 2)
        assert [(each.currency, each.total, each.open_amount) for each in sums.amounts] == [
            ("SEK", Decimal("1300.30"), Decimal("150.15")),
            ("EUR", Decimal("10.00"), Decimal("10.00")),
        ]

    def test_they_are_those_of_the_same_filter(self, page, company):
        sent(company, "100.00")
        sent(company, "900.00")

        context = page.get(URL, {"least": "500"}).context
        sums = page.get(context["sums_url"]).context["sums"]

        assert sums.count == len(context["page"].rows) == 1

    def test_without_script_they_are_on_the_page_when_asked_for(self, page, company):
        sent(company, "4321.00")

        assert "4,321.00" in text(page.get(URL, {"sums": "1"})).split('id="list-sums"')[1]

    def test_views_tell_how_many_they_hold(self, page, company):
        make.invoice(company)
        sent(company)

        tabs = page.get(reverse("invoicing:tabs")).context["tabs"]

        assert [count for _label, _url, _current, count in tabs] == [2, 1, 1, 1, 0, 0]

    def test_without_script_the_server_adds_up_the_selected(self, page, company):
        mine, _other = sent(company, "75.00"), sent(company)
        theirs = sent(make.connection())

        answer = page.post(
            f"{reverse('invoicing:selection')}?view=open",
            {"invoice": [mine.pk, theirs.pk, "nonsense"], "sums": "1"},
            follow=True,
        )

        assert answer.context["picked_sums"].amounts[0].total == Decimal("75.00")
        assert answer.context["picked_sums"].count == 1
        picked = text(answer).split("data-rows")[1].split("</tbody>")[0]
        assert picked.count(" checked>") == 1


class TestFiles:
    def test_the_filter_is_sent_with_the_columns_and_order_of_the_page(self, page, company):
        small, large = sent(company, "10.50"), sent(company, "2000.00", currency="EUR")
        make.invoice(company)

        rows = rows_of(page.get(reverse("invoicing:export"), {"view": "open", "sort": "-total"}))

        assert [row["No."] for row in rows] == [large.number, small.number]
        assert (rows[0]["Total, SEK"], rows[0]["Currency"]) == ("2000.00", "EUR")
        assert rows[0]["Invoice date"] == large.invoice_date.isoformat()
        assert "OCR" not in rows[0]

    def test_the_selected_alone_are_sent_and_never_anybody_elses(self, page, company):
        mine, _other, theirs = sent(company), sent(company), sent(make.connection())

        rows = rows_of(page.post(reverse("invoicing:selection"), {"invoice": [mine.pk, theirs.pk]}))

        assert [row["No."] for row in rows] == [mine.number]

    def test_a_negative_open_amount_is_a_number_in_the_file(self, page, company):
        sent(company, "100.00", open_amount=Decimal("-500.00"))

        [row] = rows_of(page.get(reverse("invoicing:export")))

        assert "-500.00" in row.values()

    def test_no_cell_becomes_a_formula(self, page, company):
        sent(company, customer=make.customer(company, name="=HYPERLINK(1)"))

        assert rows_of(page.get(reverse("invoicing:export")))[0]["Customer"] == "'=HYPERLINK(1)"


class TestLook:
    def test_columns_and_row_height_are_kept_for_the_member_alone(self, page, colleague, company):
        sent(company, ocr="7777717")

        answer = page.post(
            f"{reverse('invoicing:settings')}?view=open", {"column": ["ocr"], "height": "tight"}
        )

        assert answer["Location"] == "/invoices/?view=open"
        mine, theirs = text(page.get(URL)), text(colleague.get(URL))
        assert "7777717" in mine
        assert 'data-density="tight"' in mine
        assert "7777717" not in theirs
        assert 'data-density="normal"' in theirs

    def test_what_no_page_offers_is_not_kept(self, page, company):
        page.post(reverse("invoicing:settings"), {"column": ["ocr", "secret"], "height": "huge"})

        kept = ListSettings.objects.get()
        assert (kept.columns, kept.height) == (["ocr"], "normal")


def test_what_bokio_has_no_longer_is_in_sight_and_not_owed(page, company):
    due = clock.today() - timedelta(days=5)
    owed = sent(company, due_date=due)
    lost = sent(company, due_date=due, gone_at=clock.now())

    assert found(page, view="open") == found(page, view="overdue") == [owed]
    assert set(found(page)) == {owed, lost}


class TestSavedViews:
    def save(self, page, query="?view=overdue&least=100", **fields):
        form = {"name": "Stora sena", "request_key": str(uuid.uuid4())} | fields
        return page.post(f"{reverse('invoicing:save_view')}{query}", form)

    def names(self, page):
        return [label for label, *_rest in page.get(reverse("invoicing:tabs")).context["tabs"][6:]]

    def test_a_filter_is_saved_by_name_and_shown_again(self, page, company):
        late = clock.today() - timedelta(days=2)
        big = sent(company, "500.00", due_date=late)
        sent(company, "50.00", due_date=late)

        answer = self.save(page)

        view = SavedView.objects.get()
        assert answer["Location"] == f"/invoices/?view=overdue&least=100&saved={view.pk}"
        assert found(page, answer["Location"]) == [big]
        shown = page.get(reverse("invoicing:tabs"), {"saved": view.pk}).context["tabs"]
        assert shown[6][3] == 1

    def test_of_saved_views_the_current_alone_is_counted(self, page):
        self.save(page)
        self.save(page, name="Another")
        last = SavedView.objects.latest("pk")

        tabs = page.get(reverse("invoicing:tabs"), {"saved": last.pk}).context["tabs"]

        assert sorted(count is None for *_rest, count in tabs[6:]) == [False, True]
        assert all(count is not None for *_rest, count in tabs[:6])

    def test_no_more_are_saved_than_fit_and_the_form_says_so(self, page, tenant):
        for at in range(MOST_VIEWS - 1):
            SavedView.objects.create(tenant=tenant, name=f"View {at}", query="")
        key = str(uuid.uuid4())

        last, sent_again, refused = (
            self.save(page, request_key=key),
            self.save(page, request_key=key),
            self.save(page, name="One too many"),
        )

        assert [last.status_code, sent_again.status_code, refused.status_code] == [302, 302, 422]
        assert SavedView.objects.count() == MOST_VIEWS
        assert "One too many" in text(refused)
        assert str(MOST_VIEWS) in text(refused)

    def test_the_same_form_sent_twice_saves_one_view(self, page):
        key = str(uuid.uuid4())

        for _ in range(2):
            assert self.save(page, request_key=key).status_code == 302

        assert SavedView.objects.count() == 1

    def test_what_was_typed_comes_back_from_a_form_that_lacks_the_name(self, page):
        answer = self.save(page, name="", is_shared="on")

        assert answer.status_code == 422
        assert 'name="is_shared" ' in text(answer)
        assert answer.context["form"]["is_shared"].value()
        assert SavedView.objects.count() == 0

    def test_a_colleague_sees_what_is_shared_and_nothing_else(self, page, colleague):
        self.save(page, name="Min egen")
        self.save(page, name="Vår", is_shared="on")

        assert self.names(page) == ["Min egen", "Vår"]
        assert self.names(colleague) == ["Vår"]
        own = SavedView.objects.get(name="Min egen")
        edit = reverse("invoicing:edit_view", args=[own.pk])
        assert colleague.get(edit).status_code == 404
        assert colleague.post(edit, {"action": "delete"}).status_code == 404

    def test_a_shared_view_of_a_company_is_hidden_from_who_may_not_see_it(
        self, page, colleague, tenant, company
    ):
        save = reverse("invoicing:company_save_view", args=[company.pk])
        form = {"name": "Bolagets", "request_key": str(uuid.uuid4()), "is_shared": "on"}
        page.post(save, form)
        assert self.names(colleague) == ["Bolagets"]

        Member.objects.order_by("pk").filter(tenant=tenant).update(sees_all=False)

        assert self.names(colleague) == []

    def test_it_can_be_renamed_shared_and_deleted(self, page, colleague):
        self.save(page)
        view = SavedView.objects.get()
        edit = reverse("invoicing:edit_view", args=[view.pk])
        key = {"request_key": str(uuid.uuid4())}

        page.post(edit, {"name": "Nytt namn", "is_shared": "on"} | key)
        assert self.names(colleague) == ["Nytt namn"]

        page.post(edit, {"action": "delete"})
        assert SavedView.objects.count() == 0

    def test_the_default_view_is_shown_when_nothing_is_asked_for(self, page, colleague):
        answer = self.save(page, is_default="on", is_shared="on")

        assert page.get(URL)["Location"] == answer["Location"]
        assert colleague.get(URL).status_code == 200
        assert page.get(URL, {"view": "all"}).status_code == 200

    def test_a_view_taken_back_is_nobody_elses_default(self, page, colleague):
        self.save(page, is_shared="on")
        edit = reverse("invoicing:edit_view", args=[SavedView.objects.get().pk])
        key = {"request_key": str(uuid.uuid4())}
        colleague.post(edit, {"name": "Vår", "is_shared": "on", "is_default": "on"} | key)

        page.post(edit, {"name": "Min"} | key)

        assert colleague.get(URL).status_code == 200
        assert self.names(colleague) == []

    def test_a_changed_filter_can_be_kept_in_the_view(self, page, company):
        sent(company)
        self.save(page)
        pk = SavedView.objects.get().pk
        changed = page.get(URL, {"view": "open", "saved": pk}).context
        assert changed["is_changed"]

        page.post(changed["keep_url"])

        assert SavedView.objects.get().query == "view=open"
        assert not page.get(URL, {"view": "open", "saved": pk}).context["is_changed"]

    def test_columns_of_a_view_are_its_own(self, page, company):
        sent(company, ocr="7777717")
        self.save(page, query="?view=open")
        pk = SavedView.objects.get().pk

        page.post(f"{reverse('invoicing:settings')}?view=open&saved={pk}", {"column": ["ocr"]})

        assert "7777717" in text(page.get(URL, {"view": "open", "saved": pk}))
        assert "7777717" not in text(page.get(URL, {"view": "open"}))


class TestEmpty:
    def test_nothing_yet_no_hits_and_all_done_say_different_things(self, page, company):
        assert "No invoices yet" in text(page.get(URL))
        assert "No hits for “holm”" in text(page.get(URL, {"q": "holm"}))
        assert "No invoice fits" in text(page.get(URL, {"least": "1"}))
        assert "Nothing left to do here" in text(page.get(URL, {"view": "unrecorded"}))

    def test_without_a_company_the_first_one_is_asked_for(self, page):
        assert "No company yet" in text(page.get(URL))


class TestQueries:
    @pytest.mark.parametrize("headers", [{}, PART])
    def test_their_number_does_not_grow_with_rows_companies_and_views(
        self, page, tenant, headers, django_assert_max_num_queries
    ):
        for at in range(15):
            company = make.connection(tenant)
            sent(company, journal_entry_id=str(uuid.uuid4()))
            make.invoice(company)
            SavedView.objects.create(tenant=tenant, name=f"View {at}", query="q=12&left=draft")

        with django_assert_max_num_queries(12):
            page.get(URL, {"q": "1", "state": ["draft", "overdue"]}, headers=headers)
        with django_assert_max_num_queries(6):
            page.get(reverse("invoicing:sums"))

    def test_counting_the_views_is_one_query_beside_the_names_of_customers(
        self, page, tenant, company, django_assert_max_num_queries
    ):
        for at in range(15):
            SavedView.objects.create(
                tenant=tenant, name=f"View {at}", query="state=paid&left=draft"
            )

        with django_assert_max_num_queries(5):
            page.get(reverse("invoicing:tabs"))
