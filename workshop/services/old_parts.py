"""Parts that came off a car: kept with a tag, handed to the customer, sent to the maker, disposed of (3.2).

Lock order (design 5): order, line, old part, counter.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, formats, limits
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.models import StoredFile
from dealership.kernel.numbering import next_number
from dealership.kernel.services import store_file
from dealership.kernel.signatures import refuse_empty_pad
from dealership.kernel.states import require
from reception.models import OldParts, Visit, WalkAround
from workshop import events, permissions
from workshop.core_models import CoreCharge
from workshop.limits import OLD_PART_DAYS, OLD_PART_MAKER_DAYS
from workshop.models import LineState, OrderLine, PartLine
from workshop.old_part_models import OLD_PART_MOVES, Disposition, OldPart, OldPartState
from workshop.selectors.inspections import last_reading
from workshop.selectors.old_parts import belongs_to_maker, came_off
from workshop.services.cores import take_left_core
from workshop.services.orders import locked_line


def _locked_part(uid: UUID, by: Actor) -> OldPart:
    line_uid = OldPart.objects.for_actor(by).values_list("line__uid", flat=True).get(uid=uid)
    line = locked_line(line_uid, by, living=False)
    part = OldPart.objects.locked().select_related("store", "part_line__part").get(uid=uid)
    part.line = line
    return part


def _wish(line: OrderLine) -> tuple[str, str]:
    """What becomes of it unless somebody decides otherwise, and who agreed: as the walk-around says (domain 3.3)."""
    if belongs_to_maker(line):
        return Disposition.MAKER, ""
    left_by = _left_at_arrival(line)
    return (Disposition.SHOP, left_by) if left_by else (Disposition.CUSTOMER, "")


def _left_at_arrival(line: OrderLine) -> str:
    """Who left the old parts to the shop with the signed walk-around; empty where nobody did."""
    seen = WalkAround.objects.filter(visit_id=line.order.visit_id, old_parts=OldParts.LEAVE).first()
    return seen.signed_name if seen is not None else ""


def _write_down(part_line: PartLine, line: OrderLine, by: Actor, place: str = "") -> OldPart:
    order = line.order
    disposition, consent_by = _wish(line)
    setting = OLD_PART_MAKER_DAYS if disposition == Disposition.MAKER else OLD_PART_DAYS
    days = int(limits.value(setting, store_id=order.store_id))
    kept = OldPart.objects.create(
        store_id=order.store_id,
        line=line,
        part_line=part_line,
        tag=next_number(order.store, "JJ"),
        quantity=part_line.issued_quantity,
        odometer_km=last_reading(order.visit),
        disposition=disposition,
        consent_by=consent_by,
        decided_at=clock.now(),
        place=place,
        kept_at=clock.now(),
        keep_until=clock.today(order.store.time_zone) + timedelta(days=days),
    )
    record(
        kept,
        events.OLD_PART_KEPT,
        by=by,
        changed={"state": (None, kept.state)},
        tag=kept.tag,
        disposition=disposition,
        part=part_line.part.uid,
        line=line.uid,
        keep_until=kept.keep_until,
    )
    if disposition == Disposition.SHOP:
        take_left_core(part_line, brought_by=consent_by, by=by)
    return kept


@transaction.atomic
def keep_old_parts(*, line_uid: UUID, by: Actor) -> list[OldPart]:
    """Writes down the old part of every part that was put in with a finished line, each with its tag (domain 3.6).

    What leaves none says so in the catalogue (``Part.leaves_old``). A second run writes nothing.
    """
    by.require(permissions.OLD_PARTS_KEEP)
    line = locked_line(line_uid, by, living=False)
    if line.state not in (LineState.COMPLETED, LineState.INSPECTED):
        return []
    return [_write_down(row, line, by) for row in came_off().filter(line=line).order_by("pk")]


def keep_of_visit(*, visit: Visit, by: Actor) -> list[OldPart]:
    """Within the hand-over: old parts that are not written down yet; the visit and its orders are locked."""
    rows = came_off().filter(line__order__visit=visit, line__state__in=(LineState.COMPLETED, LineState.INSPECTED))
    return [_write_down(row, row.line, by) for row in rows.order_by("pk")]


def hand_back_old_parts(
    *, visit: Visit, received_by: str, signature: StoredFile | None, by: Actor, signed_on_paper: bool = False
) -> list[OldPart]:
    """Within the hand-over: the customer's old parts go along, those for the maker were shown; orders are locked.

    Raises RuleError ``old_part.signature`` where some go along and nobody has signed.
    """
    rows = OldPart.objects.locked().filter(line__order__visit=visit, state=OldPartState.KEPT).order_by("pk")
    found = list(rows.select_related("line__order__visit", "line__order__vehicle", "line__order__customer"))
    for part in found:
        if part.disposition == Disposition.CUSTOMER:
            _refuse_unsigned(signature is not None or signed_on_paper)
            _hand_out(part, received_by, signature, signed_on_paper, by)
        elif part.told_at is None:
            part.told_at = clock.now()
            part.save(update_fields=["told_at"])
            record(part, events.OLD_PART_SHOWN, by=by, disposition=part.disposition)
    return found


@transaction.atomic
def decide_old_part(
    *,
    uid: UUID,
    disposition: str,
    by: Actor,
    consent_by: str = "",
    note: str = "",
    signature: bytes | None = None,
    signed_on_paper: bool = False,
) -> OldPart:
    """Says what becomes of an old part that lies here; ``note`` why, which NONE (no old part came off) needs.

    Who leaves it to the shop signs on the pad (PNG) or on paper, unless the signed walk-around said so already.
    Raises RuleError ``core.credited`` (its core charge was given back),
    ``old_part.choice``, ``old_part.consent``, ``old_part.signature``, ``signature.empty``, ``old_part.owner``,
    ``old_part.kept``, ``old_part.absent``, ``old_part.same`` and ``state.move``.
    """
    by.require(permissions.OLD_PARTS_GIVE)
    if disposition not in Disposition.values:
        raise RuleError("old_part.choice", _("Choose what becomes of the old part."), field="disposition")
    part = _locked_part(uid, by)
    who, words = formats.one_line(consent_by)[:60], formats.one_line(note)[:200]
    _require_here(part)
    if disposition == part.disposition:
        raise RuleError("old_part.same", _("That is what becomes of it already."), field="disposition")
    if disposition == Disposition.SHOP and not who:
        raise RuleError(
            "old_part.consent",
            _("The old part is the customer's: write who of them agreed that the shop disposes of it."),
            field="consent_by",
        )
    if disposition == Disposition.MAKER and not belongs_to_maker(part.line):
        raise RuleError(
            "old_part.owner",
            _(
                "The maker gets the old parts of its warranty and of goodwill that it bears; others belong to the customer."
            ),
            field="disposition",
        )
    if disposition == Disposition.NONE and not words:
        raise RuleError("old_part.absent", _("Say why there is no old part."), field="note")
    _require_not_the_makers(part)
    _require_not_credited(part, disposition)
    drawn, on_paper = None, disposition == Disposition.SHOP and signed_on_paper
    if disposition == Disposition.SHOP and not on_paper and not _left_at_arrival(part.line):
        refuse_empty_pad(signature)
        _refuse_unsigned(bool(signature))
        drawn = _kept_signature(part, signature, by)
    before = part.disposition, part.state
    part.disposition, part.consent_by, part.note, part.decided_at = disposition, who, words, clock.now()
    part.signature, part.signed_on_paper = drawn, on_paper
    fields = ["disposition", "consent_by", "note", "decided_at", "signature", "signed_on_paper"]
    if disposition == Disposition.NONE:
        require(OLD_PART_MOVES, OldPartState(part.state), OldPartState.ABSENT)
        part.state, part.ended_at, part.ended_by = OldPartState.ABSENT, clock.now(), by.user
        fields += ["state", "ended_at", "ended_by"]
    if disposition == Disposition.MAKER:
        days = int(limits.value(OLD_PART_MAKER_DAYS, store_id=part.store_id))
        part.keep_until = max(part.keep_until, clock.today(part.store.time_zone) + timedelta(days=days))
        fields.append("keep_until")
    part.save(update_fields=fields)
    changed = {"disposition": (before[0], disposition)}
    if part.state != before[1]:
        changed["state"] = (before[1], part.state)
    record(
        part, events.OLD_PART_DECIDED, by=by, changed=changed, signature=drawn.sha256 if drawn else None,
        on_paper=on_paper or None,
    )  # fmt: skip
    return part


@transaction.atomic
def shelve_old_part(*, uid: UUID, place: str, by: Actor) -> OldPart:
    """Writes where in the old-part store it lies. Raises RuleError ``old_part.place`` and ``old_part.gone``."""
    by.require(permissions.OLD_PARTS_KEEP)
    there = formats.one_line(place)[:20]
    if not there:
        raise RuleError("old_part.place", _("Write where it lies."), field="place")
    part = _locked_part(uid, by)
    _require_here(part)
    part.place = there
    part.save(update_fields=["place"])
    record(part, events.OLD_PART_SHELVED, by=by, tag=part.tag)
    return part


@transaction.atomic
def release_old_part(*, uid: UUID, reference: str, by: Actor) -> OldPart:
    """The maker doesn't want it: ``reference`` is its word for that. Raises RuleError ``old_part.reference``,
    ``old_part.owner`` and ``state.move``."""
    by.require(permissions.OLD_PARTS_KEEP)
    part = _for_maker(uid, reference, by)
    part.released_at = clock.now()
    _move_part(part, OldPartState.RELEASED, by, events.OLD_PART_RELEASED, "reference", "released_at")
    return part


@transaction.atomic
def return_old_part(*, uid: UUID, reference: str, by: Actor) -> OldPart:
    """It goes to the maker; ``reference`` is the parcel's number. Raises RuleError ``old_part.reference``,
    ``old_part.owner`` and ``state.move``."""
    by.require(permissions.OLD_PARTS_KEEP)
    part = _for_maker(uid, reference, by)
    _move_part(part, OldPartState.RETURNED, by, events.OLD_PART_RETURNED, "reference")
    return part


@transaction.atomic
def give_old_part(
    *, uid: UUID, given_to: str, by: Actor, signature: bytes | None = None, signed_on_paper: bool = False
) -> OldPart:
    """Gives it to the customer outside of the hand-over; who takes it signs on the pad (PNG) or on paper (3.2).

    Raises RuleError ``old_part.receiver``, ``old_part.signature``, ``signature.empty``, ``old_part.kept`` and
    ``state.move``.
    """
    by.require(permissions.OLD_PARTS_GIVE)
    name = formats.one_line(given_to)
    if not name:
        raise RuleError("old_part.receiver", _("Write who takes the old part."), field="given_to")
    if not signed_on_paper:
        refuse_empty_pad(signature)
    part = _locked_part(uid, by)
    _require_not_the_makers(part)
    _require_not_credited(part, Disposition.CUSTOMER)
    require(OLD_PART_MOVES, OldPartState(part.state), OldPartState.GIVEN)
    _refuse_unsigned(bool(signature) or signed_on_paper)
    drawn = None if signed_on_paper else _kept_signature(part, signature, by)
    _hand_out(part, name[:60], drawn, signed_on_paper, by)
    return part


def _kept_signature(part: OldPart, signature: bytes | None, by: Actor) -> StoredFile | None:
    if not signature:
        return None
    visit_uid = part.line.order.visit.uid
    return store_file(
        content=signature, name="old-part-signature.png", store_id=part.store_id, by=by, visit_uid=visit_uid
    )


def _refuse_unsigned(signed: bool) -> None:
    if not signed:
        raise RuleError(
            "old_part.signature",
            _("Old parts are the customer's: let the customer sign here, or tick that it was signed on paper."),
            field="signature",
        )


@transaction.atomic
def scrap_old_part(*, uid: UUID, note: str, by: Actor) -> OldPart:
    """The shop clears it away: with the customer's consent, or when the maker has no say in it any more.

    ``note`` says where it goes: the proof for customer and authority. Raises RuleError ``old_part.owner``,
    ``old_part.kept``, ``old_part.where`` and ``state.move``.
    """
    by.require(permissions.OLD_PARTS_KEEP)
    part = _locked_part(uid, by)
    if part.disposition not in (Disposition.SHOP, Disposition.MAKER):
        raise RuleError("old_part.owner", _("This old part is the customer's; it isn't disposed of here."))
    _require_not_the_makers(part)
    where = formats.one_line(note)[:200]
    if not where:
        raise RuleError(
            "old_part.where", _("Say where it goes: the recycler, or how it was cleared away."), field="note"
        )
    part.note = where
    _move_part(part, OldPartState.SCRAPPED, by, events.OLD_PART_SCRAPPED, "note")
    return part


def _require_here(part: OldPart) -> None:
    if not part.is_lying:
        raise RuleError(
            "old_part.gone", _("This old part isn't here any more: “%(state)s”."), state=part.get_state_display()
        )


def _require_not_credited(part: OldPart, disposition: str) -> None:
    """What a core charge was given back for goes to the supplier."""
    if (
        disposition == Disposition.CUSTOMER
        and CoreCharge.objects.filter(part_line=part.part_line, returned__gt=0).exists()
    ):
        raise RuleError(
            "core.credited",
            _("Its core charge was given back for this old part; it goes to the supplier."),
            field="disposition",
        )


def _require_not_the_makers(part: OldPart) -> None:
    if part.must_stay(clock.today(part.store.time_zone)):
        raise RuleError(
            "old_part.kept",
            _("The maker's old part stays here until the maker releases it, or until %(day)s."),
            day=part.keep_until.isoformat(),
        )


def _for_maker(uid: UUID, reference: str, by: Actor) -> OldPart:
    words = formats.one_line(reference)[:60]
    if not words:
        raise RuleError("old_part.reference", _("Write the maker's word or the parcel's number."), field="reference")
    part = _locked_part(uid, by)
    if part.disposition != Disposition.MAKER:
        raise RuleError(
            "old_part.owner",
            _(
                "The maker gets the old parts of its warranty and of goodwill that it bears; others belong to the customer."
            ),
        )
    part.reference = words
    return part


def _hand_out(part: OldPart, given_to: str, signature: StoredFile | None, on_paper: bool, by: Actor) -> None:
    part.given_to, part.signature, part.signed_on_paper = given_to, signature, on_paper
    part.told_at = part.told_at or clock.now()
    written = ("given_to", "signature", "signed_on_paper", "told_at")
    drawn = signature.sha256 if signature else None
    _move_part(
        part, OldPartState.GIVEN, by, events.OLD_PART_GIVEN, *written, signature=drawn, on_paper=on_paper or None
    )


def _move_part(part: OldPart, new: OldPartState, by: Actor, event: str, *fields: str, **facts: Any) -> None:
    before = OldPartState(part.state)
    require(OLD_PART_MOVES, before, new)
    part.state = new
    written = ["state", *fields]
    if new != OldPartState.RELEASED:
        part.ended_at, part.ended_by = clock.now(), by.user
        written += ["ended_at", "ended_by"]
    part.save(update_fields=written)
    record(part, event, by=by, changed={"state": (before, new)}, tag=part.tag, **facts)
