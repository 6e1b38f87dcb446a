"""Stock-take of parts (3.2): what lies in the bins of a warehouse is counted blind, and differences are booked when it closes."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.kernel import clock, states
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import Root, Store
from staff.models import Employee
from workshop.stock_models import StockBin, Warehouse
from workshop.tool_models import COUNT_MOVES, CountState


class ValueClass(models.TextChoices):
    """Parts by the value that lies on the shelf: the few that make up four fifths of it, the next ones, the many."""

    A = "A", pgettext_lazy("value class", "A: four fifths of the value")
    B = "B", pgettext_lazy("value class", "B: the next 15 %")
    C = "C", pgettext_lazy("value class", "C: the last 5 %")


class StockTake(Root):
    """A stock-take of a warehouse, of some of its bins or of a class of its parts (3.2).

    ``recount_from`` and ``approve_from`` (CNY) are the store's settings of the day on which it began: above the first
    a line is counted again by somebody else, above the second nobody who counted closes it.
    """

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    warehouse = models.ForeignKey(Warehouse, models.PROTECT, related_name="+")
    bin_from = models.CharField(max_length=20, blank=True)
    bin_to = models.CharField(max_length=20, blank=True)
    value_class = models.CharField(max_length=1, choices=ValueClass.choices, blank=True)
    recount_from = models.DecimalField(max_digits=12, decimal_places=2)
    approve_from = models.DecimalField(max_digits=12, decimal_places=2)
    state = models.CharField(max_length=9, choices=CountState.choices, default=CountState.COUNTING)
    started_at = models.DateTimeField(default=clock.now)
    started_by = models.ForeignKey(Employee, models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(Employee, models.PROTECT, null=True, blank=True, related_name="+")
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-id"]
        triggers = [
            states.versioned(),
            states.fixed(
                "stocktake_fixed",
                "store_id",
                "warehouse_id",
                "bin_from",
                "bin_to",
                "value_class",
                "recount_from",
                "approve_from",
                "started_at",
                "started_by_id",
            ),
            states.fsm(COUNT_MOVES, field="state", name="stocktake_moves"),
            pgtrigger.Protect(name="stocktake_never_deleted", operation=pgtrigger.Delete),
            states.guard(
                # 3.2: what was closed or broken off stays as it was.
                "stocktake_ended_stays",
                operation=pgtrigger.Update,
                func="""
                    IF OLD.state <> 'COUNTING' AND ROW(NEW.ended_at, NEW.ended_by_id, NEW.note)
                        IS DISTINCT FROM ROW(OLD.ended_at, OLD.ended_by_id, OLD.note) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="take.ended",
                text=_("This stock-take has ended."),
            ),
            states.guard(
                # 3.2: closed when every line is counted and what differs by much was counted again.
                "stocktake_counted",
                operation=pgtrigger.UpdateOf("state"),
                condition=pgtrigger.Condition("NEW.state = 'CLOSED'"),
                func="""
                    IF EXISTS (SELECT 1 FROM workshop_stocktakeline l WHERE l.take_id = NEW.id AND (l.first_at IS NULL
                        OR (l.second_at IS NULL AND abs(l.value) > NEW.recount_from))) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="take.uncounted",
                text=_("Some lines aren't counted yet, or wait for their second count."),
            ),
            states.guard(
                # 3.2: nobody who counted approves a difference of that value.
                "stocktake_second_person",
                operation=pgtrigger.UpdateOf("state"),
                condition=pgtrigger.Condition("NEW.state = 'CLOSED'"),
                func="""
                    IF NEW.approve_from < (SELECT COALESCE(sum(abs(value)), 0) FROM workshop_stocktakeline
                            WHERE take_id = NEW.id)
                        AND EXISTS (SELECT 1 FROM workshop_stocktakeline
                            WHERE take_id = NEW.id AND NEW.ended_by_id IN (first_by_id, second_by_id))
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="take.second_person",
                text=_("The differences are worth so much that somebody who counted nothing closes it (3.2)."),
            ),
            states.guard(
                # 3.2: what was counted is what the movements booked, no more and no less.
                "stocktake_booked",
                operation=pgtrigger.UpdateOf("state"),
                condition=pgtrigger.Condition("NEW.state = 'CLOSED'"),
                func="""
                    IF EXISTS (SELECT 1 FROM workshop_stocktakeline l WHERE l.take_id = NEW.id AND l.difference <> COALESCE(
                        (SELECT sum(m.quantity) FROM workshop_stockmovement m WHERE m.take_line_id = l.id), 0))
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="take.booked",
                text=_("A stock-take closes with its differences booked."),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                name="stocktake_one_open", fields=["warehouse"], condition=Q(state=CountState.COUNTING)
            ),
            models.CheckConstraint(name="stocktake_limits", condition=Q(recount_from__gte=0, approve_from__gte=0)),
            models.CheckConstraint(
                name="stocktake_ends",
                condition=Q(state=CountState.COUNTING, ended_at__isnull=True, ended_by__isnull=True)
                | (~Q(state=CountState.COUNTING) & Q(ended_at__isnull=False, ended_by__isnull=False)),
            ),
            models.CheckConstraint(name="stocktake_cancelled", condition=~Q(state=CountState.CANCELLED) | ~Q(note="")),
        ]


explain_constraint("stocktake_one_open", "take.open", _("A stock-take of this warehouse is being made already."))
explain_constraint("stocktake_cancelled", "take.reason", _("Say why the stock-take is broken off."))


class StockTakeLine(Root):
    """One part in one bin: what the first and, where it differs by much, a second person counted there (3.2).

    The database writes beside each count what the books say at that moment, and the difference and its value (CNY at
    the mean cost) of the last one: so what is issued meanwhile changes nothing. ``codes`` names the batches or serial
    numbers that are missing or were found.
    """

    store_path = "take__store_id"

    take = models.ForeignKey(StockTake, models.PROTECT, related_name="lines")
    place = models.ForeignKey(StockBin, models.PROTECT, related_name="take_lines")
    first_counted = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    first_book = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    first_by = models.ForeignKey(Employee, models.PROTECT, null=True, blank=True, related_name="+")
    first_at = models.DateTimeField(null=True, blank=True)
    second_counted = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    second_book = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    second_by = models.ForeignKey(Employee, models.PROTECT, null=True, blank=True, related_name="+")
    second_at = models.DateTimeField(null=True, blank=True)
    unit_cost = models.DecimalField(max_digits=12, decimal_places=4, default=0)
    difference = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    value = models.DecimalField(max_digits=14, decimal_places=2, default=0)
    codes = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ["id"]
        triggers = [
            states.versioned(),
            states.ShownIn("take"),
            states.fixed("stocktakeline_fixed", "take_id", "place_id"),
            pgtrigger.Protect(name="stocktakeline_never_deleted", operation=pgtrigger.Delete),
            states.guard(
                # 3.2: lines are written while it is counted, of bins of its warehouse.
                "stocktakeline_while_counting",
                operation=pgtrigger.Insert | pgtrigger.Update,
                func="""
                    PERFORM 1 FROM workshop_stocktake t JOIN workshop_stockbin b ON b.warehouse_id = t.warehouse_id
                        WHERE t.id = NEW.take_id AND b.id = NEW.place_id AND t.state = 'COUNTING' FOR SHARE OF t;
                    IF NOT FOUND THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="take.ended",
                text=_("This stock-take has ended."),
                unchanged_passes=True,
            ),
            states.guard(
                # 3.2: what somebody counted first is never changed; it is counted again by somebody else.
                "stocktakeline_first_stays",
                operation=pgtrigger.Update,
                func="""
                    IF OLD.first_at IS NOT NULL AND ROW(NEW.first_counted, NEW.first_by_id, NEW.first_at)
                        IS DISTINCT FROM ROW(OLD.first_counted, OLD.first_by_id, OLD.first_at) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="take.counted",
                text=_("This line is counted already; somebody else may count it again."),
            ),
            pgtrigger.Trigger(
                # 3.2: beside a count stands what the books say at that moment, whatever is sent along.
                name="stocktakeline_with_the_books",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                declare=[("book", "numeric"), ("cost", "numeric")],
                func="""
                    IF TG_OP = 'UPDATE' THEN
                        NEW.first_book := OLD.first_book;
                        NEW.second_book := OLD.second_book;
                        NEW.unit_cost := OLD.unit_cost;
                    ELSE
                        NEW.first_book := NULL;
                        NEW.second_book := NULL;
                        NEW.unit_cost := 0;
                    END IF;
                    SELECT b.on_hand, i.average_cost INTO book, cost FROM workshop_stockbin b
                        JOIN workshop_stockitem i ON i.id = b.item_id WHERE b.id = NEW.place_id FOR SHARE OF b;
                    IF NEW.first_at IS NOT NULL AND (TG_OP = 'INSERT' OR OLD.first_at IS NULL) THEN
                        NEW.first_book := book;
                        NEW.unit_cost := cost;
                    END IF;
                    IF NEW.second_at IS NOT NULL AND (TG_OP = 'INSERT' OR NEW.second_at IS DISTINCT FROM OLD.second_at
                        OR NEW.second_counted IS DISTINCT FROM OLD.second_counted)
                    THEN
                        NEW.second_book := book;
                        NEW.unit_cost := cost;
                    END IF;
                    NEW.difference := COALESCE(NEW.second_counted - NEW.second_book, NEW.first_counted - NEW.first_book, 0);
                    NEW.value := round(NEW.difference * NEW.unit_cost, 2);
                    RETURN NEW;
                """,
            ),
        ]
        constraints = [
            models.UniqueConstraint(name="stocktakeline_once", fields=["take", "place"]),
            models.CheckConstraint(
                name="stocktakeline_first",
                condition=Q(first_counted__isnull=True, first_by__isnull=True, first_at__isnull=True)
                | Q(first_counted__isnull=False, first_counted__gte=0, first_by__isnull=False, first_at__isnull=False),
            ),
            models.CheckConstraint(
                name="stocktakeline_second",
                condition=Q(second_counted__isnull=True, second_by__isnull=True, second_at__isnull=True)
                | Q(
                    second_counted__isnull=False,
                    second_counted__gte=0,
                    second_by__isnull=False,
                    second_at__isnull=False,
                    first_at__isnull=False,
                ),
            ),
            models.CheckConstraint(
                # 3.2: nobody counts a line again that he counted first
                name="stocktakeline_second_person",
                condition=Q(second_by__isnull=True) | (Q(first_by__isnull=False) & ~Q(second_by=F("first_by"))),
            ),
        ]
        indexes = [models.Index(fields=["place"], name="stocktakeline_place")]


explain_constraint(
    "stocktakeline_second_person", "take.other_person", _("Somebody else counts again what you counted first (3.2).")
)
