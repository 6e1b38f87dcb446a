"""Recalls and service campaigns of the maker: which cars, what is done, and what their customers said (3.2, domain 4.2)."""

from __future__ import annotations

import uuid

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.catalogue.models import Operation
from dealership.kernel import clock, states
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import Root, User
from reception.models import Visit
from workshop.models import OrderLine


class CampaignKind(models.TextChoices):
    RECALL = "RECALL", pgettext_lazy("campaign", "Recall")
    CAMPAIGN = "CAMPAIGN", pgettext_lazy("campaign", "Service campaign")


class CampaignReply(models.TextChoices):
    """What stands at the hand-over of a car whose recall isn't done."""

    DECLINED = "DECLINED", pgettext_lazy("campaign", "Told; the customer doesn't want it now")
    PARTS_MISSING = "PARTS_MISSING", pgettext_lazy("campaign", "Told; parts are missing")
    ELSEWHERE = "ELSEWHERE", pgettext_lazy("campaign", "Done at another shop")


class Campaign(Root):
    """What the maker has done to a list of cars, under the maker's number. The operation brings its parts with it."""

    store_path = None

    number = models.CharField(_("maker's number"), max_length=40, unique=True)
    kind = models.CharField(max_length=8, choices=CampaignKind.choices)
    title = models.CharField(_("title"), max_length=120)
    measure = models.CharField(_("what is done"), max_length=500)
    operation = models.ForeignKey(Operation, models.PROTECT, related_name="+")
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    opened_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-starts_on", "-id"]
        triggers = [
            states.versioned(),
            states.fixed("campaign_fixed", "number", "kind", "title", "measure", "operation_id", "starts_on"),
        ]
        constraints = [
            models.CheckConstraint(name="campaign_named", condition=~Q(number="") & ~Q(title="") & ~Q(measure="")),
            models.CheckConstraint(
                name="campaign_days", condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on"))
            ),
        ]


class CampaignVehicle(Root):
    """A car of the maker's list by its VIN, known here or not.

    It is done when its ``line`` has passed the inspection, or when the last answer says that another shop has done it.
    """

    store_path = None

    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="vehicles")
    vin = models.CharField("VIN", max_length=17)
    line = models.ForeignKey(OrderLine, models.PROTECT, null=True, blank=True, related_name="campaigns")

    class Meta:
        ordering = ["id"]
        triggers = [
            states.versioned(),
            states.fixed("campaignvehicle_fixed", "campaign_id", "vin"),
            states.guard(
                # The line stands on an order of this very car; what has passed the inspection stays done.
                "campaignvehicle_line",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("line_id"),
                func="""
                    IF TG_OP = 'UPDATE' AND NEW.line_id IS NOT DISTINCT FROM OLD.line_id THEN RETURN NEW; END IF;
                    IF TG_OP = 'UPDATE' AND EXISTS (SELECT 1 FROM workshop_orderline
                        WHERE id = OLD.line_id AND state NOT IN ('CANCELLED', 'DECLINED', 'WITHDRAWN'))
                    THEN {refuse} END IF;
                    IF NEW.line_id IS NOT NULL AND NOT EXISTS (
                        SELECT 1 FROM workshop_orderline l JOIN workshop_repairorder o ON o.id = l.order_id
                        JOIN reception_vehicle v ON v.id = o.vehicle_id
                        WHERE l.id = NEW.line_id AND v.vin = NEW.vin)
                    THEN {refuse} END IF;
                    IF NEW.line_id IS NOT NULL AND COALESCE((SELECT said.reply FROM workshop_campaignanswer said
                        WHERE said.vehicle_id = NEW.id ORDER BY said.id DESC LIMIT 1), '') = 'ELSEWHERE'
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="campaign.line",
                text=_("A campaign is done once, by a line on an order of this very car."),
            ),
        ]
        constraints = [
            models.UniqueConstraint(name="campaignvehicle_once", fields=["campaign", "vin"]),
            models.CheckConstraint(name="campaignvehicle_vin", condition=Q(vin__regex=r"^[A-HJ-NPR-Z0-9]{17}$")),
        ]
        indexes = [models.Index(fields=["vin"], name="campaignvehicle_by_vin")]


class CampaignAnswer(Root):
    """What was told and answered in one visit about a campaign that isn't done; the latest counts.

    ``ELSEWHERE`` says on which day, at which shop and by which paper or record that stands (``evidence``); it ends the
    flag for the car until something else is said of it.
    """

    store_path = "visit__store_id"

    visit = models.ForeignKey(Visit, models.PROTECT, related_name="campaign_answers")
    vehicle = models.ForeignKey(CampaignVehicle, models.PROTECT, related_name="answers")
    reply = models.CharField(max_length=13, choices=CampaignReply.choices)
    told_to = models.CharField(_("who was told"), max_length=60)
    note = models.CharField(max_length=200, blank=True)
    done_on = models.DateField(null=True, blank=True)
    done_where = models.CharField(_("shop that did it"), max_length=80, blank=True)
    evidence = models.CharField(_("shown by"), max_length=120, blank=True)
    told_at = models.DateTimeField(default=clock.now)
    told_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-id"]
        triggers = [
            states.versioned(),
            states.append_only("campaignanswer_append_only"),
            states.guard(
                "campaignanswer_own_car",
                operation=pgtrigger.Insert,
                func="""
                    IF NOT EXISTS (SELECT 1 FROM workshop_campaignvehicle c JOIN reception_visit s ON s.id = NEW.visit_id
                        JOIN reception_vehicle v ON v.id = s.vehicle_id
                        WHERE c.id = NEW.vehicle_id AND c.vin = v.vin) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="campaign.other_car",
                text=_("This campaign isn't for the car of this visit."),
            ),
            states.guard(
                # What another shop has done stands on no living line of ours; the row is locked, so that the line and the
                # answer come one after the other.
                "campaignanswer_done_once",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.reply = 'ELSEWHERE'"),
                func="""
                    PERFORM 1 FROM workshop_campaignvehicle WHERE id = NEW.vehicle_id FOR NO KEY UPDATE;
                    IF EXISTS (SELECT 1 FROM workshop_campaignvehicle c JOIN workshop_orderline l ON l.id = c.line_id
                        WHERE c.id = NEW.vehicle_id AND l.state NOT IN ('CANCELLED', 'DECLINED', 'WITHDRAWN'))
                        OR NOT EXISTS (SELECT 1 FROM reception_visit s JOIN kernel_store shop ON shop.id = s.store_id
                        WHERE s.id = NEW.visit_id AND NEW.done_on <= (NEW.told_at AT TIME ZONE shop.time_zone)::date)
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="campaign.elsewhere",
                text=_("An order of ours does this campaign, or the day on which another shop did it is still ahead."),
            ),
        ]
        constraints = [
            models.CheckConstraint(name="campaignanswer_told_to", condition=~Q(told_to="")),
            models.CheckConstraint(
                name="campaignanswer_elsewhere",
                condition=(
                    Q(reply=CampaignReply.ELSEWHERE, done_on__isnull=False) & ~Q(done_where="") & ~Q(evidence="")
                )
                | (~Q(reply=CampaignReply.ELSEWHERE) & Q(done_on__isnull=True, done_where="", evidence="")),
            ),
        ]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.visit.history_keys()


explain_constraint(
    "campaign_named", "campaign.named", _("A campaign has the maker's number, a title and what is done.")
)
explain_constraint("campaign_days", "campaign.days", _("The last day isn't before the first one."))
explain_constraint("campaignvehicle_once", "campaign.vin_known", _("This VIN is on the list already."))
explain_constraint("campaignvehicle_vin", "campaign.vin", _("A VIN has 17 characters, without I, O and Q."))
explain_constraint("campaignanswer_told_to", "campaign.told_to", _("Write who was told."))
explain_constraint(
    "campaignanswer_elsewhere",
    "campaign.evidence",
    _("What another shop has done is written with its day, the shop and the paper or record that shows it."),
)
