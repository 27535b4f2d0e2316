"""Tag groups and the tags in them."""

from django.db.models import QuerySet

from bokio_app.sandbox import refusals, switches
from bokio_app.sandbox.api import lists, shapes
from bokio_app.sandbox.api.reader import Reader
from bokio_app.sandbox.api.registry import Context, operation
from bokio_app.sandbox.models import Company, EntryTag, Tag, TagGroup

PROPERTIES = {
    "name": lists.text("name"),
    "dimensionNumber": lists.number("dimension_number", decimals=0),
}
GROUPS = "/tag-groups"
GROUP = "/tag-groups/{tagGroupId}"
TAGS = "/tag-groups/{tagGroupId}/tags"
TAG = "/tag-groups/{tagGroupId}/tags/{tagId}"
PAGE_SIZE = 20
LONGEST_NAME = 100
LONGEST_ALIAS = 3
LARGEST_DIMENSION = 2**31 - 1


@operation("GET", GROUPS, "get-tag-groups", scope="tags:read")
def tag_groups(context: Context) -> object:
    rows = lists.filtered(_groups(context), context.call.query.get("query", ""), PROPERTIES)
    return lists.page(rows, context.call.query, _group_shape, page_size=PAGE_SIZE)


@operation("GET", GROUP, "get-tag-group-by-id", scope="tags:read")
def tag_group(context: Context) -> object:
    return _group_shape(_find_group(context))


@operation("POST", GROUPS, "post-tag-group", scope="tags:write", creates=True)
def create_group(context: Context) -> object:
    row = TagGroup(company=context.company)
    body = Reader(context.body())
    number = body.integer("dimensionNumber")
    if number is not None and not 1 <= number <= LARGEST_DIMENSION:
        body.note("dimensionNumber", f"The dimension number must be 1 to {LARGEST_DIMENSION}")
    _fill_group(row, body)
    if number and context.company.tag_groups.filter(dimension_number=number).exists():
        raise refusals.against_rules(f"Another tag group has the dimension number {number}")
    row.dimension_number = number or _free_dimension(context.company)
    row.save()
    return _group_shape(row)


def _free_dimension(company: Company) -> int:
    taken = set(company.tag_groups.values_list("dimension_number", flat=True))
    number = switches.FIRST_FREE_DIMENSION
    while number in taken:
        number += 1
    return number


@operation("PUT", GROUP, "put-tag-group", scope="tags:write")
def replace_group(context: Context) -> object:
    """Name and alias. The dimension number stays what it was at first."""
    row = _find_group(context)
    body = Reader(context.body())
    body.read_only("dimensionNumber")
    _fill_group(row, body)
    row.save(update_fields=["name", "alias"])
    return _group_shape(row)


def _fill_group(row: TagGroup, body: Reader) -> None:
    body.read_only("id", "tags")
    row.name = body.text("name", required=True, longest=LONGEST_NAME)
    row.alias = body.text("alias", required=True, longest=LONGEST_ALIAS)
    body.finish()
    others = TagGroup.objects.filter(company=row.company, alias=row.alias).exclude(pk=row.pk)
    if others.exists():
        raise refusals.against_rules(f"Another tag group has the alias {row.alias}")


@operation("DELETE", GROUP, "delete-tag-group", scope="tags:write")
def delete_group(context: Context) -> None:
    row = _find_group(context)
    if EntryTag.objects.filter(tag__group=row).exists():
        raise refusals.against_rules("A tag of the group is used on a journal entry")
    row.delete()


@operation("POST", TAGS, "post-tag-group-tag", scope="tags:write", creates=True)
def create_tag(context: Context) -> object:
    row = Tag(group=_find_group(context))
    _fill_tag(row, Reader(context.body()))
    row.save()
    return _tag_shape(row)


@operation("PUT", TAG, "put-tag-group-tag", scope="tags:write")
def replace_tag(context: Context) -> object:
    row = _find_tag(context)
    _fill_tag(row, Reader(context.body()))
    row.save(update_fields=["name"])
    return _tag_shape(row)


def _fill_tag(row: Tag, body: Reader) -> None:
    body.read_only("id")
    row.name = body.text("name", required=True, longest=LONGEST_NAME)
    body.finish()
    if Tag.objects.filter(group=row.group, name=row.name).exclude(pk=row.pk).exists():
        raise refusals.against_rules(f"The tag group has a tag {row.name} already")


@operation("DELETE", TAG, "delete-tag-group-tag", scope="tags:write")
def delete_tag(context: Context) -> None:
    row = _find_tag(context)
    if row.uses.exists():
        raise refusals.against_rules("The tag is used on a journal entry")
    row.delete()


def _groups(context: Context) -> QuerySet[TagGroup]:
    return context.company.tag_groups.prefetch_related("tags")


def _find_group(context: Context) -> TagGroup:
    group_id = context.id("tagGroupId", "tag group")
    row = _groups(context).filter(uuid=group_id).first()
    if row is None:
        raise refusals.not_found("tag group", group_id)
    return row


def _find_tag(context: Context) -> Tag:
    group = _find_group(context)
    tag_id = context.id("tagId", "tag")
    row = group.tags.filter(uuid=tag_id).first()
    if row is None:
        raise refusals.not_found("tag", tag_id)
    return row


def _group_shape(row: TagGroup) -> shapes.Json:
    return {
        "id": str(row.uuid),
        "name": row.name,
        "alias": row.alias,
        "dimensionNumber": row.dimension_number,
        "tags": [_tag_shape(tag) for tag in row.tags.all()],
    }


def _tag_shape(row: Tag) -> shapes.Json:
    return {"id": str(row.uuid), "name": row.name}
