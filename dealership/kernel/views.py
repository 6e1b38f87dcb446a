"""Pages of the frame itself: home, language, profile, the style page, and the answer to a form that came too late."""

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST, require_safe

from dealership.kernel import navigation, services, styleguide
from dealership.kernel.middleware import LANGUAGE_COOKIE, known_language
from dealership.kernel.models import User

LANGUAGE_COOKIE_SECONDS = 365 * 24 * 60 * 60


def _next_page(request: HttpRequest) -> str:
    wanted = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        return wanted
    return reverse("home")


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """The person's day starts on the first page of their rail; an empty system starts with its set-up."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path()) if User.objects.exists() else redirect("setup")
    return redirect(navigation.first_url(getattr(request, "actor", None)) or "profile")


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Keep the language on this device and, for a signed-in person, in the profile; stay on the page."""
    chosen = known_language(request.POST.get("language"))
    response = HttpResponseRedirect(_next_page(request))
    if chosen:
        response.set_cookie(
            LANGUAGE_COOKIE,
            chosen,
            max_age=LANGUAGE_COOKIE_SECONDS,
            samesite="Lax",
            httponly=True,
            secure=settings.SESSION_COOKIE_SECURE,
        )
        actor = getattr(request, "actor", None)
        if request.user.is_authenticated and actor is not None and request.user.language != chosen:
            services.choose_language(language=chosen, by=actor)
    return response


@login_required
@require_POST
def store(request: HttpRequest) -> HttpResponse:
    """Act in another of the person's stores from now on; a store that isn't theirs is not there (404)."""
    chosen = next((s for s in request.stores if str(s.uid) == request.POST.get("store")), None)  # type: ignore[attr-defined]
    if chosen is None:
        raise Http404
    request.session["store_id"] = chosen.pk
    return redirect("home")


@login_required
@require_GET
def profile(request: HttpRequest) -> HttpResponse:
    """Who I am here, my language, my password and my second factor."""
    from allauth.mfa.utils import is_mfa_enabled

    return render(request, "kernel/profile.html", {"second_factor": is_mfa_enabled(request.user)})


@login_required
@require_GET
def style_page(request: HttpRequest) -> HttpResponse:
    """Every component in every state, with samples in the page's language; only where a demo or debugging runs."""
    if not (settings.DEBUG or settings.DEMO):
        raise Http404
    return render(request, "kernel/styleguide.html", styleguide.samples())


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form whose proof of origin is missing or has run out: what was typed is still in the browser."""
    context: dict[str, Any] = {"language": translation.get_language()}
    return render(request, "csrf.html", context, status=403)


@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """The script by which a device shows a technician's kept pages without a network; it says nothing of anybody."""
    return render(request, "kernel/worker.js", content_type="text/javascript; charset=utf-8")
