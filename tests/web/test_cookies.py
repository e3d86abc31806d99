"""Our cookies: names, flags, life, and what is read back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import Response

from broker.domain.ids import RelyingPartyId
from broker.flow.answers import LoginCookie
from broker.flow.held_state.handles import Handle, parse_handle
from broker.web.cookies import (
    MAX_LOGINS_AT_ONCE,
    MAX_LOGOUTS_AT_ONCE,
    MAX_SESSIONS,
    STARTS_SECONDS,
    Cookies,
    HeldLogin,
)
from tests.web.broker_site import a_scope

STATE = "s" * 22
HANDLE = "A" * 43
VALUE = f"{HANDLE}.rekenrijk-web.1000"
LOGIN = LoginCookie(STATE, parse_handle(HANDLE), RelyingPartyId("rekenrijk-web"), 60)
PLAIN = Cookies(secure=False, remembered_school_seconds=100)
SECURE = Cookies(secure=True, remembered_school_seconds=100)


def showing(*headers: str) -> Request:
    """Return a request with these Cookie headers."""
    return Request(a_scope(headers=[(b"cookie", each.encode("latin-1")) for each in headers]))


def set_by(response: Response) -> list[str]:
    return response.headers.getlist("set-cookie")


def opened(cookies: Cookies) -> str:
    response = Response()
    cookies.open_login(response, LOGIN, now_seconds=1000)
    (header,) = set_by(response)
    return header


class TestFlags:
    def test_on_https_every_cookie_is_bound_to_this_host(self) -> None:
        response = Response()
        SECURE.open_login(response, LOGIN, now_seconds=1000)
        SECURE.close_login(response, STATE)
        SECURE.remember_school(response, "kompas")
        SECURE.remember_language(response, "nl")
        SECURE.bind_forms(response, "0" * 32)
        response.raw_headers.append(SECURE.count_starts(showing(), now_seconds=0)[1])
        assert len(set_by(response)) == 6
        for each in set_by(response):
            assert each.startswith("__Host-")
            assert "; Path=/; HttpOnly; Secure; SameSite=" in each
            assert "domain" not in each.lower()

    def test_the_logins_cookie_survives_a_cross_site_post_on_https(self) -> None:
        assert opened(SECURE).endswith("; SameSite=None")

    def test_on_loopback_http_it_is_lax_and_bare(self) -> None:
        assert opened(PLAIN) == (
            f"login.{STATE}={VALUE}; Max-Age=60; Path=/; HttpOnly; SameSite=Lax"
        )

    def test_a_chosen_language_survives_it_too(self) -> None:
        response = Response()
        SECURE.remember_language(response, "en")
        assert [each.rpartition("; ")[2] for each in set_by(response)] == ["SameSite=None"]
        PLAIN.remember_language(response, "en")
        assert set_by(response)[1].endswith("; SameSite=Lax")

    def test_other_cookies_stay_home(self) -> None:
        response = Response()
        SECURE.remember_school(response, "kompas")
        assert set_by(response) == [
            "__Host-school=kompas; Max-Age=100; Path=/; HttpOnly; Secure; SameSite=Lax"
        ]

    def test_forgetting_ends_the_cookie(self) -> None:
        response = Response()
        PLAIN.remember_school(response, "")
        PLAIN.close_login(response, STATE)
        assert all("; Max-Age=0; " in each for each in set_by(response))


class TestReading:
    def test_what_was_set_is_read(self) -> None:
        held = HeldLogin(HANDLE, "rekenrijk-web")
        assert PLAIN.read_login(showing(f"a=b; login.{STATE}={VALUE}"), STATE) == held
        assert SECURE.read_login(showing(f"__Host-login.{STATE}={VALUE}"), STATE) == held
        assert HANDLE not in repr(held)

    @pytest.mark.parametrize(
        "value",
        [
            "",
            HANDLE,
            f"{HANDLE}..1000",
            f"{HANDLE}.a",
            f"{HANDLE}.UPPER.1000",
            f"{HANDLE}.-x.1000",
            f"{HANDLE}.a/b.1000",
            f"{HANDLE}.a.b.1000",
            f"{HANDLE}.{'a' * 65}.1000",
            f"{HANDLE}.a.",
            f"{HANDLE}.a.-1",
            f"{HANDLE}.a.1e3",
            f"{HANDLE}.a.{'9' * 13}",
            f"A{VALUE}",
            VALUE[1:],
        ],
    )
    def test_a_value_that_we_did_not_set_is_none(self, value: str) -> None:
        assert PLAIN.read_login(showing(f"login.{STATE}={value}"), STATE) is None

    def test_a_cookie_without_the_prefix_is_not_ours_on_https(self) -> None:
        assert SECURE.read_login(showing(f"login.{STATE}={VALUE}"), STATE) is None

    @pytest.mark.parametrize(
        "headers",
        [
            (f"login.{STATE}={VALUE}; login.{STATE}={'B' * 43}.x.1000",),
            (f"login.{STATE}={VALUE}", f"login.{STATE}={VALUE}"),
            (f"login.{STATE}={VALUE}; x=y; login.{STATE}=; login.{STATE}={VALUE}",),
        ],
    )
    def test_a_name_that_comes_twice_has_no_value(self, headers: tuple[str, ...]) -> None:
        assert PLAIN.read_login(showing(*headers), STATE) is None

    @pytest.mark.parametrize("state", ["", "x", STATE + "\n", "ü" * 22, f"../{STATE}"])
    def test_a_state_that_we_did_not_make_finds_nothing(self, state: str) -> None:
        assert PLAIN.read_login(showing(f"login.{state.strip()}={VALUE}"), state) is None

    @pytest.mark.parametrize("value", ["", "x", "0" * 31, "g" * 32])
    def test_a_form_value_that_we_did_not_make_is_none(self, value: str) -> None:
        assert PLAIN.read_form(showing(f"form={value}")) == ""
        assert PLAIN.read_form(showing(f"form={'0' * 32}")) == "0" * 32

    @given(st.lists(st.text(st.characters(max_codepoint=255))))
    def test_any_header_can_be_read(self, headers: list[str]) -> None:
        request = showing(*headers)
        assert isinstance(PLAIN.read(request, "lang"), str)
        PLAIN.close_left_logins(request, Response())


def left_of(header: str) -> set[str]:
    """Return the names of the cookies that are taken back."""
    response = Response()
    PLAIN.close_left_logins(showing(header), response)
    return {each.partition("=")[0] for each in set_by(response)}


class TestManyTabs:
    def test_the_oldest_logins_are_left_first(self) -> None:
        states = [f"{n:022}" for n in range(MAX_LOGINS_AT_ONCE + 3)]
        response = Response()
        PLAIN.close_left_logins(
            showing("; ".join(f"login.{each}={VALUE}" for each in states)), response
        )
        assert [each.partition("=")[0] for each in set_by(response)] == [
            f"login.{each}" for each in states[:3]
        ]

    @given(st.permutations(range(MAX_LOGINS_AT_ONCE + 3)))
    def test_whatever_their_order_in_the_request(self, order: list[int]) -> None:
        held = [f"login.{n:022}={HANDLE}.x.{1000 + n}" for n in order]
        assert left_of("; ".join(held)) == {f"login.{n:022}" for n in range(3)}

    def test_what_we_did_not_set_is_left_before_what_we_did(self) -> None:
        held = [f"login.{n:022}={HANDLE}.x.1000" for n in range(MAX_LOGINS_AT_ONCE)]
        assert left_of("; ".join([*held, f"login.{STATE}=x"])) == {f"login.{STATE}"}

    def test_as_many_as_may_be_lose_none(self) -> None:
        held = [f"login.{n:022}={HANDLE}.x.1000" for n in range(MAX_LOGINS_AT_ONCE)]
        assert left_of("; ".join(held)) == set()

    def test_names_that_are_no_login_of_ours_are_let_be(self) -> None:
        response = Response()
        PLAIN.close_left_logins(showing("; ".join(f"login.{n}\r\n=x" for n in range(30))), response)
        assert set_by(response) == []


class TestStarts:
    def test_starts_within_a_minute_are_counted(self) -> None:
        count, cookie = PLAIN.count_starts(showing(), now_seconds=1000)
        assert (count, cookie[1][:15]) == (1, b"starts=1000-1; ")
        count, cookie = PLAIN.count_starts(showing("starts=1000-1"), now_seconds=1059)
        assert (count, cookie[1][:15]) == (2, b"starts=1000-2; ")

    @pytest.mark.parametrize(
        "shown", ["", "x", "1000", "1000-x", "2000-5", "-1-5", f"{1000 - STARTS_SECONDS}-9"]
    )
    def test_anything_else_begins_anew(self, shown: str) -> None:
        assert PLAIN.count_starts(showing(f"starts={shown}"), now_seconds=1000)[0] == 1


class TestSessions:
    def test_no_more_are_read_than_a_browser_may_hold(self) -> None:
        begun = range(MAX_SESSIONS + 4)
        handles = [Handle(each.to_bytes(32)) for each in begun]
        shown = [
            f"session.{str(each).zfill(22)}={handles[each].text}.{1000 + each}" for each in begun
        ]
        read = PLAIN.read_standings(showing("; ".join(shown)))
        assert read == [handles[each].text for each in sorted(begun, reverse=True)[:MAX_SESSIONS]]


class TestLogouts:
    @pytest.mark.parametrize("cookies", [PLAIN, SECURE])
    def test_too_many_make_room(self, cookies: Cookies) -> None:
        """A page that sends a browser round and round must not fill its headers."""
        prefix = "__Host-logout." if cookies is SECURE else "logout."
        most = [f"{prefix}{str(each).zfill(22)}" for each in range(MAX_LOGOUTS_AT_ONCE)]
        for held, closed in ((most[:-1], []), (most, most)):
            response = Response()
            shown = "; ".join(f"{each}={HANDLE}" for each in [*held, f"{prefix}x", "other"])
            cookies.open_logout(showing(shown), response, STATE, HANDLE, seconds=60)
            *gone, opened = set_by(response)
            assert opened.startswith(f"{prefix}{STATE}={HANDLE}; Max-Age=60;")
            assert [each.partition("=;")[0] for each in gone] == closed
            assert all("Max-Age=0" in each for each in gone)
