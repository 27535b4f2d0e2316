"""Where money is sent to: accounts of suppliers, and recipients of bank payments.

None of the numbers shows in a representation. A kind that Bokio adds later is kept as it came,
and can be sent back, but not made here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from bokio_app.bokio.errors import Unsendable
from bokio_app.bokio.reading import Fields

_MOST_DIGITS: Final = 8  # of a bankgiro or plusgiro number


@dataclass(frozen=True)
class Bankgiro:
    """A bankgiro number: seven or eight digits, with or without a hyphen."""

    number: str = field(repr=False)
    extra: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)

    @classmethod
    def from_json(cls, read: Fields) -> Self:
        """Read what Bokio sends."""
        return cls(read.text("bankgiroNumber"), read.rest())

    def to_json(self) -> dict[str, object]:
        """Write what Bokio takes. Raises `Unsendable` for what is no bankgiro number."""
        return {
            **self.extra,
            "type": "bankgiro",
            "bankgiroNumber": _digits(self.number, "a bankgiro number", least=7),
        }


@dataclass(frozen=True)
class Plusgiro:
    """A plusgiro number: two to eight digits, with or without a hyphen."""

    number: str = field(repr=False)
    extra: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)

    @classmethod
    def from_json(cls, read: Fields) -> Self:
        """Read what Bokio sends."""
        return cls(read.text("plusgiroNumber"), read.rest())

    def to_json(self) -> dict[str, object]:
        """Write what Bokio takes. Raises `Unsendable` for what is no plusgiro number."""
        return {
            **self.extra,
            "type": "plusgiro",
            "plusgiroNumber": _digits(self.number, "a plusgiro number", least=2),
        }


@dataclass(frozen=True)
class BankAccount:
    """An account at a Swedish bank."""

    clearing_number: str = field(repr=False)
    number: str = field(repr=False)
    extra: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)

    @classmethod
    def from_json(cls, read: Fields) -> Self:
        """Read what Bokio sends."""
        return cls(read.text("clearingNumber"), read.text("accountNumber"), read.rest())

    def to_json(self) -> dict[str, object]:
        """Write what Bokio takes. Raises `Unsendable` unless both numbers are there."""
        return {
            **self.extra,
            "type": "transfer",
            "clearingNumber": _filled(self.clearing_number),
            "accountNumber": _filled(self.number),
        }


@dataclass(frozen=True)
class InternationalAccount:
    """An account by its IBAN and the bank's BIC."""

    iban: str = field(repr=False)
    bic: str = field(repr=False)
    extra: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)

    @classmethod
    def from_json(cls, read: Fields) -> Self:
        """Read what Bokio sends."""
        return cls(read.text("iban"), read.text("bic"), read.rest())

    def to_json(self) -> dict[str, object]:
        """Write what Bokio takes. Raises `Unsendable` unless both are there."""
        return {
            **self.extra,
            "type": "internationalPayment",
            "iban": _filled(self.iban),
            "bic": _filled(self.bic),
        }


@dataclass(frozen=True)
class OtherPayee:
    """An account or a recipient of a kind that is new to us, whole in `data`."""

    kind: str
    data: Mapping[str, object] = field(repr=False, hash=False)

    def to_json(self) -> dict[str, object]:
        """Write it as it came."""
        return dict(self.data)


PayeeAccount = Bankgiro | Plusgiro | BankAccount | InternationalAccount | OtherPayee


@dataclass(frozen=True)
class BankgiroRecipient:
    """A recipient by bankgiro, told either by an OCR reference or by a message, never by both."""

    name: str
    number: str = field(repr=False)
    ocr: str = field(default="", repr=False)
    message: str = field(default="", repr=False)
    extra: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)

    @classmethod
    def from_json(cls, read: Fields) -> Self:
        """Read what Bokio sends."""
        return cls(
            name=read.text("recipientName"),
            number=read.text("bankgiroNumber"),
            ocr=read.text("ocr"),
            message=read.text("message"),
            extra=read.rest(),
        )

    def to_json(self) -> dict[str, object]:
        """Write what Bokio takes.

        Raises `Unsendable` without a name, for what is no bankgiro number, for both or neither of
        OCR reference and message, and for a reference that is not all digits.
        """
        if bool(self.ocr.strip()) == bool(self.message.strip()):
            raise Unsendable("a bankgiro payment carries an OCR reference or a message, not both")
        if self.ocr and not (self.ocr.isascii() and self.ocr.isdigit()):
            raise Unsendable("an OCR reference has digits alone")
        told = {"ocr": self.ocr} if self.ocr else {"message": self.message}
        return {
            "kind": "bankgiro",
            "recipientName": _filled(self.name),
            "bankgiroNumber": _digits(self.number, "a bankgiro number", least=7),
            **told,
        }


@dataclass(frozen=True)
class TransferRecipient:
    """A recipient with an account at a Swedish bank; `reference` is what the recipient sees."""

    name: str
    clearing_number: str = field(repr=False)
    account_number: str = field(repr=False)
    reference: str = field(default="", repr=False)
    extra: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)

    @classmethod
    def from_json(cls, read: Fields) -> Self:
        """Read what Bokio sends."""
        return cls(
            name=read.text("recipientName"),
            clearing_number=read.text("clearingNumber"),
            account_number=read.text("accountNumber"),
            reference=read.text("recipientReference"),
            extra=read.rest(),
        )

    def to_json(self) -> dict[str, object]:
        """Write what Bokio takes. Raises `Unsendable` without a name or one of the numbers."""
        reference = {"recipientReference": self.reference} if self.reference else {}
        return {
            "kind": "transfer",
            "recipientName": _filled(self.name),
            "clearingNumber": _filled(self.clearing_number),
            "accountNumber": _filled(self.account_number),
            **reference,
        }


Recipient = BankgiroRecipient | TransferRecipient | OtherPayee

_ACCOUNTS: Final[Mapping[str, Callable[[Fields], PayeeAccount]]] = {
    "bankgiro": Bankgiro.from_json,
    "plusgiro": Plusgiro.from_json,
    "transfer": BankAccount.from_json,
    "internationalPayment": InternationalAccount.from_json,
}
_RECIPIENTS: Final[Mapping[str, Callable[[Fields], Recipient]]] = {
    "bankgiro": BankgiroRecipient.from_json,
    "transfer": TransferRecipient.from_json,
}


def account_from_json(data: object) -> PayeeAccount:
    """Read an account of any kind, told by its `type`."""
    read = Fields(data)
    kind = read.text("type")
    known = _ACCOUNTS.get(kind)
    return known(read) if known else OtherPayee(kind, {"type": kind, **read.rest()})


def recipient_from_json(data: object) -> Recipient:
    """Read a recipient of any kind, told by its `kind`."""
    read = Fields(data)
    kind = read.text("kind")
    known = _RECIPIENTS.get(kind)
    return known(read) if known else OtherPayee(kind, {"kind": kind, **read.rest()})


def _digits(number: str, name: str, *, least: int) -> str:
    bare = number.replace("-", "").replace(" ", "")
    if not (bare.isascii() and bare.isdecimal() and least <= len(bare) <= _MOST_DIGITS):
        raise Unsendable(f"{name} has {least} to {_MOST_DIGITS} digits")
    return number


def _filled(text: str) -> str:
    if not text.strip():
        raise Unsendable("whom the money goes to is named, with every number")
    return text
