"""Django's ``migrate``, which afterwards closes the door that django-pgtrigger leaves open in every session."""

from typing import Any

from django.core.management.commands.migrate import Command as DjangoMigrate
from django.db import connections

# django-pgtrigger lets a session name triggers to be ignored (``SET pgtrigger.ignore``); its migrations write this
# function anew each time. Our rules hold for every session, so the answer is always no.
NEVER = """
CREATE OR REPLACE FUNCTION "public"._pgtrigger_should_ignore(trigger_name NAME)
RETURNS BOOLEAN AS $$ SELECT FALSE $$ LANGUAGE sql IMMUTABLE
"""


class Command(DjangoMigrate):
    help = DjangoMigrate.help + " Triggers can't be switched off by a session afterwards."

    def handle(self, *args: Any, **options: Any) -> None:
        super().handle(*args, **options)
        with connections[options["database"]].cursor() as cursor:
            cursor.execute("SELECT to_regprocedure('public._pgtrigger_should_ignore(name)') IS NOT NULL")
            if cursor.fetchone()[0]:
                cursor.execute(NEVER)
