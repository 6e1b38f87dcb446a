"""The frame of every page: who may open it, one command behind a form, and refusals that keep what was typed."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import urlsplit
from uuid import UUID, uuid4, uuid5

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.utils import DatabaseError
from django.forms import RadioSelect
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve, reverse
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.views.generic import FormView, TemplateView, View

from . import navigation
from .actors import Actor
from .errors import NotAllowed, RuleError, from_database
from .models import Message, Submission
from .permissions import MESSAGES_VIEW
from .transports import stays_here

REFUSAL = "refusal"
"""In the session: what a button was refused, until the form that puts it right is shown."""


class StaffPage:
    """For signed-in staff with ``permission`` (any of them where a tuple is given)."""

    permission: ClassVar[str | tuple[str, ...]] = ()
    request: HttpRequest

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        actor: Actor | None = getattr(request, "actor", None)
        if actor is None:
            return redirect_to_login(request.get_full_path())
        needed = (self.permission,) if isinstance(self.permission, str) else self.permission
        if needed and not any(actor.may(code) for code in needed):
            raise NotAllowed(needed[0])
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc]

    @property
    def actor(self) -> Actor:
        return self.request.actor  # type: ignore[attr-defined]


class Page(StaffPage, TemplateView):
    """A page that shows something."""


def claim_submission(request: HttpRequest) -> str | None:
    """Takes the form's one-time token inside the command's transaction.

    Returns the address of the first answer when the same form was already sent, else None.
    """
    key = _submission_key(request)
    if key is None:
        return None
    user = request.user if request.user.is_authenticated else None
    row, created = Submission.objects.get_or_create(token=key, defaults={"user": user})
    return None if created else (row.location or request.path)


def close_submission(request: HttpRequest, location: str) -> None:
    """Remembers where the first answer led to."""
    key = _submission_key(request)
    if key is not None:
        Submission.objects.filter(token=key).update(location=location[:300])


def _submission_key(request: HttpRequest) -> UUID | None:
    """The form's token together with who sends it and where to: of nobody else and of no other form is it known."""
    try:
        token = UUID(request.POST.get("form_token", ""))
    except ValueError:
        return None
    return uuid5(token, f"{request.user.pk or '-'} {request.path}")


def message_words(message: Message, actor: Actor) -> SafeString:
    """What becomes of a message just queued, with the way to it for who may look: nobody has received it yet."""
    if stays_here(message):
        said = gettext("Sending isn't set up here: the message to %(name)s is only kept under Messages.")
    else:
        said = gettext("The message to %(name)s is on its way.")
    said %= {"name": message.recipient_name or message.recipient}
    if not actor.may(MESSAGES_VIEW):
        return format_html("{}", said)
    return format_html(
        '{} <a href="{}">{}</a>', said, reverse("message", args=[message.uid]), gettext("See the message")
    )


class CommandMixin:
    """Runs one command once: one transaction, one token, one answer.

    Subclasses implement ``run(form)`` and ``location(result)``; ``done`` (or ``words(result)``) is what the person is told.
    """

    done: ClassVar[Any] = ""
    request: HttpRequest

    def run(self, form: Any) -> Any:
        raise NotImplementedError

    def location(self, result: Any) -> str:
        """Where the person goes on: the ``next`` address of the form where it is ours."""
        target = self.request.POST.get("next", "")
        if target and url_has_allowed_host_and_scheme(target, allowed_hosts={self.request.get_host()}):
            return target
        return self.request.path

    def words(self, result: Any) -> Any:
        """What the person is told when it is done: ``done``, or what depends on the result."""
        return self.done

    def warns(self, result: Any) -> bool:
        """Whether what is told is done, but needs somebody's eye."""
        return False

    def execute(self, form: Any = None) -> HttpResponse:
        with transaction.atomic():
            earlier = claim_submission(self.request)
            if earlier is not None:
                return HttpResponseRedirect(earlier)
            result = self.run(form)
            location = self.location(result)
            close_submission(self.request, location)
        store = getattr(self.request, "store", None)
        navigation.forget_counts(f"{self.request.user.pk}:{store.pk if store else None}")
        words = self.words(result)
        if words:
            (messages.warning if self.warns(result) else messages.success)(self.request, words)
        return HttpResponseRedirect(location)


def go_to_the_first_faulty(form: Any) -> None:
    """The cursor stands in the first field that has an error, where the form has one that can hold it."""
    faulty = next((name for name in getattr(form, "fields", {}) if form.errors.get(name)), None)
    if faulty is None or form.fields[faulty].widget.is_hidden or isinstance(form.fields[faulty].widget, RadioSelect):
        return
    for field in form.fields.values():
        field.widget.attrs.pop("autofocus", None)
    form.fields[faulty].widget.attrs["autofocus"] = True


class CommandPage(StaffPage, CommandMixin, FormView):
    """A form page in front of one command: a refusal comes back as a form error (422) with everything typed kept."""

    def get_form(self, form_class: Any = None) -> Any:
        """The form; with the refusal of a button that is put right here, at its field."""
        form = super().get_form(form_class)
        waiting = getattr(self.request, "session", {}).get(REFUSAL)
        if self.request.method == "GET" and waiting and waiting["path"] == self.request.path:
            del self.request.session[REFUSAL]
            form.cleaned_data = {}
            form.add_error(waiting["field"] if waiting["field"] in form.fields else None, waiting["said"])
            go_to_the_first_faulty(form)
        return form

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"form_token": self.request.POST.get("form_token") or uuid4()}

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            return self.execute(form)
        except RuleError as refusal:
            return self.refuse(form, refusal)
        except ValidationError as exc:  # a telephone number, plate or VIN of a wrong form (kernel.formats)
            form.add_error(None, exc.messages)
            return self.form_invalid(form)
        except DatabaseError as exc:
            explained = from_database(exc)
            if explained is None:
                raise
            return self.refuse(form, explained)

    def refuse(self, form: Any, refusal: RuleError) -> HttpResponse:
        form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
        return self.form_invalid(form)

    def form_invalid(self, form: Any) -> HttpResponse:
        go_to_the_first_faulty(form)
        response = super().form_invalid(form)
        response.status_code = 422
        return response


def pressed_on(request: HttpRequest) -> str:
    """The page of ours on which a button was pressed, "" where nobody can be led back to it: the browser doesn't say, it
    is another site's, it takes no GET, or a script waits for the answer."""
    if request.headers.get("HX-Request") or not request.accepts("text/html"):
        return ""
    told = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(told, allowed_hosts={request.get_host()}):
        return ""
    page = urlsplit(told)
    address = f"{page.path}?{page.query}" if page.query else page.path
    if not url_has_allowed_host_and_scheme(address, allowed_hosts=None):  # //elsewhere/
        return ""
    try:
        view = resolve(page.path).func
    except Resolver404:
        return ""
    shown = getattr(view, "view_class", None)
    return address if shown is None or (hasattr(shown, "get") and "get" in shown.http_method_names) else ""


class ActionView(StaffPage, CommandMixin, View):
    """A button in front of one command (POST only). A refusal leads to the form that puts it right, where there is one
    (``mended_at``), else back to the page on which the button was pressed, which says what was refused; only where that
    page isn't known the middleware shows a page of its own with the way back."""

    http_method_names = ["post"]

    def mended_at(self, refusal: RuleError) -> str:
        """The address of the form in which what was refused is put right, "" where there is none."""
        return ""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return self.execute()
        except RuleError as refusal:
            return self.lead_back(refusal)
        except DatabaseError as exc:
            explained = from_database(exc)
            if explained is None:
                raise
            return self.lead_back(explained)

    def lead_back(self, refusal: RuleError) -> HttpResponse:
        form = self.mended_at(refusal)
        if form:
            self.request.session[REFUSAL] = {"path": form, "field": refusal.field, "said": str(refusal)}
            return HttpResponseRedirect(form)
        page = pressed_on(self.request)
        if not page:
            raise refusal
        messages.error(self.request, format_html("<strong>{}</strong><br>{}", gettext("This was not done"), refusal))
        return HttpResponseRedirect(page)
