"""Mails that an installation without a mail server has kept."""

from __future__ import annotations

import uuid

from django.db import models

from bokio_app.core import crypto, sealing


class Mail(models.Model):
    """One mail to one or more addresses. Its text is encrypted: it may hold a code or a link."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    to = models.CharField(max_length=500, help_text="addresses, joined by commas")
    subject = models.CharField(max_length=300)
    body = models.BinaryField()
    written_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        ordering = ["-written_at"]

    def __str__(self) -> str:
        return f"{self.to}: {self.subject}"

    @classmethod
    def sealed(cls, *, to: str, subject: str, text: str) -> Mail:
        """An unsaved row whose text is encrypted for exactly this row."""
        row = cls(to=to[:500], subject=subject[:300])
        row.body = crypto.encrypt(text, place=row.place)
        return row

    @property
    def text(self) -> str:
        return crypto.decrypt(bytes(self.body), place=self.place)

    @property
    def place(self) -> str:
        """What the text is bound to."""
        return f"mail/{self.pk}"


sealing.register(
    sealing.BytesColumn("mail", Mail.objects.all(), "body", place=lambda row: row.place)
)
