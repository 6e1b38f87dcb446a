"""``manage.py openapi [--check]``: writes docs/openapi.yaml from the declarations, or compares it with them."""

from __future__ import annotations

import difflib
import sys
from typing import Any

import yaml
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from dealership.exchange import api
from dealership.kernel.api.validation import validate_description

PATH = settings.BASE_DIR / "docs" / "openapi.yaml"


class Command(BaseCommand):
    help = "Write the API's description to docs/openapi.yaml, or compare the file with the code."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="compare only; fails where the file differs")

    def handle(self, *args: Any, **options: Any) -> None:
        described = api.description()
        validate_description(described)
        text = yaml.safe_dump(described, allow_unicode=True, sort_keys=False, width=120)
        if not options["check"]:
            PATH.write_text(text, encoding="utf-8")
            self.stdout.write(f"{PATH.relative_to(settings.BASE_DIR)}: {len(described['paths'])} paths")
            return
        kept = PATH.read_text(encoding="utf-8") if PATH.exists() else ""
        if kept != text:
            differs = difflib.unified_diff(kept.splitlines(), text.splitlines(), "docs/openapi.yaml", "code", "", "", 2)
            sys.stderr.write("\n".join(list(differs)[:80]) + "\n")
            raise CommandError("docs/openapi.yaml differs from the code; write it: manage.py openapi")
        self.stdout.write("docs/openapi.yaml is current")
