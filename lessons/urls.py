"""The portal's addresses. Fixed words come first: a course of that name would be out of reach."""

from django.urls import URLPattern, path

from lessons.views import accounts, courses, exercises, site, submissions

urlpatterns: list[URLPattern] = [
    path("", courses.home, name="home"),
    path("healthz", site.health, name="health"),
    path("login/", accounts.LoginView.as_view(), name="login"),
    path("logout/", accounts.log_out, name="logout"),
    path("guest/", accounts.enter_as_guest, name="guest"),
    path("theme/", site.set_theme, name="theme"),
    path("me/", courses.me, name="me"),
    path("submissions/<uuid:submission_id>/", submissions.show, name="submission"),
    path("submissions/<uuid:submission_id>/retry/", submissions.retry, name="retry"),
    path("<slug:course_slug>/", courses.course, name="course"),
    path("<slug:course_slug>/exercises/<slug:exercise_slug>/", exercises.show, name="exercise"),
    path("<slug:course_slug>/exercises/<slug:exercise_slug>/draft/", exercises.save_draft, name="draft"),
    path(
        "<slug:course_slug>/exercises/<slug:exercise_slug>/submissions/", submissions.create_or_list, name="submissions"
    ),
    path("<slug:course_slug>/<slug:lesson_slug>/", courses.lesson, name="lesson"),
    path("<slug:course_slug>/<slug:lesson_slug>/images/<str:name>", courses.lesson_image, name="lesson-image"),
]
