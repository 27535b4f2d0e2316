"""Tag groups, such as projects or cost centres, and the tags in them.

The company's price plan has to include tags; `PlanRequired` says so where it does not.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Self
from uuid import UUID

from bokio_app.bokio.errors import Unsendable
from bokio_app.bokio.filters import Filter
from bokio_app.bokio.reading import Fields
from bokio_app.bokio.resource import Resource, same

LONGEST_ALIAS: Final = 3


@dataclass(frozen=True)
class Tag:
    """One tag of a group."""

    id: UUID
    name: str
    extra: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read what Bokio sends."""
        read = Fields(data)
        return cls(id=read.uuid("id"), name=read.text("name"), extra=read.rest())


@dataclass(frozen=True, kw_only=True)
class TagGroup:
    """A group with its tags. `dimension` is its number in SIE files, such as 6 for projects."""

    id: UUID
    name: str
    alias: str
    dimension: int | None
    tags: tuple[Tag, ...]
    extra: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read what Bokio sends."""
        read = Fields(data)
        return cls(
            id=read.uuid("id"),
            name=read.text("name"),
            alias=read.text("alias"),
            dimension=read.integer_or_none("dimensionNumber"),
            tags=read.rows("tags", Tag.from_json),
            extra=read.rest(),
        )


@dataclass(frozen=True, kw_only=True)
class TagGroupDraft:
    """A group to create, or what an existing one shall become.

    `alias` is a short name of one to three characters. `dimension` is the group's number in SIE
    files (1 cost centre, 2 cost carrier, 6 project, 7 employee, 8 customer, 9 supplier, 10
    invoice, 20 and more free); it is set once, when the group is created. Alias and dimension
    belong to one group of a company. Raises `Unsendable` without a name or for another alias.
    """

    name: str
    alias: str
    dimension: int | None = None
    extra: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)

    def __post_init__(self) -> None:
        _named(self.name)
        if not self.alias.strip() or len(self.alias) > LONGEST_ALIAS:
            raise Unsendable(f"the alias of a tag group has 1 to {LONGEST_ALIAS} characters")

    @classmethod
    def from_group(cls, group: TagGroup) -> Self:
        """Start from what Bokio has, with the fields that are new to us."""
        return cls(name=group.name, alias=group.alias, dimension=group.dimension, extra=group.extra)

    def to_json(self) -> dict[str, object]:
        """Write what Bokio takes, the dimension apart."""
        return {**self.extra, "name": self.name, "alias": self.alias}


class TagGroups(Resource):
    """`/tag-groups`"""

    def create(self, draft: TagGroupDraft) -> TagGroup:
        """Create a group without tags.

        Not repeatable: the alias is taken then. After `OutcomeUnknown` or `StateRefused`, look
        for the alias in `find`. Needs scope `tags:write`.
        """
        number = {} if draft.dimension is None else {"dimensionNumber": draft.dimension}
        body = draft.to_json() | number
        return self._post("post-tag-group", "tag-groups", TagGroup.from_json, body)

    def find(self, where: Filter | None = None) -> Iterator[TagGroup]:
        """Fetch the groups that a filter lets through, page by page as they are taken.

        Filters: `name`, `dimensionNumber`. Repeatable. Needs scope `tags:read`.
        """
        return self._pages("get-tag-groups", "tag-groups", TagGroup.from_json, where=where)

    def get(self, group_id: UUID) -> TagGroup:
        """Fetch one group with its tags. Repeatable. Needs scope `tags:read`."""
        parse = same(TagGroup.from_json, group_id)
        return self._get("get-tag-group-by-id", f"tag-groups/{group_id}", parse)

    def update(self, group_id: UUID, draft: TagGroupDraft) -> TagGroup:
        """Replace name and alias; the dimension stays, whatever the draft says, and so do tags.

        Repeatable. Needs scope `tags:write`.
        """
        parse = same(TagGroup.from_json, group_id)
        return self._put("put-tag-group", f"tag-groups/{group_id}", parse, draft.to_json())

    def delete(self, group_id: UUID) -> None:
        """Delete a group and its tags; `StateRefused` while one of them is used.

        Repeatable: `NotFound` after `OutcomeUnknown` means that it is done.
        Needs scope `tags:write`.
        """
        self._delete("delete-tag-group", f"tag-groups/{group_id}")


class Tags(Resource):
    """`/tag-groups/{tagGroupId}/tags`; they are read with their group."""

    def create(self, group_id: UUID, name: str) -> Tag:
        """Add a tag to a group.

        Not repeatable: the name is taken then. After `OutcomeUnknown` or `StateRefused`, look
        for the name in the group. Needs scope `tags:write`.
        """
        path, body = f"tag-groups/{group_id}/tags", {"name": _named(name)}
        return self._post("post-tag-group-tag", path, Tag.from_json, body)

    def update(self, group_id: UUID, tag_id: UUID, name: str) -> Tag:
        """Give a tag another name.

        Repeatable. Needs scope `tags:write`.
        """
        path, parse = f"tag-groups/{group_id}/tags/{tag_id}", same(Tag.from_json, tag_id)
        return self._put("put-tag-group-tag", path, parse, {"name": _named(name)})

    def delete(self, group_id: UUID, tag_id: UUID) -> None:
        """Delete a tag; `StateRefused` while an entry carries it.

        Repeatable: `NotFound` after `OutcomeUnknown` means that it is done.
        Needs scope `tags:write`.
        """
        self._delete("delete-tag-group-tag", f"tag-groups/{group_id}/tags/{tag_id}")


def _named(name: str) -> str:
    if not name.strip():
        raise Unsendable("a tag and a tag group have a name")
    return name
