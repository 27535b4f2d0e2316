"""Amounts, dates, states and fields, as they come out on a page."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import time_machine
from django import forms
from django.template import Context, Template, TemplateSyntaxError
from django.utils import translation

from bokio_app.core import formats

NOON = datetime(2026, 11, 20, 11, 0, tzinfo=UTC)


def render(source, **context):
    return Template(source).render(Context(context))


class Terms(forms.Form):
    due = forms.IntegerField(label="Due", help_text="Days")
    note = forms.CharField(label="Note", required=False)


@pytest.mark.parametrize(
    "amount,currency,swedish,english",
    [
        ("1234567.5", "", "1\u00a0234\u00a0567,50", "1,234,567.50"),
        ("0", "", "0,00", "0.00"),
        ("-6250", "", "\u22126\u00a0250,00", "\u22126,250.00"),
        ("-0.004", "", "0,00", "0.00"),
        ("0.005", "", "0,01", "0.01"),
        ("12500", "SEK", "12\u00a0500,00\u00a0kr", "SEK\u00a012,500.00"),
        ("12500", "EUR", "12\u00a0500,00\u00a0EUR", "EUR\u00a012,500.00"),
    ],
)
def test_an_amount_is_written_as_the_language_writes_it(amount, currency, swedish, english):
    with translation.override("sv"):
        assert formats.money(Decimal(amount), currency) == swedish
    with translation.override("en"):
        assert formats.money(Decimal(amount), currency) == english


def test_no_amount_is_a_dash_and_a_float_is_refused():
    assert formats.money(None) == "–"
    with pytest.raises(TypeError, match="float"):
        formats.money(1.1)


@pytest.mark.parametrize(
    "value,swedish,english",
    [("6.50", "6,5", "6.5"), ("1240", "1\u00a0240", "1,240"), ("100", "100", "100")],
)
def test_a_quantity_shows_the_decimals_it_has(value, swedish, english):
    with translation.override("sv"):
        assert formats.number(Decimal(value)) == swedish
    with translation.override("en"):
        assert formats.number(Decimal(value)) == english


def test_a_rate_has_its_sign_where_the_language_wants_it():
    with translation.override("sv"):
        assert formats.percent(25) == "25\u00a0%"
    with translation.override("en"):
        assert formats.percent(Decimal("12.00")) == "12%"


@pytest.mark.parametrize("language", ["sv", "en"])
def test_a_day_is_the_day_in_stockholm_in_both_languages(language):
    late = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    with translation.override(language):
        assert ">2026-11-21<" in formats.day(late)
        assert ">2026-11-20<" in formats.day(date(2026, 11, 20))
        assert formats.day(None) == "–"


@pytest.mark.parametrize(
    "style,text",
    [
        ("log", "11-20 12:00"),
        ("time", "12:00"),
        ("seconds", "12:00:00"),
        ("full", "2026-11-20 12:00"),
        ("near", "12:00"),
    ],
)
def test_a_moment_is_told_in_stockholm_time(style, text):
    with time_machine.travel(NOON, tick=False):
        shown = formats.moment(NOON, style)

    assert f">{text}<" in shown
    assert 'datetime="2026-11-20T12:00:00+01:00"' in shown


def test_a_moment_long_ago_says_its_year():
    with time_machine.travel(NOON, tick=False):
        assert ">2025-06-01 14:00<" in formats.moment(datetime(2025, 6, 1, 12, tzinfo=UTC))
        assert ">11-19 12:00<" in formats.moment(datetime(2026, 11, 19, 11, tzinfo=UTC), "near")


@pytest.mark.parametrize(
    "name,letters",
    [("Maja Lindqvist", "ML"), ("demo@example.com", "DE"), ("Åsa", "Å"), ("", "")],
)
def test_initials_are_at_most_two(name, letters):
    assert formats.initials(name) == letters


def test_a_state_is_never_told_by_colour_alone():
    shown = render(
        '{% glyph "overdue" word="Late" detail="12 days" %}{% badge "paid" word="Paid" %}'
    )

    assert "Late" in shown
    assert "12 days" in shown
    assert 'icons.svg#g-overdue"' in shown
    assert 'icons.svg#g-paid"' in shown


def test_a_state_that_does_not_exist_is_a_mistake_in_the_template():
    with pytest.raises(TemplateSyntaxError, match="'posted' is no state"):
        render('{% glyph "posted" %}')


def test_what_people_typed_cannot_become_markup():
    evil = '"><script>alert(1)</script>'

    shown = render(
        "{% glyph 'paid' word=evil detail=evil %}{% badge 'paid' word=evil %}"
        "{% button evil href=evil data_x=evil %}{% icon 'x' label=evil %}"
        "{% panel evil note=evil total=evil %}{% endpanel %}"
        "{% note 'warn' %}{{ evil }}{% endnote %}"
        "{% next_step evil effect=evil %}{% endnext_step %}{% empty evil %}{% endempty %}",
        evil=evil,
    )

    assert "<script" not in shown


def test_a_button_is_a_link_only_when_it_leads_somewhere():
    assert "<a " in render('{% button "Open" href="/x" %}')
    off = render('{% button "Record" "primary" key="Ctrl Enter" hx_post="/x" off=True %}')
    assert "<button " in off
    assert " disabled" in off
    assert 'hx-post="/x"' in off
    assert 'data-key="Ctrl Enter"' in off


def test_a_button_with_an_icon_alone_still_has_its_name():
    assert 'aria-label="More"' in render('{% button "More" icon="ellipsis" bare=True %}')


def test_a_field_ties_its_hint_to_the_input():
    shown = render("{% field form.due %}", form=Terms())

    assert '<label for="id_due">Due</label>' in shown
    assert 'aria-describedby="id_due_hint"' in shown
    assert 'id="id_due_hint">Days<' in shown


def test_an_error_takes_the_place_of_the_hint_and_is_tied_to_the_input():
    shown = render("{% field form.due %}", form=Terms({"due": "soon"}))

    assert 'aria-invalid="true"' in shown
    assert 'aria-describedby="id_due_error"' in shown
    assert 'id="id_due_error"' in shown
    assert "Days" not in shown


def test_a_field_loses_an_attribute_of_its_widget_and_gains_others():
    form = Terms()
    form.fields["note"].widget.attrs["placeholder"] = "A placeholder"

    page = render("{% field form.note placeholder=False hx_get='/somewhere/' %}", form=form)

    assert "A placeholder" not in page
    assert 'hx-get="/somewhere/"' in page


def test_the_list_of_errors_links_to_each_field_and_is_absent_without_errors():
    wrong = Terms({"due": "soon"})

    assert 'href="#id_due"' in render("{% error_summary form %}", form=wrong)
    assert "data-focus" in render("{% error_summary form %}", form=wrong)
    assert render("{% error_summary form %}", form=Terms({"due": "3"})).strip() == ""


def test_the_list_of_errors_covers_every_row_of_a_formset():
    rows = forms.formset_factory(Terms)(
        {
            "form-TOTAL_FORMS": "2",
            "form-INITIAL_FORMS": "0",
            "form-0-due": "3",
            "form-1-due": "soon",
        }
    )

    shown = render("{% error_summary rows %}", rows=rows)

    assert 'href="#id_form-1-due"' in shown
    assert "form-0-due" not in shown


def test_a_bar_of_progress_is_split_by_result_and_counts_first():
    shown = render("{% progress 40 done=10 running=20 needs=10 %}")

    assert shown.index("10") < shown.index("<svg")
    assert 'class="bar-ok" x="0.00" y="0" width="25.00"' in shown
    assert 'class="bar-running" x="25.00" y="0" width="50.00"' in shown
    assert 'class="bar-needs" x="75.00" y="0" width="25.00"' in shown


def test_keys_are_named_as_on_their_caps():
    assert "<kbd>Esc</kbd>" in render('{% keys "Escape" %}')
    assert "<kbd>Ctrl</kbd><kbd>S</kbd>" in render('{% keys "Ctrl s" %}')
