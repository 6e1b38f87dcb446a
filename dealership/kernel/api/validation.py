"""Checks a description against the meta-schema of OpenAPI 3.1."""

from __future__ import annotations

from typing import Any


def validate_description(description: dict[str, Any]) -> None:
    """Raises jsonschema.ValidationError where the description isn't OpenAPI 3.1. Imported where it runs only."""
    import json
    from importlib.resources import files

    import jsonschema

    meta = json.loads(files("drf_spectacular").joinpath("validation/openapi_3_1_schema.json").read_text())
    jsonschema.validate(json.loads(json.dumps(description)), meta)
