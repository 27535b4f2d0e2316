"""Handing a file of the books to the browser, which must never show it as a page of ours."""

from django.http import HttpResponse
from django.utils.http import content_disposition_header

PDF = "application/pdf"


def file_answer(content: bytes, media_type: str, name: str) -> HttpResponse:
    """The file as a download under its own name."""
    answer = HttpResponse(content, content_type=media_type)
    answer.headers["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    return answer
