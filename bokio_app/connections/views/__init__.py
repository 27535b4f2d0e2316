"""Pages of companies. They read our own copy; only workers talk to Bokio, but for the exchange of
a consent's code.
"""

from .connecting import callback, connect, failed, reconnect
from .disconnecting import disconnect, leaving
from .invitations import (
    invitation,
    invitation_over,
    invite,
    invited,
    invited_failed,
    invited_thanks,
    revoke_invitation,
)
from .joining import joining
from .marketplace import marketplace, marketplace_connect, marketplace_disconnect
from .members import (
    invite_again,
    invite_colleague,
    member_access,
    member_remove,
    member_role,
    members,
    revoke_colleague,
)
from .more import more
from .notices import notices
from .pages import detail, list_, look_again, options, read, renewed, result
from .private_tokens import private_result, private_token, replace_token

__all__ = [
    "callback",
    "connect",
    "detail",
    "disconnect",
    "failed",
    "invitation",
    "invitation_over",
    "invite",
    "invite_again",
    "invite_colleague",
    "invited",
    "invited_failed",
    "invited_thanks",
    "joining",
    "leaving",
    "list_",
    "look_again",
    "marketplace",
    "marketplace_connect",
    "marketplace_disconnect",
    "member_access",
    "member_remove",
    "member_role",
    "members",
    "more",
    "notices",
    "options",
    "private_result",
    "private_token",
    "read",
    "reconnect",
    "renewed",
    "replace_token",
    "result",
    "revoke_colleague",
    "revoke_invitation",
]
