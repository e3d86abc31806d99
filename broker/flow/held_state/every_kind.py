"""Every kind of sealed record that the login store may hold, for what goes through all of them."""

from broker.flow.console.session_record import CONSOLE_SESSION
from broker.flow.held_state.records import (
    CHOOSING,
    GRANT,
    OFFERED,
    PENDING,
    PREPARED,
    REFRESH,
    USERINFO,
)
from broker.flow.held_state.request_records import PUSHED, USED_OBJECT
from broker.flow.login_tests.sent_records import LOGIN_TESTED
from broker.flow.me.me_records import ME_SESSION
from broker.flow.own_logins.own_login_records import OWN_LOGIN
from broker.flow.programs.api_records import API_TOKEN
from broker.flow.sessions.logout_records import LOGGED_OUT, LOGOUT, LOGOUT_RESULT
from broker.flow.sessions.session_records import (
    PARTICIPATION,
    SESSION,
    SESSION_AT_SCHOOL,
    STANDING,
    TOLD_LOGIN,
)
from broker.flow.switching.volunteer_records import AT_SCHOOL, BETWEEN

EVERY_KIND = (
    *(CHOOSING, PENDING, OFFERED, PREPARED, GRANT, USERINFO, REFRESH, API_TOKEN),
    *(AT_SCHOOL, BETWEEN, LOGIN_TESTED, PUSHED, USED_OBJECT, SESSION, STANDING, PARTICIPATION),
    *(SESSION_AT_SCHOOL, TOLD_LOGIN, LOGOUT, LOGGED_OUT, LOGOUT_RESULT),
    *(CONSOLE_SESSION, OWN_LOGIN, ME_SESSION),
)
