"""Where URLs begin."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("lessons.urls")),
]

handler400 = "lessons.views.errors.bad_request"
handler403 = "lessons.views.errors.forbidden"
handler404 = "lessons.views.errors.not_found"
