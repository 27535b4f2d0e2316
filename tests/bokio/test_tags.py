"""Tags and the groups that hold them."""

from uuid import uuid4

import pytest

from bokio_app.bokio.errors import StateRefused, Unsendable
from bokio_app.bokio.filters import F
from bokio_app.bokio.tags import TagGroupDraft
from tests.bokio.server import answers, json_of

GROUP, TAG = uuid4(), uuid4()


class TestTags:
    BODY = {
        "id": str(GROUP),
        "name": "Projekt",
        "alias": "@",
        "dimensionNumber": 6,
        "tags": [{"id": str(TAG), "name": "Alfa", "colour": "red"}],
        "archived": False,
    }

    def test_groups_are_made_found_fetched_changed_and_deleted(self, server, bokio, company_id):
        server.will(
            answers(self.BODY | {"tags": []}),
            answers({"items": [self.BODY], "totalPages": 1}),
            answers(self.BODY),
            answers(self.BODY),
            answers(status=204),
        )
        groups = bokio.tag_groups

        made = groups.create(TagGroupDraft(name="Projekt", alias="@", dimension=6))
        (found,) = groups.find(F("dimensionNumber") == 6)
        group = groups.get(GROUP)
        groups.update(GROUP, TagGroupDraft.from_group(group))
        groups.delete(GROUP)

        below = f"/v1/companies/{company_id}/tag-groups"
        assert [(seen.method, seen.path) for seen in server.seen] == [
            ("POST", below),
            ("GET", below),
            ("GET", f"{below}/{GROUP}"),
            ("PUT", f"{below}/{GROUP}"),
            ("DELETE", f"{below}/{GROUP}"),
        ]
        assert json_of(server.seen[0]) == {"name": "Projekt", "alias": "@", "dimensionNumber": "6"}
        # The dimension is set once, and what is new to us goes back as it came.
        assert json_of(server.seen[3]) == {"name": "Projekt", "alias": "@", "archived": False}
        assert found == group
        assert (made.tags, group.dimension, group.extra) == ((), 6, {"archived": False})
        assert [(tag.id, tag.name, tag.extra) for tag in group.tags] == [
            (TAG, "Alfa", {"colour": "red"})
        ]

    def test_a_group_may_have_no_dimension(self, server, bokio):
        server.will(answers(self.BODY | {"dimensionNumber": None}))

        group = bokio.tag_groups.create(TagGroupDraft(name="Projekt", alias="@"))

        assert group.dimension is None
        assert "dimensionNumber" not in json_of(server.seen[0])

    def test_tags_are_made_renamed_and_deleted_below_their_group(self, server, bokio, company_id):
        body = {"id": str(TAG), "name": "Alfa"}
        server.will(answers(body), answers(body), answers(status=204))

        assert bokio.tags.create(GROUP, "Alfa") == bokio.tags.update(GROUP, TAG, "Alfa")
        bokio.tags.delete(GROUP, TAG)

        below = f"/v1/companies/{company_id}/tag-groups/{GROUP}/tags"
        assert [(seen.method, seen.target, seen.body) for seen in server.seen] == [
            ("POST", below, b'{"name":"Alfa"}'),
            ("PUT", f"{below}/{TAG}", b'{"name":"Alfa"}'),
            ("DELETE", f"{below}/{TAG}", b""),
        ]

    @pytest.mark.parametrize(
        "name, alias", [(" ", "@"), ("Projekt", ""), ("Projekt", " "), ("Projekt", "@@@@")]
    )
    def test_a_group_that_bokio_would_refuse_is_refused_before_sending(self, name, alias):
        with pytest.raises(Unsendable, match=r"name|alias"):
            TagGroupDraft(name=name, alias=alias)

    def test_a_tag_without_a_name_is_refused_before_sending(self, server, bokio):
        for act in (
            lambda: bokio.tags.create(GROUP, " "),
            lambda: bokio.tags.update(GROUP, TAG, ""),
        ):
            with pytest.raises(Unsendable, match="name"):
                act()

        assert server.seen == []

    def test_a_tag_in_use_stays(self, server, bokio):
        server.will(answers({"code": "validation-error", "message": "it is in use"}, 400))

        with pytest.raises(StateRefused, match="in use"):
            bokio.tags.delete(GROUP, TAG)
