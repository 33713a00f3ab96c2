"""The portal's addresses. Fixed words come first: a course of that name would be out of reach."""

from django.urls import URLPattern, path

from lessons.views import accounts, courses, exercises, labs, site, submissions, terminals

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
    path("labs/<uuid:lab_id>/", labs.show, name="lab"),
    path("labs/<uuid:lab_id>/head/", labs.head, name="lab-head"),
    path("labs/<uuid:lab_id>/checks/", labs.checks, name="lab-checks"),
    path("labs/<uuid:lab_id>/topology/", labs.topology, name="lab-topology"),
    path("labs/<uuid:lab_id>/step/", labs.return_to_step, name="lab-step"),
    path("labs/<uuid:lab_id>/extend/", labs.extend, name="lab-extend"),
    path("labs/<uuid:lab_id>/end/", labs.end, name="lab-end"),
    path("labs/<uuid:lab_id>/reset/", labs.reset, name="lab-reset"),
    path("labs/<uuid:lab_id>/terminals/", terminals.open_terminal, name="terminals"),
    path("labs/<uuid:lab_id>/terminals/<int:number>/free/", terminals.free, name="terminal-free"),
    path("<slug:course_slug>/", courses.course, name="course"),
    path("<slug:course_slug>/exercises/<slug:exercise_slug>/", exercises.show, name="exercise"),
    path("<slug:course_slug>/exercises/<slug:exercise_slug>/draft/", exercises.save_draft, name="draft"),
    path("<slug:course_slug>/exercises/<slug:exercise_slug>/lab/", labs.start_or_card, name="exercise-lab"),
    path(
        "<slug:course_slug>/exercises/<slug:exercise_slug>/submissions/", submissions.create_or_list, name="submissions"
    ),
    path("<slug:course_slug>/<slug:lesson_slug>/", courses.lesson, name="lesson"),
    path("<slug:course_slug>/<slug:lesson_slug>/images/<str:name>", courses.lesson_image, name="lesson-image"),
]
