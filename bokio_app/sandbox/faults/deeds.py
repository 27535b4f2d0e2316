"""What somebody does in Bokio at the very moment a call arrives."""

import uuid

from bokio_app.sandbox import clock, store
from bokio_app.sandbox.faults.fault import COMPANY_PATH
from bokio_app.sandbox.models import AccessToken, Company, Connection, Plan
from bokio_app.sandbox.oauth import bearer_digest
from bokio_app.sandbox.wire import Call


def end_token(call: Call) -> None:
    """Let the access token of the call end now."""
    with store.write():
        AccessToken.objects.filter(token_hash=bearer_digest(call.headers)).update(
            expires_at=clock.now()
        )


def end_connection(call: Call) -> None:
    """End the connection behind the call's token, and with it all its tokens."""
    with store.write():
        Connection.objects.filter(tokens__token_hash=bearer_digest(call.headers)).delete()


def change_plan(call: Call, plan: Plan) -> None:
    """Put the company of the call's path on another plan; a path without one changes nothing."""
    given = call.path.partition(COMPANY_PATH)[2].partition("/")[0]
    try:
        company_id = uuid.UUID(given)
    except ValueError:
        return
    with store.write():
        Company.objects.filter(uuid=company_id).update(plan=plan)
