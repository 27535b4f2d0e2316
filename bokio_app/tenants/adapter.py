"""What django-allauth asks us: accounts are made by invitation, never by sign-up."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class ClosedSignup(DefaultAccountAdapter):  # type: ignore[misc]  # allauth carries no types
    """Sign-in and password change without a public sign-up page."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
