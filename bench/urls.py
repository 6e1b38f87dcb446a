"""The production addresses with the empty view: what a request costs that does nothing behind the same door."""

import os

from django.http import HttpRequest, HttpResponse
from django.urls import path

from dealership.kernel.api.views import answer, endpoint
from dealership.urls import urlpatterns as production


def empty(request: HttpRequest, caller: object) -> HttpResponse:
    return answer({})


def who(request: HttpRequest, caller: object) -> HttpResponse:
    """The process that answers, so that the load generator can spread its connections evenly over the workers."""
    return answer({"pid": os.getpid()})


urlpatterns = [
    path("api/v1/bench-empty", endpoint(GET=empty)),
    path("api/v1/bench-who", endpoint(GET=who)),
    *production,
]
