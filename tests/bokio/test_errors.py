import inspect
import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx2
import pytest

from bokio_app.bokio import errors
from bokio_app.bokio.answers import LONGEST_WAIT, Answer
from bokio_app.bokio.errors import FieldError, PlanDetails, Verdict, classify
from tests.bokio.server import json_bytes

ERROR_ID = "d9be5a60-9ad5-4a9a-8b9c-3e8a5a9e2b4f"


def answer(status: int, body: object = b"", **headers: str) -> Answer:
    content = body if isinstance(body, bytes) else json_bytes(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, httpx2.Headers(named), content)


FIELD = {
    "code": "validation-error",
    "errors": [{"field": "#/lineItems/0/taxRate", "message": "no"}],
}
REFUSED = {"code": "validation-error", "message": "The action cannot be performed"}


@pytest.mark.parametrize(
    "given, expected, verdict, not_executed",
    [
        (answer(400, FIELD), errors.Invalid, Verdict.STOP, True),
        (answer(400, {"error": FIELD}), errors.Invalid, Verdict.STOP, True),
        (answer(400, REFUSED), errors.StateRefused, Verdict.LOOK_FIRST, False),
        (answer(400, REFUSED | {"errors": []}), errors.StateRefused, Verdict.LOOK_FIRST, False),
        (answer(400, REFUSED | {"errors": None}), errors.StateRefused, Verdict.LOOK_FIRST, False),
        (answer(400, {"code": "limit-exceeded"}), errors.Invalid, Verdict.STOP, True),
        (answer(400, b"<html>"), errors.StateRefused, Verdict.LOOK_FIRST, False),
        (answer(401), errors.Unauthorized, Verdict.RECONNECT, True),
        (answer(403), errors.Forbidden, Verdict.STOP, True),
        (answer(403, Bokio_RateLimit_RetryAfter="3"), errors.Forbidden, Verdict.STOP, True),
        (answer(403, {"code": "quota-exceeded"}), errors.QuotaExceeded, Verdict.PARK_QUOTA, True),
        (
            answer(403, {"code": "new"}, Retry_After="9"),
            errors.QuotaExceeded,
            Verdict.PARK_QUOTA,
            True,
        ),
        (
            answer(403, {"error": "price_plan_feature_required", "details": {}}),
            errors.PlanRequired,
            Verdict.PARK_PLAN,
            True,
        ),
        (answer(404, {"code": "not-found"}), errors.NotFound, Verdict.STOP, True),
        (answer(410), errors.NotFound, Verdict.STOP, True),
        (
            answer(410, {"code": "version_sunset_brownout"}),
            errors.VersionBrownout,
            Verdict.BROWNOUT,
            True,
        ),
        (
            answer(410, {"error": {"code": "version_sunset_brownout"}}),
            errors.VersionBrownout,
            Verdict.BROWNOUT,
            True,
        ),
        (answer(426), errors.VersionBrownout, Verdict.BROWNOUT, True),
        (answer(426, b"<html>"), errors.VersionBrownout, Verdict.BROWNOUT, True),
        (answer(409), errors.ConcurrentWrite, Verdict.RETRY, True),
        (answer(429, {"code": "quota-exceeded"}), errors.QuotaExceeded, Verdict.PARK_QUOTA, True),
        (answer(429), errors.ConcurrentWrite, Verdict.RETRY, True),
        (answer(429, {"code": "rate-limit-exceeded"}), errors.RateLimited, Verdict.RETRY, True),
        (answer(429, Bokio_RateLimit_RetryAfter="7"), errors.RateLimited, Verdict.RETRY, True),
        (answer(429, X_Bokio_RateLimit_RetryAfter="7"), errors.RateLimited, Verdict.RETRY, True),
        *[
            (answer(status), errors.OutcomeUnknown, Verdict.LOOK_FIRST, False)
            for status in (301, 302, 307, 405, 408, 413, 415, 422, 499, 500, 502, 503, 504, 599)
        ],
    ],
)
def test_each_refusal_says_what_may_be_done_about_it(given, expected, verdict, not_executed):
    error = classify(given)

    assert type(error) is expected
    assert (error.verdict, error.not_executed) == (verdict, not_executed)
    assert error.status == given.status


@pytest.mark.parametrize("wrap", [lambda body: body, lambda body: {"error": body}])
def test_code_reference_and_fields_are_read_flat_and_nested(wrap):
    body = wrap(FIELD | {"message": "Wrong", "bokioErrorId": ERROR_ID})

    error = classify(answer(400, body))

    assert (error.code, error.error_id, str(error)) == ("validation-error", ERROR_ID, "400: Wrong")
    assert error.fields == (FieldError("#/lineItems/0/taxRate", "no"),)


def test_a_refused_filter_names_the_query():
    body = {"code": "validation-error", "errors": [{"field": "query", "message": "bad"}, "odd"]}

    assert classify(answer(400, body)).fields == (FieldError("query", "bad"), FieldError("", "odd"))


def test_an_oauth_error_keeps_its_code():
    error = classify(answer(400, {"error": "invalid_grant", "error_description": "spent"}))

    assert error.code == "invalid_grant"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'"text"', b"null", b'{"error": 5}'])
def test_an_answer_without_a_readable_body_is_told_by_its_status(body):
    error = classify(answer(502, body))

    assert (str(error), error.code, error.fields) == ("502: Bad Gateway", "", ())


def test_a_personal_number_in_a_message_is_masked_and_a_companys_number_is_not():
    fields = [{"field": "#/orgNumber", "message": "19811218-9876 is wrong"}]
    numbers = "811218-9876, 198112189876, 8112189876, 19811218 9876, se811218987601 or 556677-8899"
    body = {"message": numbers, "errors": fields}

    error = classify(answer(400, body))

    assert "9876" not in f"{error} {error.fields}"
    assert "556677-8899" in str(error)


@pytest.mark.parametrize("text", ["5566778899", "SE556677889901", "OCR 1099117", "1000,00 (2024)"])
def test_a_number_of_another_kind_stays_in_the_message(text):
    assert str(classify(answer(400, {"message": text}))) == f"400: {text}"


@pytest.mark.parametrize(
    "pointer, path",
    [
        ("#/lineItems/0/taxRate", ("lineItems", 0, "taxRate")),
        ("/payments/1/amount", ("payments", 1, "amount")),
        ("#/metadata/a~1b~0c%20d", ("metadata", "a/b~c d")),
        ("#", ()),
        ("", ()),
        ("query", ("query",)),
        (f"#/items/{'9' * 5000}/٣/007", ("items", "9" * 5000, "٣", "007")),
    ],
)
def test_a_pointer_is_taken_apart_into_names_and_places(pointer, path):
    assert FieldError(pointer, "").path == path


class TestPlan:
    BODY = {
        "error": "price_plan_feature_required",
        "message": "This feature requires the Tags add-on",
        "details": {
            "requiredFeature": "Tags",
            "availableIn": ["Plus", "Business"],
            "availableAsAddonIn": ["Premium"],
            "isAvailableInTrial": True,
            "isInTrial": False,
        },
    }

    def test_what_the_company_would_have_to_buy_is_told(self):
        error = classify(answer(403, self.BODY))

        assert error.details == PlanDetails("Tags", ("Plus", "Business"), ("Premium",), True, False)
        assert str(error) == "403: This feature requires the Tags add-on"

    @pytest.mark.parametrize(
        "details",
        [None, [], "Plus", {}, {"requiredFeature": 1, "availableIn": "Plus", "isInTrial": "no"}],
    )
    def test_details_that_cannot_be_read_are_left_empty(self, details):
        assert classify(answer(403, self.BODY | {"details": details})).details == PlanDetails()


@pytest.mark.parametrize("wrap", [lambda body: body, lambda body: {"error": body}])
def test_the_inner_code_is_read_flat_and_nested(wrap):
    error = classify(answer(400, wrap(REFUSED | {"innerCode": "fiscal-year-closed"})))

    assert (error.code, error.inner_code) == ("validation-error", "fiscal-year-closed")


def test_a_code_that_is_no_word_is_no_code():
    error = classify(answer(400, {"code": 7, "innerCode": {}, "bokioErrorId": ["x"]}))

    assert (error.code, error.inner_code, error.error_id) == ("", "", "")


def test_the_start_of_the_answer_is_kept_for_support_without_long_numbers_and_out_of_sight():
    numbers = "19811218-9876, 8112189876, 198112189876 and 5566778899"
    padding = "x" * (errors.BODY_LENGTH - 200)

    error = classify(answer(502, f"{padding}<p>{numbers}</p>".encode() + b"8112189876" * 50))

    assert error.body.startswith("xxx")
    assert len(error.body) <= errors.BODY_LENGTH
    assert not re.search(r"\d{4}", error.body)
    assert "xxx" not in f"{error} {error!r}"


@pytest.mark.parametrize("letter", ["x", "å"])
@pytest.mark.parametrize("seen", range(14))
def test_a_number_that_stands_at_the_end_of_what_is_kept_does_not_show_a_part(letter, seen):
    before = errors.BODY_LENGTH - seen
    padding = (letter * errors.BODY_LENGTH).encode()[: before - before % len(letter.encode())]

    error = classify(answer(502, padding + b"19811218-9876 and more"))

    assert not re.search(r"\d", error.body)


def test_many_masked_numbers_bring_no_half_of_a_number_forward():
    error = classify(answer(502, b"19811218-9876 " * errors.BODY_LENGTH))

    assert not re.search(r"\d", error.body)


def test_the_start_of_the_answer_can_be_stored():
    assert classify(answer(502, b"<p>\0 Bad\x1b gateway\n\xff</p>")).body == (
        "<p> Bad gateway\n\ufffd</p>"
    )


class TestRetryAfter:
    @pytest.mark.parametrize("status", [410, 426])
    def test_a_brownout_may_say_when_it_ends(self, status):
        given = answer(status, {"code": "version_sunset_brownout"}, Retry_After="3600")

        assert classify(given).retry_after == 3600

    @pytest.mark.parametrize("status", [503, 409])
    def test_any_answer_may_say_when_to_come_back(self, status):
        assert classify(answer(status, Retry_After="30")).retry_after == 30

    def test_a_rate_limit_waits_as_long_as_bokio_says(self):
        assert classify(answer(429, Bokio_RateLimit_RetryAfter="12.5")).retry_after == 12.5

    def test_bokios_own_header_wins_over_the_standard_one(self):
        given = answer(429, Bokio_RateLimit_RetryAfter="2", Retry_After="60")

        assert classify(given).retry_after == 2

    def test_a_quota_waits_by_the_standard_header(self):
        given = answer(
            403, {"code": "quota-exceeded"}, Retry_After="3600", Bokio_RateLimit_RetryAfter="1"
        )

        assert classify(given).retry_after == 3600

    def test_a_date_is_measured_on_the_servers_clock_even_when_ours_is_wrong(self):
        there = datetime(2031, 5, 1, 12, tzinfo=UTC)
        later = format_datetime(there + timedelta(minutes=5), usegmt=True)

        given = answer(
            403,
            {"code": "quota-exceeded"},
            Retry_After=later,
            Date=format_datetime(there, usegmt=True),
        )

        assert classify(given).retry_after == 300

    @pytest.mark.parametrize(
        "value",
        ["soon", "", "nan", "inf", "Thu, 99 Foo 2026", f"1 Jan {'9' * 20} 00:00:00 GMT"],
    )
    def test_a_wait_that_cannot_be_read_is_left_to_the_caller(self, value):
        assert (
            classify(answer(403, {"code": "quota-exceeded"}, Retry_After=value)).retry_after is None
        )

    @pytest.mark.parametrize("value, seconds", [("-5", 0), ("1e12", LONGEST_WAIT)])
    def test_an_absurd_wait_is_bounded(self, value, seconds):
        assert classify(answer(429, Retry_After=value)).retry_after == seconds


def test_every_error_that_promises_nothing_happened_is_meant_to():
    uncertain = {
        each
        for _, each in inspect.getmembers(errors, inspect.isclass)
        if issubclass(each, errors.BokioError) and not each.not_executed
    }

    assert uncertain == {errors.OutcomeUnknown, errors.StateRefused}
    assert {each.verdict for each in uncertain} == {Verdict.LOOK_FIRST}
