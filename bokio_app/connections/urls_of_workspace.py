from django.urls import path

from .views import workspace

app_name = "workspace"
urlpatterns = [
    path("", workspace.workspace, name="workspace"),
    path("choose/", workspace.choose, name="choose"),
    path("leave/", workspace.leave, name="leave"),
    path("close/", workspace.close, name="close"),
]
