"""Every address of the app, from the URL configuration, and what a request to it takes.

A page whose arguments are not known here fails its tests: nobody can forget to say whose it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from tests.isolation.scene import Scene

Of = Callable[[Scene], Any]

# What stands for an argument: by its name or, where that says too little, by the page's as well.
ARGUMENTS: Mapping[str, Of] = {
    "connection_id": lambda scene: scene.company.pk,
    "invoice_id": lambda scene: scene.draft.pk,
    "public_id": lambda scene: scene.unclear.public_id,
    "flows:resolve_finding public_id": lambda scene: scene.finding.public_id,
    "invoicing:accept_total invoice_id": lambda scene: scene.doubted.pk,
    "invoicing:start_over invoice_id": lambda scene: scene.lost.pk,
    "credit_notes:pdf note_id": lambda scene: scene.published_note.pk,
    "document_id": lambda scene: scene.document.pk,
    "invoicing:pdf invoice_id": lambda scene: scene.published.pk,
    "invoicing:credit invoice_id": lambda scene: scene.published.pk,
    "invoicing:credit_preview invoice_id": lambda scene: scene.published.pk,
    "attachment_id": lambda scene: scene.attachment.pk,
    "note_id": lambda scene: scene.note.pk,
    "customers:delete customer_id": lambda scene: scene.lonely.pk,
    "customers:edit customer_id": lambda scene: scene.lonely.pk,
    "customers:give_up customer_id": lambda scene: scene.refused.pk,
    "customers:read customer_id": lambda scene: scene.refused.pk,
    "customers:send customer_id": lambda scene: scene.lonely.pk,
    "customer_id": lambda scene: scene.customer.pk,
    "item_id": lambda scene: scene.item.pk,
    "items:give_up item_id": lambda scene: scene.refused_item.pk,
    "items:begun public_id": lambda scene: scene.begun.public_id,
    "items:drop public_id": lambda scene: scene.begun.public_id,
    "payments:register invoice_id": lambda scene: scene.published.pk,
    "payments:preview invoice_id": lambda scene: scene.published.pk,
    "payments:refresh invoice_id": lambda scene: scene.published.pk,
    "payments:take_payment_back invoice_id": lambda scene: scene.settled.pk,
    "payments:take_payment_back payment_id": lambda scene: scene.paid.pk,
    "payments:take_settlement_back invoice_id": lambda scene: scene.settled.pk,
    "payments:take_settlement_back settlement_id": lambda scene: scene.kept.pk,
    "reason": lambda _scene: "declined",
    "member_id": lambda scene: scene.colleague.pk,
    "invitation_id": lambda scene: scene.invitation.pk,
    "view_id": lambda scene: scene.saved_view.pk,
    "invitation token": lambda _scene: "made-up",  # whoever has a real one may follow it
    "connections:invite_again invitation_id": lambda scene: scene.colleagues.pk,
    "connections:joining invitation_id": lambda scene: scene.colleagues.pk,
    "connections:revoke_colleague invitation_id": lambda scene: scene.colleagues.pk,
    "connections:private_result connection_id": lambda scene: scene.private.pk,
    "connections:replace_token connection_id": lambda scene: scene.private.pk,
}

# What the owner's request carries: in the address for GET, in the form for POST.
ASKED: Mapping[str, Of] = {
    "connections:list": lambda _scene: {"q": "Aspen"},
    "connections:options": lambda _scene: {"company_text": "Aspen"},
    "customers:list": lambda _scene: {"q": "Kund"},
    "flows:list": lambda scene: {"company": scene.company.pk, "before": scene.moving.public_id},
    "flows:export": lambda scene: {"company": scene.company.pk, "q": scene.moving.public_id},
    "invoicing:items": lambda _scene: {"lines-0-description": "Aspen"},
    "invoicing:customers": lambda _scene: {"customer_text": "Kund"},
    "invoicing:company_keep_filter": lambda scene: {"saved": scene.saved_view.pk, "q": "12"},
    "invoicing:keep_filter": lambda scene: {"saved": scene.saved_view.pk, "q": "12"},
    "invoicing:list": lambda scene: {"company": scene.company.pk},
    "invoicing:new": lambda scene: {"company": scene.company.pk},
    "received": lambda scene: {"company": scene.company.pk},
}
FILES = {"invoicing:attach": [("file", b"%PDF-1.4")]}
FORMS: Mapping[str, Of] = {
    "connections:invite": lambda _scene: {"for_name": "Aspen", "email": ""},
    "connections:invite_colleague": lambda scene: {
        "email": "new@example.com",
        "language": "en",
        "role": "member",
        "sees": "listed",
        "companies": scene.company.pk,
    },
    "connections:member_role": lambda _scene: {"role": "owner"},
    "connections:member": lambda scene: {"sees": "listed", "companies": scene.company.pk},
    "connections:private_token": lambda scene: {"company": scene.elsewhere, "token": "t" * 40},
    "connections:replace_token": lambda _scene: {"token": "t" * 40},
    "customers:delete": lambda scene: {"request_key": scene.form_key},
    "customers:edit": lambda scene: scene.customer_form(),
    "customers:new_of": lambda scene: scene.customer_form(),
    "customers:twins": lambda scene: scene.customer_form(),
    "items:begun": lambda scene: scene.item_form(),
    "items:delete": lambda scene: {"request_key": scene.form_key},
    "items:detail": lambda scene: scene.item_form(),
    "items:new_of": lambda scene: scene.item_form(),
    "flows:adopt": lambda scene: {"adopt-remote_id": scene.elsewhere, "adopt-reason": "Seen"},
    "flows:cancel": lambda _scene: {"cancel-reason": "Wrong customer"},
    "flows:handled": lambda _scene: {"handled-reason": "Done in Bokio"},
    "flows:resolve_finding": lambda scene: {f"{scene.finding.public_id}-reason": "Seen"},
    "flows:retry": lambda _scene: {"retry-reason": "Looked in Bokio"},
    "flows:send_again": lambda _scene: {"again-reason": "Not ours"},
    "invoicing:credit": lambda scene: scene.crediting(),
    "invoicing:credit_preview": lambda scene: scene.crediting(),
    "invoicing:company_save_view": lambda scene: scene.view_form(),
    "invoicing:company_selection": lambda scene: {"invoice": scene.draft.pk},
    "invoicing:company_settings": lambda _scene: {"column": "ocr", "height": "tight"},
    "invoicing:edit": lambda scene: scene.editor(scene.draft),
    "invoicing:edit_view": lambda scene: scene.view_form(),
    "invoicing:new": lambda scene: scene.editor(None),
    "invoicing:preview": lambda scene: scene.editor(None),
    "invoicing:save_view": lambda scene: scene.view_form(),
    "invoicing:selection": lambda scene: {"invoice": scene.draft.pk},
    "invoicing:settings": lambda _scene: {"column": "ocr", "height": "tight"},
    "mirror:read": lambda scene: {"company": scene.company.pk},
    "payments:preview": lambda scene: scene.payment(),
    "payments:register": lambda scene: scene.payment(),
    "set_language": lambda _scene: {"language": "en"},
    "tenants:keys": lambda _scene: {"keys": "off"},
    "tenants:theme": lambda _scene: {"theme": "dark"},
    "workspace:choose": lambda scene: {"workspace": scene.tenant.pk},
    "workspace:close": lambda scene: {"name": scene.tenant.name, "work": "stop"},
}

# Forms that keep nothing; of every other one it is shown that it does change something.
KEEPS_NOTHING = {
    "invoicing:credit_preview",
    "invoicing:company_selection",
    "customers:new",
    "customers:twins",
    "items:new",
    "invoicing:preview",
    "invoicing:selection",
    "payments:preview",
    "set_language",
    "tenants:keys",
    "tenants:theme",
    "workspace:choose",
}
# What a closed workspace still takes.
EVEN_WHEN_CLOSED = {"workspace:choose", "workspace:close", "workspace:leave"}

# Open to visitors who are not signed in: these tell nothing of any workspace.
OPEN = {
    "bokio_callback",  # leads who is not signed in to a page that says so
    "bokio_connect",
    "connections:failed",
    "connections:invitation_over",
    "connections:invited",  # for the browser that has opened the link, and no other
    "connections:invited_failed",
    "connections:invited_thanks",
    "connections:joining",  # as `invited`
    "connections:marketplace",  # leads to sign-in or sign-up; a workspace is made there
    "gallery",
    "healthz",
    "invitation",
    "set_language",
    "tenants:keys",
    "tenants:theme",
}
# Of the workspace and not of a company: every member's, and the owners'.
OF_ALL_MEMBERS = {"connections:revoke_invitation"}
OF_OWNERS = {
    "connections:invite_again",
    "connections:invite_colleague",
    "connections:member",
    "connections:member_remove",
    "connections:member_role",
    "connections:members",
    "connections:revoke_colleague",
    "workspace:close",
}
# Pages of somebody's own account, which name no row in their address: they have tests of their own.
ACCOUNT = "account_"
CONSOLE = "admin"


@dataclass(frozen=True)
class Address:
    """One page: its name with the namespace, and the names of its arguments."""

    name: str
    arguments: tuple[str, ...]

    def __str__(self) -> str:
        return self.name

    @property
    def is_open(self) -> bool:
        return self.name in OPEN

    def kwargs(self, scene: Scene) -> dict[str, Any]:
        """The arguments with the ids of the scene's rows."""
        return {argument: self._value(argument)(scene) for argument in self.arguments}

    def url(self, scene: Scene) -> str:
        return reverse(self.name, kwargs=self.kwargs(scene))

    def asked(self, scene: Scene) -> dict[str, str]:
        return _texts(ASKED, self.name, scene)

    def form(self, scene: Scene) -> dict[str, str]:
        return _texts(FORMS, self.name, scene)

    @property
    def files(self) -> dict[str, SimpleUploadedFile]:
        """New files, as the form carries them beside its fields."""
        return {name: SimpleUploadedFile(name, each) for name, each in FILES.get(self.name, ())}

    def _value(self, argument: str) -> Of:
        found = ARGUMENTS.get(f"{self.name} {argument}") or ARGUMENTS.get(argument)
        assert found, f"say in {__name__}.ARGUMENTS what stands for {argument!r} of {self.name}"
        return found


def _texts(table: Mapping[str, Of], name: str, scene: Scene) -> dict[str, str]:
    return {key: str(value) for key, value in table[name](scene).items()} if name in table else {}


def pages() -> list[Address]:
    """Every page of the workspaces and every open one; not the accounts' own, nor the console's."""
    return [
        Address(name, arguments)
        for name, arguments in _walk(get_resolver(), "")
        if not name.startswith((ACCOUNT, f"{CONSOLE}:"))
    ]


def console() -> list[Address]:
    """Every page of the operators' console."""
    return [Address(n, a) for n, a in _walk(get_resolver(), "") if n.startswith(f"{CONSOLE}:")]


def accounts() -> list[Address]:
    """The pages of somebody's own account that can be reached without an argument."""
    found = [Address(n, a) for n, a in _walk(get_resolver(), "") if n.startswith(ACCOUNT)]
    return [address for address in found if not address.arguments]


def _walk(resolver: URLResolver, namespace: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from _walk(entry, inner)
        elif isinstance(entry, URLPattern):
            yield _named(entry, namespace)


def _named(entry: URLPattern, namespace: str) -> tuple[str, tuple[str, ...]]:
    """A page without a name cannot be asked for, except the console's last resort."""
    arguments = tuple(entry.pattern.regex.groupindex)
    if not entry.name:
        assert namespace == f"{CONSOLE}:", f"{entry.pattern} has no name"
    return f"{namespace}{entry.name or ''}", arguments


def reachable(address: Address, **arguments: Any) -> str | None:
    """The address with these arguments, or None if it does not take them."""
    try:
        return reverse(address.name, kwargs=arguments)
    except NoReverseMatch:
        return None
