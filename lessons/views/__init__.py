"""What URLs do: parse, call one service, render.

Template names and their contexts (shapes are dataclasses of ``lessons.queries.shapes``). Every page also has
``request``, ``user``, ``theme`` ("light", "dark" or "auto"), ``guests`` (guests may try here),
``page_path`` (for ``next``) and ``csp_nonce`` (for style elements that a script makes; never for inline script).

======================== ======================================== =============================================
template                 when                                     context
======================== ======================================== =============================================
home.html                GET /                                    courses: [CourseCard]
course.html              GET /<course>/                           card: CourseCard
lesson.html              GET /<course>/<lesson>/                  page: LessonPage
exercise.html            GET /<course>/exercises/<slug>/          view: ExerciseView, course, lesson
_exercise.html           the same, htmx; included in blocks       view: ExerciseView
submission.html          GET /submissions/<uuid>/                 submission: SubmissionView, exercise, course
_submission.html         the same, htmx; reply to POST            submission: SubmissionView
history.html             GET …/submissions/                       exercise, course, rows: [HistoryRow]
_history.html            the same, htmx                           exercise, rows: [HistoryRow]
_draft.html              reply to POST …/draft/, htmx             saved_at: datetime, or None (nobody is logged in)
_problem.html            a refused POST, htmx (422 or 429)        problems: [str]
me.html                  GET /me/                                 page: LearnerPage
registration/login.html  GET and POST /login/                     form (username, password), next, guests
400, 403, 403_csrf, 404, 405, 413, 429 .html                      problem: str ("" or one sentence); no user in some
500.html                                                          no context at all
======================== ======================================== =============================================

POST fields of an exercise's form: ``file:<path>`` for each editable file, ``q:<question id>`` (repeated for
several options; an order repeats it in order), ``stdin``, ``token`` (view.token), ``action`` = grade | run, and the
CSRF field. The form posts to view.submit_url; drafts post the same fields to view.draft_url.

Replies to htmx (HX-Request): a finished submission is ``_submission.html`` with 200 (from a POST) or 286 (from a
poll: it ends hx-trigger="every …"). One to wait for has ``poll_url`` and ``poll_ms`` (else 0), and its fragment asks
again after that time: hx-get="{{ submission.poll_url }}" hx-trigger="load delay:{{ submission.poll_ms }}ms"
hx-swap="outerHTML"; a finished fragment carries no hx-trigger. 403, 413, 422 and 429 carry ``_problem.html`` and must
be swapped like a success (htmx-config responseHandling). Where a login is needed the reply has HX-Redirect. Without
htmx a POST redirects to the submission's page, or renders exercise.html again with ``view.problems``.

``?from=<submission uuid>`` on an exercise's page or fragment puts that attempt's files into the editor. Other POSTs:
``retry`` (no fields), ``logout``, ``guest`` (next), ``theme`` (theme = light | dark | auto, next).
"""
