"""Organisation and VAT numbers as people type them, checked and put in their usual form."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from stdnum import luhn
from stdnum.eu import vat as eu_vat
from stdnum.exceptions import InvalidChecksum
from stdnum.exceptions import ValidationError as InvalidNumber
from stdnum.se import orgnr, personnummer

from bokio_app.ledger.prediction import EU_COUNTRIES

EU_PREFIXES = (EU_COUNTRIES - {"GR"}) | {"EL", "SE"}


def organisation_number(text: str) -> str:
    """A Swedish organisation number as `556703-4185`, typed with or without hyphen or century.

    Raises `ValidationError`; an empty text stays empty.
    """
    digits = "".join(character for character in text if character not in " -\u2013\u00a0")
    if not digits:
        return ""
    if len(digits) == 12 and digits.startswith("16"):
        digits = digits[2:]
    try:
        valid = orgnr.validate(digits)
    except InvalidChecksum:
        raise ValidationError(_("The check digit of the organisation number is wrong.")) from None
    except InvalidNumber:
        raise ValidationError(_("An organisation number has ten digits: 556703-4185.")) from None
    return f"{valid[:6]}-{valid[6:]}"


def vat_number(text: str) -> str:
    """A VAT number as `SE556703418501`. Numbers of the EU are checked, others kept as they are.

    Raises `ValidationError`; an empty text stays empty.
    """
    compact = "".join(character for character in text.upper() if character.isalnum())
    if not compact:
        return ""
    prefix = compact[:2]
    if not prefix.isalpha():
        raise ValidationError(_("A VAT number begins with the country's two letters: SE, DE …"))
    if prefix not in EU_PREFIXES:
        return compact
    try:
        return str(eu_vat.validate(compact))
    except InvalidChecksum:
        raise ValidationError(_("The check digit of the VAT number is wrong.")) from None
    except InvalidNumber:
        if prefix == "SE":
            message = _("A Swedish VAT number is SE, ten digits and 01: SE556703418501.")
        else:
            message = _("This is no VAT number of that country.")
        raise ValidationError(message) from None


def personal_number(text: str) -> str:
    """A person's identity number as `19790412-1234`, typed with its century; day and check digit
    are right. A coordination number's day is 60 more. Raises `ValidationError`.
    """
    digits = "".join(character for character in text if character not in " -\u2013\u00a0")
    if not (len(digits) == 12 and digits.isascii() and digits.isdecimal()):
        raise ValidationError(_("Write all twelve digits: YYYYMMDD-NNNN."))
    day = int(digits[6:8])
    birth = f"{digits[:6]}{day - 60 if day > 60 else day:02}"
    try:
        personnummer.get_birth_date(f"{birth}-{digits[8:]}")
        luhn.validate(digits[2:])
    except InvalidChecksum:
        raise ValidationError(_("The check digit of the personal number is wrong.")) from None
    except InvalidNumber:
        raise ValidationError(_("The personal number's date is wrong.")) from None
    return f"{digits[:8]}-{digits[8:]}"
