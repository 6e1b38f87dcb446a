"""Django's ``migrate``, which afterwards closes the door that django-pgtrigger leaves open in every session."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from django.conf import settings
from django.core.management.commands.migrate import Command as DjangoMigrate
from django.db import connections
from django.db.migrations.state import ProjectState
from pgtrigger.migrations import AddTrigger

# django-pgtrigger lets a session name triggers to be ignored (``SET pgtrigger.ignore``); its migrations write this
# function anew each time. Our rules hold for every session, so the answer is always no.
NEVER = """
CREATE OR REPLACE FUNCTION "public"._pgtrigger_should_ignore(trigger_name NAME)
RETURNS BOOLEAN AS $$ SELECT FALSE $$ LANGUAGE sql IMMUTABLE
"""


_append_and_render = ProjectState._append_option  # type: ignore[attr-defined]
_reload_with_related = ProjectState.reload_model
_rename_field = ProjectState.rename_field


def _append(state: ProjectState, app_label: str, model_name: str, option: str, value: Any) -> None:
    if app_label not in settings.ROOMS:  # other packages' migrations may look at the rendered model
        _append_and_render(state, app_label, model_name, option, value)
        return
    options = state.models[app_label, model_name].options
    options[option] = [*options.get(option, []), value]


def _reload_alone(state: ProjectState, app_label: str, model_name: str, delay: bool = False) -> None:
    if app_label not in settings.ROOMS:
        _reload_with_related(state, app_label, model_name, delay)
    elif "apps" in state.__dict__:
        state.is_delayed = True  # before a migration's own Python runs, all models are rendered anew
        state._reload({(app_label, model_name)})  # type: ignore[attr-defined]


def _rename(state: ProjectState, *args: Any) -> None:
    with patch.object(ProjectState, "reload_model", _reload_with_related):
        _rename_field(state, *args)


@contextmanager
def little_rendering() -> Iterator[None]:
    """A change of one of our models renders that model anew, and adding a trigger, an index or a constraint none.

    Django renders all models that are related to it as well, over any number of steps: with most of them hanging
    together that was nine tenths of the time of a first start. The others' columns don't depend on it; what a migration's
    own Python sees is rendered whole before it runs (``ProjectState.clear_delayed_apps_cache``), as Django does after
    changes that it calls delayed.
    """

    def add_trigger(self: AddTrigger, app_label: str, state: ProjectState) -> None:
        _append(state, app_label, self.model_name.lower(), "triggers", self.trigger)

    with (
        patch.object(ProjectState, "_append_option", _append),
        patch.object(AddTrigger, "state_forwards", add_trigger),
        patch.object(ProjectState, "reload_model", _reload_alone),
        patch.object(ProjectState, "rename_field", _rename),
    ):
        yield


class Command(DjangoMigrate):
    help = DjangoMigrate.help + " Triggers can't be switched off by a session afterwards."

    def handle(self, *args: Any, **options: Any) -> None:
        with little_rendering():
            super().handle(*args, **options)
        with connections[options["database"]].cursor() as cursor:
            cursor.execute("SELECT to_regprocedure('public._pgtrigger_should_ignore(name)') IS NOT NULL")
            if cursor.fetchone()[0]:
                cursor.execute(NEVER)
