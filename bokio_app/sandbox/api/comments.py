"""Comments on journal entries: list, read, write, change, delete."""

from bokio_app.sandbox import clock, refusals, switches
from bokio_app.sandbox.api import journal_entries, shapes
from bokio_app.sandbox.api.reader import Reader
from bokio_app.sandbox.api.registry import Context, operation
from bokio_app.sandbox.models import Comment

COMMENTS = f"{journal_entries.ENTRY}/comments"
COMMENT = COMMENTS + "/{commentId}"


@operation(
    "POST", COMMENTS, "post-journal-entry-comment", scope="journal-entries:write", creates=True
)
def create(context: Context) -> object:
    entry = journal_entries.find(context)
    if entry.made_by_id is None:
        raise refusals.not_allowed("Only entries made through the API take comments through it")
    now = clock.now()
    row = Comment.objects.create(
        entry=entry,
        application=context.application,
        author_name=context.application.name,
        content=_content(context),
        created_at=now,
        updated_at=now,
    )
    return _shape(row)


@operation("GET", COMMENTS, "get-journal-entry-comments", scope="journal-entries:read")
def comments(context: Context) -> object:
    """A bare array, oldest first: this list has no pages."""
    rows = journal_entries.find(context).comments.order_by("created_at", "id")
    return [_shape(row) for row in rows]


@operation("GET", COMMENT, "get-journal-entry-comment", scope="journal-entries:read")
def comment(context: Context) -> object:
    return _shape(_find(context))


@operation("PUT", COMMENT, "put-journal-entry-comment", scope="journal-entries:write")
def replace(context: Context) -> object:
    row = _find_own(context)
    row.content = _content(context)
    row.updated_at = clock.now()
    row.save(update_fields=["content", "updated_at"])
    return _shape(row)


@operation("DELETE", COMMENT, "delete-journal-entry-comment", scope="journal-entries:write")
def delete(context: Context) -> None:
    _find_own(context).delete()


def _content(context: Context) -> str:
    body = Reader(context.body())
    body.read_only("id", "authorName", "createdDatetime", "updatedDatetime")
    content = body.text("content", required=True, longest=switches.current().longest_comment)
    body.finish()
    return content


def _find(context: Context) -> Comment:
    comment_id = context.id("commentId", "comment")
    row = journal_entries.find(context).comments.filter(uuid=comment_id).first()
    if row is None:
        raise refusals.not_found("comment", comment_id)
    return row


def _find_own(context: Context) -> Comment:
    row = _find(context)
    if row.application_id != context.application.pk:
        raise refusals.not_allowed("Only the integration that wrote a comment can change it")
    return row


def _shape(row: Comment) -> shapes.Json:
    return {
        "id": str(row.uuid),
        "content": row.content,
        "authorName": row.author_name,
        "createdDatetime": shapes.moment(row.created_at),
        "updatedDatetime": shapes.moment(row.updated_at),
    }
