"""What every page is built of: amounts, dates, icons, status glyphs, buttons, fields and panels.

A builtin of the template engine, so pages use it without `{% load %}`. The components'
HTML is in `templates/components/`; `components/gallery.html` shows all of it in use.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import template
from django.forms import BaseForm, BaseFormSet, BoundField, CheckboxInput, Select, Textarea
from django.template import TemplateSyntaxError
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext_lazy

from bokio_app.core import formats

register = template.Library()

for written in (
    formats.money,
    formats.number,
    formats.percent,
    formats.day,
    formats.moment,
    formats.initials,
    formats.or_dash,
):
    register.filter(written.__name__, written)


@dataclass(frozen=True)
class State:
    """A state's word and how it looks: `glyph` is a symbol of icons.svg, `tone` its soft colour."""

    word: Any
    glyph: str
    tone: str = ""


STATES = {
    "draft": State(pgettext_lazy("state", "Draft"), "draft"),
    "published": State(pgettext_lazy("state", "Published"), "published", "accent"),
    "recorded": State(pgettext_lazy("state", "Recorded"), "recorded", "accent"),
    "part-paid": State(pgettext_lazy("state", "Part-paid"), "part-paid", "accent"),
    "paid": State(pgettext_lazy("state", "Paid"), "paid", "ok"),
    "overdue": State(pgettext_lazy("state", "Overdue"), "overdue", "bad"),
    "credited": State(pgettext_lazy("state", "Credited"), "credited"),
    "waiting": State(pgettext_lazy("state", "Waiting"), "waiting"),
    "running": State(pgettext_lazy("state", "Running"), "running", "accent"),
    "needs": State(pgettext_lazy("state", "Needs you"), "needs", "warn"),
    "stuck": State(pgettext_lazy("state", "Stopped"), "stuck", "bad"),
    "done": State(pgettext_lazy("state", "Done"), "paid", "ok"),
    "works": State(pgettext_lazy("state", "Works"), "paid", "ok"),
    "cancelled": State(pgettext_lazy("state", "Cancelled"), "cancelled"),
    "skipped": State(pgettext_lazy("state", "Skipped"), "skipped"),
    "bounced": State(pgettext_lazy("state", "Bounced"), "bounced", "bad"),
}


# --- Icons and states ----------------------------------------------------------------------
def symbol(name: str, css: str, label: str = "") -> SafeString:
    """An `<svg>` that draws one symbol of the sprite; named for screen readers when labelled."""
    named = format_html('role="img" aria-label="{}"', label) if label else 'aria-hidden="true"'
    href = f"{static('icons.svg')}#{name}"
    return format_html(
        '<svg class="{}" {} focusable="false"><use href="{}"/></svg>',
        css,
        SafeString(named),
        href,
    )


def known(state: str) -> State:
    try:
        return STATES[state]
    except KeyError:
        raise TemplateSyntaxError(f"{state!r} is no state; there are {', '.join(STATES)}") from None


@register.simple_tag
def icon(name: str, label: str = "", css: str = "") -> SafeString:
    """A Lucide icon; give `label` only where no word stands beside it."""
    return symbol(name, f"icon {css}".strip(), label)


@register.simple_tag
def mark(state: str, label: str = "", css: str = "") -> SafeString:
    """A state's glyph alone, beside a text that says the state."""
    shape = known(state).glyph
    return symbol(f"g-{shape}", f"glyph g-{shape} {css}".strip(), label)


@register.simple_tag
def glyph(state: str, word: str = "", detail: str = "") -> SafeString:
    """Glyph and word, for tables: `{% glyph "overdue" detail="12 days" %}`."""
    more = format_html(' <span class="detail">{}</span>', detail) if detail else ""
    return format_html(
        '<span class="state s-{}">{}<span>{}{}</span></span>',
        known(state).glyph,
        mark(state),
        word or known(state).word,
        more,
    )


@register.simple_tag
def badge(state: str, word: str = "") -> SafeString:
    """Glyph and word on the state's soft colour, for page heads."""
    tone = known(state).tone
    return format_html(
        '<span class="badge{}">{}<span>{}</span></span>',
        f" b-{tone}" if tone else "",
        mark(state),
        word or known(state).word,
    )


def key_names(combination: str) -> list[str]:
    """`Ctrl s` → `Ctrl`, `S`: a letter held together with another key is shown as on the cap,
    and so is `Escape`.
    """
    names = combination.replace("Escape", "Esc").split()
    held = names[:1] in (["Ctrl"], ["Alt"])
    return [name.upper() if held and len(name) == 1 else name for name in names]


@register.simple_tag
def keys(combination: str) -> SafeString:
    """Key hints: `{% keys "Ctrl Enter" %}`. Screen readers skip them, the link is named anyway."""
    boxes = format_html_join("", "<kbd>{}</kbd>", ((key,) for key in key_names(combination)))
    return format_html('<span class="flex keys" aria-hidden="true">{}</span>', boxes)


# --- Buttons and fields --------------------------------------------------------------------
def as_attributes(extra: dict[str, Any]) -> SafeString:
    """`{"hx_post": "/x", "data_key": "n"}` → ` hx-post="/x" data-key="n"`; drops None and False."""
    pairs = [
        (name.replace("_", "-"), "" if value is True else value)
        for name, value in extra.items()
        if value is not None and value is not False
    ]
    return format_html_join("", ' {}="{}"', pairs)


@register.inclusion_tag("components/button.html")
def button(
    label: str,
    kind: str = "",
    *,
    href: str = "",
    icon: str = "",
    key: str = "",
    count: int | None = None,
    size: str = "",
    off: bool = False,
    working: bool = False,
    bare: bool = False,
    type: str = "submit",  # noqa: A002  the HTML attribute's own name, as templates write it
    css: str = "",
    **extra: Any,
) -> dict[str, Any]:
    """A button, or a link that looks like one when `href` is given.

    `kind`: "" (secondary), primary, quiet, removal. `size`: "", small, large. `key` is the
    keyboard shortcut that presses it; `bare` shows the icon alone and keeps the label for
    screen readers. Other arguments become attributes: `hx_post=url` → `hx-post`.
    """
    classes = ["btn", kind, size, "bare" if bare else "", "is-working" if working else "", css]
    return {
        "label": label,
        "classes": " ".join(name for name in classes if name),
        "href": href,
        "icon": icon,
        "key": key,
        "hints": key_names(key),
        "count": count,
        "off": off,
        "working": working,
        "bare": bare,
        "type": type,
        "extra": as_attributes(extra),
    }


@register.inclusion_tag("components/field.html")
def field(
    bound: BoundField,
    *,
    label: str = "",
    hint: str = "",
    accepted: str = "",
    suffix: str = "",
    icon: str = "",
    span: int = 0,
    css: str = "",
    **extra: Any,
) -> dict[str, Any]:
    """One field of a form: label above, hint below, an error in the hint's place.

    `accepted` is what the value was found to be (a company's name); it puts a check in the
    field. `span` is its width in twelfths inside `.fields`. Other arguments become attributes
    of the input: `hx_get=url`, `autofocus=True`; False takes away one that the widget brings.
    """
    widget = bound.field.widget
    errors = [str(error) for error in bound.errors]
    text = "" if errors else str(accepted or hint or bound.help_text or "")
    attributes = {name.replace("_", "-"): value for name, value in extra.items()}
    attributes["aria-describedby"] = described_by(bound, errors=errors, text=text)
    attributes = {name: value for name, value in attributes.items() if value not in ("", None)}
    if css:
        attributes["class"] = f"{widget.attrs.get('class', '')} {css}".strip()
    return {
        "bound": bound,
        "widget": bound.as_widget(attrs=attributes),
        "label": label or bound.label,
        "errors": errors,
        "text": text,
        "accepted": accepted and not errors,
        "suffix": suffix,
        "icon": icon,
        "span": span,
        "is_check": isinstance(widget, CheckboxInput),
        "is_plain_input": not isinstance(widget, Select | Textarea),
    }


def described_by(bound: BoundField, *, errors: list[str], text: str) -> str:
    if errors:
        return f"{bound.id_for_label}_error"
    return f"{bound.id_for_label}_hint" if text else ""


@dataclass(frozen=True)
class Mistake:
    """One line of the list of errors: the text, and the id of the field it is about."""

    text: str
    field_id: str = ""
    label: str = ""


def mistakes(parts: "Iterable[BaseForm | BaseFormSet[Any]]") -> Iterable[Mistake]:
    for part in parts:
        if isinstance(part, BaseFormSet):
            yield from (Mistake(str(error)) for error in part.non_form_errors())
            yield from mistakes(part.forms)
        elif part:
            yield from (Mistake(str(error)) for error in part.non_field_errors())
            yield from (
                Mistake(str(error), bound.id_for_label, str(bound.label or ""))
                for bound in part
                for error in bound.errors
            )


@register.inclusion_tag("components/error_summary.html")
def error_summary(*parts: "BaseForm | BaseFormSet[Any]", title: str = "") -> dict[str, Any]:
    """All errors of forms and formsets as links to their fields; nothing when there are none.

    It receives the focus when the page or the swapped part arrives.
    """
    found = list(mistakes(parts))
    return {"mistakes": found, "title": title or gettext("Some fields need correcting")}


# --- Blocks --------------------------------------------------------------------------------
@register.simple_block_tag
def panel(
    content: str, title: str = "", note: str = "", total: str = "", css: str = ""
) -> SafeString:
    """`{% panel "Open amount" note="…" total=amount|money %} … {% endpanel %}`.

    The content brings its own padding: `.panel-body`, a `.table-wrap` or a `.list`.
    """
    head = ""
    if title:
        head = format_html(
            '<div class="panel-head"><h2>{}</h2>{}{}</div>',
            title,
            format_html('<span class="panel-note">{}</span>', note) if note else "",
            format_html('<span class="end sum">{}</span>', total) if total else "",
        )
    return format_html('<section class="panel {}">{}{}</section>', css, head, content)


NOTE_ICONS = {
    "": "info",
    "info": "info",
    "ok": "check",
    "warn": "triangle-alert",
    "bad": "circle-alert",
}


@register.simple_block_tag
def note(content: str, tone: str = "", icon: str = "", role: str = "") -> SafeString:
    """A tinted line inside the page. `tone`: "" (grey), info, ok, warn, bad."""
    return format_html(
        '<div class="note {}"{}>{}<div>{}</div></div>',
        tone,
        as_attributes({"role": role or None}),
        symbol(icon or NOTE_ICONS[tone], "icon"),
        content,
    )


@register.simple_block_tag
def next_step(
    content: str, title: str, effect: str = "", tone: str = "", **extra: Any
) -> SafeString:
    """The next sensible step: what, what it leads to, and its one or two buttons as content.

    `tone`: "" (tinted), waiting (nothing to do now), needs (a person must decide).
    Other arguments become attributes: `id="next"`, `hx_get=url`.
    """
    return format_html(
        '<section class="next-step {}"{}><div><h2>{}</h2>{}</div>'
        '<div class="step-actions">{}</div></section>',
        tone,
        as_attributes(extra),
        title,
        format_html("<p>{}</p>", effect) if effect else "",
        content,
    )


@register.simple_block_tag
def empty(content: str, title: str, kind: str = "nothing") -> SafeString:
    """An empty view: why it is empty, when that was checked, what to do next.

    `kind`: done (all is done), nothing (nothing yet), hits (no hits; offer to clear filters).
    """
    drawn = {
        "done": symbol("g-paid", "glyph g-paid large"),
        "nothing": symbol("inbox", "icon"),
        "hits": symbol("search", "icon"),
    }[kind]
    return format_html(
        '<div class="empty"><div><div class="mark">{}</div><h2>{}</h2>{}</div></div>',
        drawn,
        title,
        content,
    )


@register.inclusion_tag("components/progress.html")
def progress(
    total: int, *, done: int = 0, running: int = 0, needs: int = 0, stopped: int = 0, note: str = ""
) -> dict[str, Any]:
    """Counts first, then a bar split by result; `note` stands at its right end."""
    parts = []
    start = Decimal(0)
    for tone, count in (("ok", done), ("running", running), ("needs", needs), ("bad", stopped)):
        width = Decimal(count * 100) / max(total, 1)
        if count:
            parts.append({"tone": tone, "x": f"{start:.2f}", "width": f"{width:.2f}"})
        start += width
    return {"total": total, "done": done, "parts": parts, "note": note}
