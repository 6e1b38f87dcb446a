"""Recalls and service campaigns: opened with the maker's list, put on an order in one tap, answered at the hand-over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import Operation, PayType
from dealership.kernel import clock, formats
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.formats import Level
from dealership.kernel.history import record
from reception.models import Visit
from workshop import events, permissions
from workshop.campaign_models import Campaign, CampaignAnswer, CampaignKind, CampaignReply, CampaignVehicle
from workshop.models import LineState, OrderLine
from workshop.selectors.campaigns import GONE, MOST_VINS, done_elsewhere
from workshop.services.orders import add_line, locked_order


@transaction.atomic
def open_campaign(
    *,
    number: str,
    kind: str,
    title: str,
    measure: str,
    operation_uid: UUID,
    by: Actor,
    starts_on: date | None = None,
    ends_on: date | None = None,
) -> Campaign:
    """A recall or campaign of the maker begins, in all stores; its VINs are added by ``add_vins``.

    The operation of the catalogue brings hours and parts. Raises RuleError ``campaign.named``, ``campaign.kind``,
    ``campaign.days`` and ``campaign.known`` for a number that is there.
    """
    by.require(permissions.CAMPAIGNS_MANAGE)
    told, name, what = (formats.one_line(word) for word in (number, title, measure))
    if not (told and name and what):
        raise RuleError("campaign.named", _("A campaign has the maker's number, a title and what is done."))
    if kind not in CampaignKind.values:
        raise RuleError("campaign.kind", _("Choose recall or service campaign."), field="kind")
    first = starts_on or clock.today()
    if ends_on is not None and ends_on < first:
        raise RuleError("campaign.days", _("The last day isn't before the first one."), field="ends_on")
    if known := Campaign.objects.filter(number=told[:40]).first():
        raise RuleError(
            "campaign.known", _("A campaign with this number is there already."), field="number", held_by=known
        )
    campaign = Campaign.objects.create(
        number=told[:40],
        kind=kind,
        title=name[:120],
        measure=what[:500],
        operation=Operation.objects.get(uid=operation_uid, active=True),
        starts_on=first,
        ends_on=ends_on,
        opened_by=by.user,
    )
    record(campaign, events.CAMPAIGN_OPENED, by=by, store_id=by.store_id, kind=kind, number=campaign.number)
    return campaign


def _locked_campaign(uid: UUID) -> Campaign:
    campaign: Campaign = Campaign.objects.locked().get(uid=uid)
    return campaign


@transaction.atomic
def add_vins(*, uid: UUID, vins: Sequence[str], by: Actor) -> Campaign:
    """Adds VINs to the list of a campaign; one that is on it already is added once. Cars needn't be known here yet.

    Raises RuleError ``campaign.vin`` for the first that can't be one, ``campaign.vins`` for none and for too many.
    """
    by.require(permissions.CAMPAIGNS_MANAGE)
    campaign = _locked_campaign(uid)
    wanted = list(dict.fromkeys(formats.normalise_vin(vin) for vin in vins))
    if not 0 < len(wanted) <= MOST_VINS:
        raise RuleError("campaign.vins", _("Give between 1 and %(most)s VINs."), field="vins", most=MOST_VINS)
    for vin in wanted:
        if formats.check_vin(vin).level == Level.REFUSED:
            raise RuleError("campaign.vin", _("“%(vin)s” can't be a VIN."), field="vins", vin=vin[:40])
    there = set(campaign.vehicles.filter(vin__in=wanted).values_list("vin", flat=True))
    new = [vin for vin in wanted if vin not in there]
    CampaignVehicle.objects.bulk_create([CampaignVehicle(campaign=campaign, vin=vin) for vin in new])
    record(campaign, events.CAMPAIGN_VINS_ADDED, by=by, store_id=by.store_id, added=len(new), known=len(there))
    return campaign


@transaction.atomic
def end_campaign(*, uid: UUID, ends_on: date, by: Actor) -> Campaign:
    """The campaign's last day; from the next one on it isn't flagged any more. Raises RuleError ``campaign.days``."""
    by.require(permissions.CAMPAIGNS_MANAGE)
    campaign = _locked_campaign(uid)
    if ends_on < campaign.starts_on:
        raise RuleError("campaign.days", _("The last day isn't before the first one."), field="ends_on")
    before, campaign.ends_on = campaign.ends_on, ends_on
    campaign.save(update_fields=["ends_on"])
    record(campaign, events.CAMPAIGN_ENDED, by=by, store_id=by.store_id, changed={"ends_on": (before, ends_on)})
    return campaign


@transaction.atomic
def put_on_order(*, uid: UUID, order_uid: UUID, by: Actor) -> OrderLine:
    """Writes the campaign's line on an order of the car; the maker pays. ``uid`` is the car's row of the list.

    Raises RuleError ``campaign.other_car``, ``campaign.on_order`` where a living line does it already,
    ``campaign.elsewhere`` where another shop has done it, and what ``add_line`` says.
    """
    by.require(permissions.LINES_EDIT)
    row = CampaignVehicle.objects.locked().get(uid=uid)  # its line is read after the wait for it
    order = locked_order(order_uid, by)  # no command waits for a list's row while it holds an order
    if row.vin != order.vehicle.vin:
        raise RuleError("campaign.other_car", _("This campaign isn't for the car of this order."))
    if row.line is not None and row.line.state not in GONE:
        raise RuleError("campaign.on_order", _("An order does it already."), held_by=row.line.order)
    if (said := done_elsewhere(row)) is not None:
        raise RuleError(
            "campaign.elsewhere",
            _("%(shop)s did this on %(day)s already; if that is wrong, write down what stands instead."),
            shop=said.done_where,
            day=said.done_on.isoformat() if said.done_on else "",
        )
    line = add_line(
        order_uid=order.uid,
        operation_uid=row.campaign.operation.uid,
        pay_type=PayType.WARRANTY,
        cause=row.campaign.title,
        by=by,
    )
    row.line = line
    row.save(update_fields=["line"])
    record(line, events.CAMPAIGN_PUT_ON_ORDER, by=by, store_id=order.store_id, campaign=row.campaign.number)
    return line


@transaction.atomic
def answer_campaign(
    *,
    uid: UUID,
    visit_uid: UUID,
    reply: str,
    told_to: str,
    by: Actor,
    note: str = "",
    done_on: date | None = None,
    done_where: str = "",
    evidence: str = "",
) -> CampaignAnswer:
    """The customer was told about a campaign that isn't done in this visit; a hand-over with an open recall needs it.

    Where another shop has done it, ``done_on`` (a date, not ahead), ``done_where`` and ``evidence`` (the paper or record
    that shows it) are needed, and the car isn't flagged any more until something else is said of it. Raises RuleError
    ``campaign.reply``, ``campaign.told_to``, ``campaign.evidence``, ``campaign.visit``, ``campaign.other_car``,
    ``campaign.done``, ``campaign.done_on`` and ``campaign.elsewhere`` where an order of ours does it.
    """
    by.require(permissions.CAMPAIGNS_ANSWER)
    if reply not in CampaignReply.values:
        raise RuleError("campaign.reply", _("Choose what stands."), field="reply")
    name = formats.one_line(told_to)[:60]
    if not name:
        raise RuleError("campaign.told_to", _("Write who was told."), field="told_to")
    elsewhere = reply == CampaignReply.ELSEWHERE
    where, shown_by = (formats.one_line(word) if elsewhere else "" for word in (done_where, evidence))
    if elsewhere and not (done_on and where and shown_by):
        raise RuleError(
            "campaign.evidence",
            _("What another shop has done is written with its day, the shop and the paper or record that shows it."),
            field="done_on" if not done_on else "done_where" if not where else "evidence",
        )
    row = CampaignVehicle.objects.locked().select_related("campaign", "line__order").get(uid=uid)
    visit = Visit.objects.for_actor(by).locked().select_related("vehicle", "customer", "store").get(uid=visit_uid)
    if not visit.is_open:
        raise RuleError("campaign.visit", _("This visit has ended."))
    if row.vin != visit.vehicle.vin:
        raise RuleError("campaign.other_car", _("This campaign isn't for the car of this visit."))
    if row.line is not None and row.line.state == LineState.INSPECTED:
        raise RuleError("campaign.done", _("This campaign is done for the car already."))
    if elsewhere and row.line is not None and row.line.state not in GONE:
        raise RuleError(
            "campaign.elsewhere",
            _("An order of ours does this campaign; take its line off first."),
            held_by=row.line.order,
        )
    if elsewhere and done_on is not None and done_on > clock.today(visit.store.time_zone):
        raise RuleError("campaign.done_on", _("What another shop has done lies behind us."), field="done_on")
    answer = CampaignAnswer.objects.create(
        visit=visit,
        vehicle=row,
        reply=reply,
        told_to=name,
        note=formats.one_line(note)[:200],
        done_on=done_on if elsewhere else None,
        done_where=where[:80],
        evidence=shown_by[:120],
        told_at=clock.now(),
        told_by=by.user,
    )
    record(answer, events.CAMPAIGN_ANSWERED, by=by, store_id=visit.store_id, reply=reply, campaign=row.campaign.number)
    return answer
