from django.urls import path

from . import views

app_name = "connections"
urlpatterns = [
    path("", views.list_, name="list"),
    path("options/", views.options, name="options"),
    path("notices/", views.notices, name="notices"),
    path("members/", views.members, name="members"),
    path("members/invite/", views.invite_colleague, name="invite_colleague"),
    path("members/invite/<uuid:invitation_id>/again/", views.invite_again, name="invite_again"),
    path(
        "members/invite/<uuid:invitation_id>/revoke/",
        views.revoke_colleague,
        name="revoke_colleague",
    ),
    path("members/<int:member_id>/", views.member_access, name="member"),
    path("members/<int:member_id>/role/", views.member_role, name="member_role"),
    path("members/<int:member_id>/remove/", views.member_remove, name="member_remove"),
    path("joining/<uuid:invitation_id>/", views.joining, name="joining"),
    path("invite/", views.invite, name="invite"),
    path("invite/<uuid:invitation_id>/revoke/", views.revoke_invitation, name="revoke_invitation"),
    path("invited/over/", views.invitation_over, name="invitation_over"),
    path("invited/thanks/", views.invited_thanks, name="invited_thanks"),
    path("invited/<uuid:invitation_id>/", views.invited, name="invited"),
    path(
        "invited/<uuid:invitation_id>/<slug:reason>/", views.invited_failed, name="invited_failed"
    ),
    path("private/", views.private_token, name="private_token"),
    path("private/<uuid:connection_id>/", views.private_result, name="private_result"),
    path("private/<uuid:connection_id>/token/", views.replace_token, name="replace_token"),
    path("connect/", views.connect, name="connect"),
    path("marketplace/", views.marketplace, name="marketplace"),
    path("connect/failed/<slug:reason>/", views.failed, name="failed"),
    path("<uuid:connection_id>/", views.detail, name="detail"),
    path("<uuid:connection_id>/connected/", views.result, name="result"),
    path("<uuid:connection_id>/renewed/", views.renewed, name="renewed"),
    path("<uuid:connection_id>/read/", views.read, name="read"),
    path("<uuid:connection_id>/look/", views.look_again, name="look_again"),
    path("<uuid:connection_id>/reconnect/", views.reconnect, name="reconnect"),
    path("<uuid:connection_id>/more/", views.more, name="more"),
    path("<uuid:connection_id>/disconnect/", views.disconnect, name="disconnect"),
    path("<uuid:connection_id>/disconnected/", views.leaving, name="leaving"),
]
