"""The sandbox over plain HTTP, every answer of which is held to the contract."""

import json
import struct
import uuid
import zlib
from dataclasses import dataclass, field
from typing import Any

from tests.contract.published import Contract, Operation
from tests.support.sandbox import Reply, SandboxProcess

DAY = "2024-10-10"
SCOPES = (
    "bank-payments:read-limited",
    "bank-payments:write",
    "chart-of-accounts:read",
    "company-information:read",
    "fiscal-years:read",
    "sie:read",
    *(
        f"{resource}:{right}"
        for resource in (
            "credit-notes",
            "customers",
            "invoices",
            "items",
            "journal-entries",
            "supplier-invoices",
            "suppliers",
            "tags",
            "uploads",
        )
        for right in ("read", "write")
    ),
)
ADDRESS = {"line1": "A 1", "line2": None, "city": "B", "postalCode": "123 45", "country": "SE"}
CUSTOMER = {
    "name": "John Doe",
    "type": "company",
    "contactsDetails": [{"name": "Anna", "email": "anna@example.com", "isDefault": True}],
    "address": ADDRESS,
}
SALE = {
    "description": "Konsulttimmar",
    "itemType": "salesItem",
    "productType": "services",
    "unitType": "hour",
    "quantity": 1.5,
    "unitPrice": 1000.25,
    "taxRate": 25,
}
TEXT = {"description": "Enligt avtal", "itemType": "descriptionOnlyItem"}
ITEM = {key: value for key, value in SALE.items() if key != "quantity"}
PAYMENT = {"date": "2024-10-15", "sumBaseCurrency": 99, "bookkeepingAccountNumber": 1940}
SETTLEMENT = {
    "type": "bankFee",
    "invoiceSettlementDetails": {"date": "2024-10-15", "sumBaseCurrency": 15.5},
}
ENTRY = {
    "title": "Kontorsmaterial",
    "date": DAY,
    "items": [
        {"account": 6110, "debit": 100.5, "credit": 0},
        {"account": 1930, "debit": 0, "credit": 100.5},
    ],
}


def png(width: int = 2, height: int = 2) -> bytes:
    """A black picture of this size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes((width + 1) * height))
    signature = b"\x89PNG\r\n\x1a\n"
    return signature + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def form(name: str, content: bytes, media_type: str, **fields: str) -> tuple[bytes, str]:
    """A multipart body with one file, and its content type."""
    boundary = uuid.uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    ]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
    parts.append(f"{head}Content-Type: {media_type}\r\n\r\n".encode() + content + b"\r\n")
    parts.append(f"--{boundary}--\r\n".encode())
    return b"".join(parts), f"multipart/form-data; boundary={boundary}"


@dataclass
class World:
    """One company of the sandbox and a token for all of it."""

    sandbox: SandboxProcess
    contract: Contract
    company: str
    token: str
    called: list[tuple[Operation, Reply]] = field(default_factory=list)

    def call(self, method: str, path: str, json_body: object = None, **options: Any) -> Reply:
        """Call below the company's path (or, with a leading slash, the API's root), and check."""
        whole = path if path.startswith("/") else f"/companies/{self.company}/{path}"
        options.setdefault("token", self.token)
        reply = self.sandbox.request(method, f"/v1{whole}", json_body=json_body, **options)
        self.hold(method, whole, reply)
        return reply

    def hold(self, method: str, path: str, reply: Reply) -> None:
        """Fail unless the answer is one that the contract describes."""
        operation = self.contract.find(method, path)
        self.called.append((operation, reply))
        wrong = self.contract.wrong_in_answer(operation, reply.status, reply.headers, reply.body)
        assert wrong == [], f"{method} {path}: {reply.status} {wrong} {reply.body[:500]!r}"

    def ok(self, method: str, path: str, json_body: object = None, **options: Any) -> Any:
        reply = self.call(method, path, json_body, **options)
        assert reply.status < 300, f"{method} {path}: {reply.status} {reply.body[:500]!r}"
        return json.loads(reply.body) if reply.body[:1] in (b"{", b"[") else None

    def send_file(self, path: str, name: str = "kvitto.png", **fields: str) -> Reply:
        body, media_type = form(name, png(), "image/png", **fields)
        return self.call("POST", path, body=body, headers={"Content-Type": media_type})

    # What operations stand on. Each returns the path of what was made.

    def customer(self) -> str:
        return f"customers/{self.ok('POST', 'customers', CUSTOMER)['id']}"

    def draft(self) -> str:
        customer = {"id": self.customer().removeprefix("customers/")}
        body = {"customerRef": customer, "invoiceDate": DAY, "lineItems": [SALE, TEXT]}
        return f"invoices/{self.ok('POST', 'invoices', body)['id']}"

    def published(self) -> str:
        path = self.draft()
        self.ok("POST", f"{path}/publish")
        return path

    def payment(self) -> str:
        invoice = self.published()
        return f"{invoice}/payments/{self.ok('POST', f'{invoice}/payments', PAYMENT)['id']}"

    def settlement(self) -> str:
        invoice = self.published()
        made = self.ok("POST", f"{invoice}/settlements", SETTLEMENT)
        return f"{invoice}/settlements/{made['id']}"

    def credit_note(self) -> str:
        invoice = self.published()
        self.ok("POST", f"{invoice}/record")
        return f"credit-notes/{self.ok('POST', f'{invoice}/credit')['id']}"

    def published_credit_note(self) -> str:
        path = self.credit_note()
        self.ok("POST", f"{path}/publish")
        return path

    def attachment(self) -> str:
        invoice = self.draft()
        return f"{invoice}/attachments/{self.send_file(f'{invoice}/attachments').json['id']}"

    def item(self) -> str:
        return f"items/{self.ok('POST', 'items', ITEM)['id']}"

    def entry(self) -> str:
        return f"journal-entries/{self.ok('POST', 'journal-entries', ENTRY)['id']}"

    def comment(self) -> str:
        entry = self.entry()
        made = self.ok("POST", f"{entry}/comments", {"content": "Granskad"})
        return f"{entry}/comments/{made['id']}"

    def tag_group(self) -> str:
        name = uuid.uuid4().hex
        alias = self.free_alias()
        return f"tag-groups/{self.ok('POST', 'tag-groups', {'name': name, 'alias': alias})['id']}"

    def free_alias(self) -> str:
        taken = {each["alias"] for each in self.ok("GET", "tag-groups?pageSize=100")["items"]}
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        return next(a + b for a in letters for b in letters if a + b not in taken)

    def tag(self) -> str:
        group = self.tag_group()
        return f"{group}/tags/{self.ok('POST', f'{group}/tags', {'name': 'Stockholm'})['id']}"

    def upload(self) -> str:
        return f"uploads/{self.send_file('uploads').json['id']}"

    def supplier(self) -> str:
        return f"suppliers/{self.ok('POST', 'suppliers', {'name': 'Kontoret AB'})['id']}"

    def supplier_invoice_body(self) -> dict[str, Any]:
        return {
            "supplierRef": {"id": self.supplier().removeprefix("suppliers/")},
            "invoiceNumber": "2024-17",
            "invoiceDate": DAY,
            "dueDate": "2024-11-10",
            "totalAmount": 1250,
        }

    def supplier_invoice(self) -> str:
        made = self.ok("POST", "supplier-invoices", self.supplier_invoice_body())
        return f"supplier-invoices/{made['id']}"

    def fiscal_year(self) -> str:
        return f"fiscal-years/{self.ok('GET', 'fiscal-years')['items'][0]['id']}"

    def bank_payment_body(self) -> dict[str, Any]:
        recipient = {
            "kind": "bankgiro",
            "recipientName": "Kontoret AB",
            "bankgiroNumber": "5805-6201",
            "message": "2024-17",
        }
        soon = self.sandbox.control("GET", "clock")["today"]
        return {"amount": 1250.5, "paymentDate": soon, "recipientRef": recipient}

    def bank_payment(self) -> str:
        return f"bank-payments/{self.ok('POST', 'bank-payments', self.bank_payment_body())['id']}"

    def general_token(self) -> str:
        reply = self.sandbox.token_request({"grant_type": "client_credentials"})
        return str(reply.json["access_token"])


def open_world(sandbox: SandboxProcess, contract: Contract) -> World:
    """The first company, with every plan's features and every right, and no limit of rate."""
    company = sandbox.companies()[0]["id"]
    sandbox.change_company(company, plan="business")
    sandbox.set_switches(rate_limit=1_000_000)
    return World(sandbox, contract, company, sandbox.tokens_for(company, SCOPES).access_token)
