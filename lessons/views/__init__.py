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
lab.html                 GET /labs/<uuid>/                        lab: LabView, course
_lab_reply.html          the same, htmx; reply to start, end, reset  lab: LabView, card: LabCard or None
_lab_head_reply.html     GET …/head/, POST …/extend/, htmx        lab, card, problem: str
_lab_checks.html         GET …/checks/, htmx                      lab: LabView
_lab_topology.html       GET …/topology/, htmx                    map: LabMap, lab_dom_id
_lab_step_reply.html     POST …/step/, htmx (422: refused)        title, at, problem: str
_lab_card.html           GET /<course>/exercises/<slug>/lab/; a start that is refused (422)    card: LabCard
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

Labs. An exercise of kind lab has a card (``_lab_card.html``, ``id="<exercise dom id>-lab"``); a page that shows
exercises has one dock, ``#lab-dock``, with ``_lab.html`` of the learner's open lab in it, or nothing. Starting posts to
the card's URL and swaps the dock's inside; end and reset replace the ``aside`` of the lab; each reply brings the card
along (hx-swap-oob). A refused start comes as the card, by HX-Retarget. While a lab waits its ``aside`` asks again by
itself (load delay); once live nothing polls, and nothing swaps the terminals: the head and the checks ask again when
they get the event ``changed``, which the browser sends them when its socket says so and when the countdown is at zero.
A head that finds the lab over has ``data-tone`` over or broken.

=========================================== ====================================================================
attribute                                   meaning
=========================================== ====================================================================
data-lab-dock                               where the lab is shown; #lab-dock
data-lab                                    the ``aside``: data-lab-id, data-lab-src (its script), data-live (true:
                                            terminals may be opened), data-lab-url, data-terminals-url, data-map-url,
                                            data-exercise-id (dom id of the exercise whose 채점 counts)
data-lab-card, data-lab-start, data-lab-goto the card; a form that starts; the link to the dock
data-lab-head                               state and buttons: data-tone = waiting | preparing | live | paused | over |
                                            broken
data-countdown                              data-seconds until the lab ends; its text is the script's
data-lab-extend, -reset, -end               forms in the head; data-lab-close (hidden): empties the dock
data-terminals                              where terminals go: data-open-at-first, and a ``template[data-terminal]``
                                            for each that may be opened, with data-number and data-label
data-lab-said                               where the sentence about a step goes; data-lab-dismiss removes its parent
data-lab-map                                what a lab is made of: data-announcement, for a screen reader, "" while
                                            nothing is to be said
data-explain                                where an explained error goes (aria-live, hidden while empty)
data-csrf                                   a form with the CSRF field, for POSTs that a script makes
data-lab-checks                             ticks: data-done, data-total, data-announcement; each li data-check,
                                            data-tone = ok | open | later
=========================================== ====================================================================

POST data-terminals-url (number, CSRF) -> 200 {"url": path and query of the socket}, good once within 30 s; 409
{"message": Korean}. POST <data-terminals-url><number>/free/ (CSRF) -> 200 {"freed": how many programs, "message":
Korean}; 409 {"message"}. ``&columns=…&rows=…`` may be added to the socket's URL: the size that the shell starts with.
``lessons.consumers`` tells the frames. Texts of an explanation may hold `code` in backticks.
"""
