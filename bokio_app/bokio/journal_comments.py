"""Comments on journal entries: plain text, shown in Bokio under the integration's name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self
from uuid import UUID

from bokio_app.bokio.errors import Unsendable
from bokio_app.bokio.reading import Fields
from bokio_app.bokio.resource import Resource, plain_list, same


@dataclass(frozen=True, kw_only=True)
class Comment:
    """A comment as Bokio has it; `author` is the name of an integration or of a person."""

    id: UUID
    content: str
    author: str
    created_at: datetime | None
    updated_at: datetime | None
    extra: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read what Bokio sends; the small t of its two times is no mistake of ours."""
        read = Fields(data)
        return cls(
            id=read.uuid("id"),
            content=read.text("content"),
            author=read.text("authorName"),
            created_at=read.moment_or_none("createdDatetime"),
            updated_at=read.moment_or_none("updatedDatetime"),
            extra=read.rest(),
        )


CommentList = list[Comment]


class JournalComments(Resource):
    """`/journal-entries/{journalEntryId}/comments`"""

    def create(self, entry_id: UUID, content: str) -> Comment:
        """Comment on an entry that was made through the API; others are refused.

        Not repeatable. After `OutcomeUnknown`, `list` and look for the same content and author.
        Raises `Unsendable` for blank content. Needs scope `journal-entries:write`.
        """
        path = _all(entry_id)
        return self._post("post-journal-entry-comment", path, Comment.from_json, _body(content))

    def list(self, entry_id: UUID) -> CommentList:
        """Fetch all comments of an entry in one call, oldest first; there are no pages.

        Repeatable. Needs scope `journal-entries:read`.
        """
        parse = plain_list(Comment.from_json)
        return self._get("get-journal-entry-comments", _all(entry_id), parse)

    def get(self, entry_id: UUID, comment_id: UUID) -> Comment:
        """Fetch one comment. Repeatable. Needs scope `journal-entries:read`."""
        path, parse = _one(entry_id, comment_id), same(Comment.from_json, comment_id)
        return self._get("get-journal-entry-comment", path, parse)

    def update(self, entry_id: UUID, comment_id: UUID, content: str) -> Comment:
        """Replace the content of a comment of our own; `StateRefused` for anyone else's.

        Repeatable. Raises `Unsendable` for blank content. Needs scope `journal-entries:write`.
        """
        path, parse = _one(entry_id, comment_id), same(Comment.from_json, comment_id)
        return self._put("put-journal-entry-comment", path, parse, _body(content))

    def delete(self, entry_id: UUID, comment_id: UUID) -> None:
        """Delete a comment of our own; `StateRefused` for anyone else's.

        Repeatable: `NotFound` after `OutcomeUnknown` means that it is done.
        Needs scope `journal-entries:write`.
        """
        self._delete("delete-journal-entry-comment", _one(entry_id, comment_id))


def _body(content: str) -> dict[str, object]:
    if not content.strip():
        raise Unsendable("a comment has content")
    return {"content": content}


def _all(entry_id: UUID) -> str:
    return f"journal-entries/{entry_id}/comments"


def _one(entry_id: UUID, comment_id: UUID) -> str:
    return f"{_all(entry_id)}/{comment_id}"
