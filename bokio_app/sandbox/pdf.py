"""A plain one-page PDF, written by hand: enough to be downloaded and opened."""

from collections.abc import Sequence

from bokio_app.sandbox.models import CreditNote, Invoice
from bokio_app.sandbox.totals import StoredLine
from bokio_app.sandbox.wire import plain

LEADING = 16
TOP, LEFT = 780, 56


def _escaped(text: str) -> bytes:
    safe = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
    return safe.encode("cp1252", "replace")


def invoice(row: Invoice) -> bytes:
    """The invoice's number, parties, lines and total as PDF 1.4."""
    return _page(
        [
            f"Faktura {row.number}",
            *_parties(row),
            f"Fakturadatum {row.invoice_date}   Förfaller {row.due_date}",
            f"OCR {row.payment_reference}",
            *_lines(row.lines),
            f"Moms {plain(row.tax)} {row.currency}",
            *([f"Skattereduktion -{plain(row.deduction)} SEK"] if row.deduction else []),
            f"Att betala {plain(row.total - row.deduction)} {row.currency}",
        ]
    )


def credit_note(row: CreditNote) -> bytes:
    """The credit note's number, parties, lines and total as PDF 1.4."""
    return _page(
        [
            f"Kreditfaktura {row.number}",
            *_parties(row.invoice),
            f"Kreditdatum {row.credit_date}   Avser faktura {row.invoice.number}",
            *_lines(row.lines),
            f"Moms {plain(row.tax)} {row.currency}",
            f"Att kreditera {plain(row.total)} {row.currency}",
        ]
    )


def _parties(row: Invoice) -> list[str]:
    return [f"{row.company.name}  {row.company.org_number}", f"Till: {row.customer_name}"]


def _lines(lines: Sequence[StoredLine]) -> list[str]:
    rows = [
        f"{line['description'][:60]}   {line.get('quantity', '')} x {line.get('unitPrice', '')}"
        for line in lines
    ]
    return ["", *rows, ""]


def _page(texts: Sequence[str]) -> bytes:
    lines = b"".join(b"(" + _escaped(text) + b") Tj T*\n" for text in texts)
    start = f"BT /F1 11 Tf {LEADING} TL {LEFT} {TOP} Td\n".encode()
    return document(start + lines + b"ET")


def document(content: bytes) -> bytes:
    """Wrap one page of content in the objects and the table that a PDF needs."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R"
            b" /Resources << /Font << /F1 4 0 R >> >> >>"
        ),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
    ]
    body = b"%PDF-1.4\n"
    places = []
    for number, text in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, text)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    end = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(body))
    return body + b"xref\n0 %d\n0000000000 65535 f \n" % size + table + end
