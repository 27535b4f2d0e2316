"""What a call makes of a server, a network or a clock that fails it."""

import logging
import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx2
import pytest

from bokio_app.bokio import transport
from bokio_app.bokio.errors import NotSent, OutcomeUnknown, Unauthorized
from bokio_app.bokio.http import Http
from bokio_app.bokio.transport import new_client, shared_client
from tests.bokio.server import Wire, answers, drips, raw_answer, sends, stalls

pytestmark = pytest.mark.fault

WHOLE = raw_answer(b'{"id": 1}')


def post(http, content=b"{}"):
    return http.send("post-invoice", "POST", "invoices", content=content)


@pytest.mark.parametrize(
    "act",
    [
        Wire.reset,
        Wire.close,
        sends(WHOLE[:20], then=Wire.reset),
        sends(WHOLE[:-4], then=Wire.reset),
        sends(WHOLE[:-4], then=Wire.close),
        sends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{", then=Wire.close),
        sends(b"220 mail.example.com ESMTP\r\n", then=Wire.close),
        answers(b"no gzip", Content_Encoding="gzip"),
        answers({}, 500),
        answers(b"<html>Bad gateway</html>", 502),
        answers(b"", 408),
        answers(b"", 307, Location="/v1/elsewhere"),
    ],
    ids=[
        "reset before the answer",
        "closed before the answer",
        "reset in the headers",
        "reset in the body",
        "closed in the body",
        "closed in a chunk",
        "another protocol",
        "broken compression",
        "error after the work",
        "gateway",
        "time-out of the server",
        "redirect",
    ],
)
def test_an_answer_that_is_lost_or_worthless_leaves_the_outcome_unknown(server, http, calls, act):
    server.will(act)

    with pytest.raises(OutcomeUnknown) as raised:
        post(http())

    assert not raised.value.not_executed
    assert len(server.seen) == 1, "the request was sent a second time"
    assert [call.operation for call in calls] == ["post-invoice"]


@pytest.mark.parametrize(
    "content", [b'{"id": ', b"<html>", b"", b"[]", b"null", b'{"name": "no id"}', b'{"id": 5}']
)
def test_a_success_with_a_body_that_tells_nothing_leaves_the_outcome_unknown(
    server, bokio, content
):
    server.will(answers(content))

    with pytest.raises(OutcomeUnknown) as raised:
        bokio.company.get()

    assert raised.value.status == 200


class TestTheDeadline:
    """It spans the whole exchange, however busy the server looks."""

    @pytest.mark.parametrize(
        "act",
        [
            stalls,
            drips(WHOLE * 50, every=0.02),
            sends(WHOLE[:-9], then=stalls),
            sends(
                b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n",
                then=drips(b" " * 9000, every=0.02),
            ),
            drips(b"HTTP/1.1 100 Continue\r\n\r\n" * 100, every=0.02),
        ],
        ids=["silence", "dripping headers", "half a body", "dripping body", "endless continue"],
    )
    def test_ends_the_call_on_time_and_leaves_the_outcome_unknown(self, server, http, act):
        server.will(act)
        started = time.monotonic()

        with pytest.raises(OutcomeUnknown):
            post(http(deadline=0.5))

        assert 0.45 < time.monotonic() - started < 1.5

    def test_gives_a_read_only_what_the_reads_before_it_have_left(self, server, http):
        dripped = drips(WHOLE[:-9], every=0.8 / len(WHOLE))

        def tires(wire):
            dripped(wire)
            stalls(wire)

        server.will(tires)
        started = time.monotonic()

        with pytest.raises(OutcomeUnknown):
            post(http(deadline=1))

        assert time.monotonic() - started < 1.5

    def test_ends_a_write_that_the_server_does_not_read(self, client):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
            http = Http(url, access_token="t", client=client, deadline=0.5)
            started = time.monotonic()

            with pytest.raises(OutcomeUnknown, match=r"WriteTimeout|ReadTimeout"):
                post(http, b" " * 50_000_000)

        assert time.monotonic() - started < 2

    def test_counts_each_call_for_itself_on_a_connection_used_again(self, server, http):
        server.will(drips(raw_answer(b"{}"), every=0.01))
        one, started = http(deadline=2), time.monotonic()

        while time.monotonic() - started < 2:
            post(one)

        assert len(server.wires) == 1


class TestNothingWasWritten:
    """Then the call may be made again without a look."""

    def test_when_the_connection_is_refused(self, http):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]

        with pytest.raises(NotSent, match="refused") as raised:
            post(http(f"http://127.0.0.1:{port}/v1"))

        assert raised.value.not_executed

    def test_when_the_name_is_not_known(self, http, monkeypatch):
        def unknown(*args, **kwargs):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", unknown)

        with pytest.raises(NotSent, match="not known"):
            post(http("https://bokio.invalid/v1"))

    def test_when_the_other_side_speaks_no_tls(self, server, http):
        with pytest.raises(NotSent, match="ConnectError"):
            post(http(server.url.replace("http:", "https:"), deadline=3))

        assert server.seen == []

    def test_when_the_handshake_never_ends(self, http):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]

            with pytest.raises(NotSent, match="ConnectTimeout"):
                post(http(f"https://127.0.0.1:{port}/v1", deadline=0.4))

    def test_when_every_connection_is_busy(self, server, http, monkeypatch):
        monkeypatch.setattr(transport, "CONNECTIONS", 1)
        server.will(stalls)
        with new_client() as narrow, ThreadPoolExecutor(1) as pool:
            first = pool.submit(post, http(client=narrow, deadline=1.5))
            wait_until(lambda: server.seen)

            with pytest.raises(NotSent, match="PoolTimeout"):
                post(http(client=narrow, deadline=0.3))

            assert isinstance(first.exception(), OutcomeUnknown)
        assert len(server.seen) == 1

    def test_when_its_time_to_be_sent_has_passed(self, server, http, calls):
        with pytest.raises(NotSent, match="had passed"):
            post(http(send_by=time.monotonic() - 0.001))

        assert server.seen == []
        assert [call.status for call in calls] == [0]

    @pytest.mark.parametrize("options", [{"send_by": 0.2}, {"deadline": 0.2}])
    def test_when_its_time_passes_while_the_name_is_looked_up(
        self, server, http, monkeypatch, options
    ):
        look_up = socket.getaddrinfo

        def slow(*args, **kwargs):
            time.sleep(0.4)  # the fault itself: a resolver that takes its time
            return look_up(*args, **kwargs)

        monkeypatch.setattr(socket, "getaddrinfo", slow)
        if "send_by" in options:
            options = {"send_by": time.monotonic() + options["send_by"]}

        with pytest.raises(NotSent):
            post(http(**options))

        assert server.seen == []

    def test_when_its_time_passes_on_a_connection_that_stands_already(self, server, http):
        server.will(answers({}))
        post(http())

        with pytest.raises(NotSent):
            post(http(send_by=time.monotonic() - 0.001))
        post(http(send_by=time.monotonic() + 5))

        assert len(server.seen) == 2

    def test_a_client_with_a_transport_of_its_own_is_held_back_too(self):
        def unreachable(request):
            raise AssertionError("sent")

        with httpx2.Client(transport=httpx2.MockTransport(unreachable)) as mocked:
            http = Http("http://bokio.test/v1", access_token="t", client=mocked, send_by=0.0)

            with pytest.raises(NotSent):
                post(http)


def test_an_answer_of_absurd_size_is_not_read_to_its_end(server, http):
    server.will(answers(b" " * 3_000_000))

    with pytest.raises(OutcomeUnknown, match="over 1000000 bytes") as raised:
        http().send("get-invoice", "GET", "invoices", largest=1_000_000)

    assert raised.value.status == 200


def test_an_idle_connection_that_the_server_closed_is_not_used_again(server, http):
    server.will(sends(raw_answer(b"{}"), then=Wire.close), answers({}))

    post(http())
    wait_until(lambda: not server.wires[0].open)
    post(http())

    assert len(server.seen) == 2


def test_no_cookie_of_one_company_goes_with_anothers_call(server, http):
    server.will(answers({}, Set_Cookie="who=one; Path=/"), answers({}))

    post(http())
    post(http(access_token="another"))

    assert "cookie" not in server.seen[1].headers


def test_a_proxy_or_netrc_of_the_machine_does_not_see_the_token(
    server, http, monkeypatch, tmp_path
):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    for name in ("HTTP_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("NETRC", str(netrc))
    server.will(answers({}))

    with new_client() as fresh:
        post(http(client=fresh))

    assert server.seen[0].headers["authorization"] == "Bearer secret-token"


def test_many_threads_share_one_client_and_each_gets_its_own_answer(server, client):
    def ask(number):
        http = Http(server.url, access_token=f"token-{number}", client=client)
        post(http, str(number).encode())
        return number

    server.will(answers({}))
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(ask, range(200)))

    sent = {(seen.headers["authorization"], seen.body.decode()) for seen in server.seen}
    assert sent == {(f"Bearer token-{number}", str(number)) for number in range(200)}


def test_one_threads_deadline_does_not_touch_anothers_call(server, http):
    gate = threading.Event()

    def late(wire):
        gate.wait(10)
        answers({})(wire)

    server.will(late)
    with ThreadPoolExecutor(1) as pool:
        patient = pool.submit(post, http(deadline=10))
        wait_until(lambda: server.seen)
        with pytest.raises(OutcomeUnknown):
            post(http(deadline=0.2))
        gate.set()

        assert patient.result(10).status == 200


def test_a_process_has_one_client_and_a_forked_child_another(monkeypatch):
    mine = shared_client()
    parent = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: parent + 1_000_000)

    childs = shared_client()

    assert mine is not childs
    assert childs is shared_client()
    childs.close()


def test_no_log_line_holds_an_address_a_token_or_a_body(server, http, caplog):
    for name in ("httpx2", "httpcore2", "httpcore2.http11", "httpcore2.connection"):
        caplog.set_level(logging.DEBUG, logger=name)
    secret = str(uuid4())
    server.will(answers({"name": "Doe"}), answers({"code": "x"}, 401), Wire.close)

    http().send("get-customer", "GET", "customers", query={"query": f"name=={secret}"})
    for expected in (Unauthorized, OutcomeUnknown):
        with pytest.raises(expected):
            post(http(), b'{"name": "Doe"}')

    for hidden in (secret, "secret-token", "Doe", "/v1/"):
        assert hidden not in caplog.text


def wait_until(condition, timeout=5.0):
    deadline = time.monotonic() + timeout
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        pause.wait(0.005)
