"""Standard phrases by situation, and what is seen of them on the floor (2.1.3)."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, formats
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.models import Store
from dealership.kernel.services import store_file
from staff.models import Employee
from staff.selectors.employees import require_employee

from .. import events, permissions
from ..models import COURTESY_CLAUSES, Courtesy, Observation, ObservationScore, Script, ScriptLanguage, Situation
from ..pictures import clean_picture


@transaction.atomic
def save_script(
    *, situation: str, language: str, text: str, by: Actor, uid: UUID | None = None, active: bool = True
) -> Script:
    """2.1.3: writes a phrase, or another wording of one. Raises RuleError off the lists, without words, and where the
    phrase stands there already."""
    by.require(permissions.SCRIPTS_MANAGE)
    words = formats.one_line(text)[:300]
    if situation not in Situation.values:
        raise RuleError("script.situation", _("Choose the situation from the list."), field="situation")
    if language not in ScriptLanguage.values:
        raise RuleError("script.language", _("Choose the language from the list."), field="language")
    if not words:
        raise RuleError("script.text", _("Write down the phrase."), field="text")
    script = Script() if uid is None else Script.objects.locked().get(uid=uid)
    script.situation, script.language, script.text, script.active = situation, language, words, active
    if Script.objects.filter(situation=situation, language=language, text=words).exclude(pk=script.pk).exists():
        raise RuleError("script.once", _("This phrase stands there already."), field="text")
    script.save()
    record(script, events.SCRIPT_SAVED, by=by, situation=situation, language=language, active=active)
    return script


@transaction.atomic
def observe_reception(
    *,
    employee_uid: UUID,
    situation: str,
    scores: Mapping[str, int],
    by: Actor,
    seen: Mapping[str, str] | None = None,
    remark: str = "",
    photo: bytes | None = None,
) -> Observation:
    """2.1.3: writes down how a colleague kept to the standard: ``scores`` 0 to 2 for each point that could be seen,
    ``seen`` what was seen where it wasn't kept, ``photo`` the evidence where there is one.

    Raises RuleError for oneself, nothing seen, a point off the list, and 0 without a word.
    """
    by.require(permissions.RECEPTION_OBSERVE)
    observer = require_employee(by)
    employee = Employee.objects.for_actor(by).get(uid=employee_uid, left_on__isnull=True)
    if employee == observer:
        raise RuleError("observation.self", _("Nobody watches themselves."), field="employee")
    if situation not in Situation.values:
        raise RuleError("script.situation", _("Choose the situation from the list."), field="situation")
    if not scores:
        raise RuleError("observation.empty", _("Score at least one point of the standard."))
    told = {item: " ".join((seen or {}).get(item, "").split())[:120] for item in scores}
    for item, points in scores.items():
        if item not in Courtesy.values or points not in (0, 1, 2):
            raise RuleError(
                "observation.item", _("Score the points of the list with 0, 1 or 2."), field=f"points_{item}"
            )
        if points == 0 and not told[item]:
            raise RuleError(
                "observation.seen", _("Say what was seen where the standard wasn't kept."), field=f"seen_{item}"
            )
    store = Store.objects.get(pk=employee.store_id)
    observation = Observation.objects.create(
        store=store,
        employee=employee,
        observer=observer,
        at=clock.now(),
        situation=situation,
        remark=formats.one_line(remark)[:300],
        photo=store_file(content=clean_picture(photo), name="seen.jpg", store_id=store.pk, by=by) if photo else None,
    )
    for item in Courtesy:
        if item in scores:
            ObservationScore.objects.create(
                observation=observation,
                item=item,
                clause=COURTESY_CLAUSES.get(item, "2.1.3"),
                points=scores[item],
                seen=told[item],
            )
    record(
        observation,
        events.RECEPTION_OBSERVED,
        by=by,
        employee=employee.uid,
        situation=situation,
        points=sum(scores.values()),
        most=2 * len(scores),
    )
    return observation
