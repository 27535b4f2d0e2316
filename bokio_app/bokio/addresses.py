"""Postal addresses, which companies, customers and invoices share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from bokio_app.bokio.reading import Fields


@dataclass(frozen=True)
class Address:
    """A postal address; `country` by ISO 3166-1 (`SE`), `subdivision` needed for `GB` alone."""

    line1: str
    postal_code: str
    city: str
    country: str = "SE"
    line2: str | None = None
    subdivision: str | None = None
    extra: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read what Bokio sends; missing parts are empty."""
        read = Fields(data)
        return cls(
            line1=read.text("line1"),
            postal_code=read.text("postalCode"),
            city=read.text("city"),
            country=read.text("country"),
            line2=read.text_or_none("line2"),
            subdivision=read.text_or_none("countrySubdivision"),
            extra=read.rest(),
        )

    def to_json(self) -> dict[str, object]:
        """Write what Bokio takes; what it sent and we do not know goes back as it came."""
        optional = {"line2": self.line2, "countrySubdivision": self.subdivision}
        required: dict[str, object] = {
            "line1": self.line1,
            "city": self.city,
            "postalCode": self.postal_code,
            "country": self.country,
        }
        return {**self.extra, **required} | {key: value for key, value in optional.items() if value}
