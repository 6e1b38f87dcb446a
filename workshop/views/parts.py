"""Pages of the parts keeper."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import Part, Tracing
from dealership.catalogue.permissions import CATALOGUE_VIEW, PARTS_MANAGE
from dealership.kernel.pages import ActionView, CommandPage, Page
from dealership.kernel.saying import say_name
from workshop import permissions
from workshop.call_models import Need
from workshop.forms.parts import (
    CountForm,
    GiveForm,
    IssueLotForm,
    NameForm,
    PutAwayForm,
    ReceiveForm,
    ReturnForm,
    ScanBackForm,
    ScanForm,
    TransferForm,
    WarehouseForm,
)
from workshop.models import (
    PartLine,
    RepairOrder,
    ReservationMove,
    ReturnCondition,
    StockBin,
    StockItem,
    StockLot,
    StockMovement,
    Warehouse,
)
from workshop.selectors import calls
from workshop.selectors import purchasing as reorders
from workshop.selectors import stock as reads
from workshop.selectors.own_parts import own_parts
from workshop.selectors.places import bin_names, read_bin, unplaced, unplaced_count, usual_bins, without_stock
from workshop.selectors.replacing import offers, with_offers
from workshop.selectors.stock_takes import last_counted
from workshop.selectors.tracing import lot_scanned, lots_out, lots_there, traces, unnamed, unnamed_out
from workshop.selectors.trials import trials_used
from workshop.services import stock as commands

PARTS_CALLED = (Need.PARTS,)


class PartsBoardPage(Page):
    """3.2: what agreed work still needs, what the shelf lacks, what may come back. Scanning a number filters."""

    permission = permissions.STOCK_VIEW
    template_name = "workshop/parts.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        show, number = self.request.GET.get("show", "ISSUE"), self.request.GET.get("number", "")
        show = show if show in ("ISSUE", "SHORT", "WAIT", "BACK", "OLD") else "ISSUE"
        rows = reads.wanted(self.actor, show=show, number=number) if show in ("ISSUE", "SHORT") else []
        if rows:
            offered = offers(self.actor.store_id, {row.part_line.part_id for row in rows})
            rows = [
                replace(row, offers=[o for o in offered.get(row.part_line.part_id, ()) if show == "SHORT" or o.follows])
                for row in rows
            ]
        back, old = reads.returnable(self.actor), reads.came_back(self.actor)
        tried, waits = trials_used(self.actor), list(reads.waits_without_part(self.actor))
        return super().get_context_data(**kwargs) | {
            "show": show,
            "number": number,
            "counts": reads.wanted_counts(self.actor)
            | {"WAIT": len(waits), "BACK": len(back), "OLD": len(old) + len(tried)},
            "rows": rows,
            "back": back if show == "BACK" else [],
            "old": old if show == "OLD" else [],
            "waits": waits if show == "WAIT" else [],
            "tried": tried if show == "OLD" else [],
            "address": self.request.get_full_path(),
            "calls": calls.open_calls(self.actor, PARTS_CALLED) if self.actor.may(permissions.CALLS_ANSWER) else [],
            "may_issue": self.actor.may(permissions.PARTS_ISSUE),
            "may_reserve": self.actor.may(permissions.PARTS_RESERVE),
            "may_give": self.actor.may(permissions.PARTS_GIVE),
            "may_buy": self.actor.may(permissions.PARTS_BUY),
            "form_token": uuid4(),
        }


class _PartAction(ActionView):
    def location(self, result: Any) -> str:
        return (self.request.POST.get("next") and super().location(result)) or reverse("parts-board")


class IssuePartView(_PartAction):
    permission = permissions.PARTS_ISSUE
    done = _("Issued.")

    def run(self, form: Any) -> PartLine:
        return commands.issue_part(part_line_uid=self.kwargs["uid"], by=self.actor)


class IssueLotPage(CommandPage):
    """Issues a traced part: its batch, or the pieces by their serial numbers, are chosen from what lies there."""

    permission = permissions.PARTS_ISSUE
    template_name = "workshop/part_issue_lot.html"
    form_class = IssueLotForm
    done = _("Issued.")

    @cached_property
    def part_line(self) -> PartLine:
        rows = PartLine.objects.for_actor(self.actor).select_related("part", "line__order__visit__vehicle")
        return get_object_or_404(rows, uid=self.kwargs["uid"])

    @cached_property
    def lots(self) -> list[StockLot]:
        items = StockItem.objects.filter(store=self.part_line.line.order.store_id, part=self.part_line.part_id)
        return [lot for item in items for lot in lots_there(item)]

    @cached_property
    def unnamed(self) -> Decimal:
        """What lies there from before the part was traced."""
        rows = StockItem.objects.filter(store=self.part_line.line.order.store_id, part=self.part_line.part_id)
        return sum((unnamed(item) for item in rows.select_related("part")), Decimal(0))

    @property
    def left(self) -> Decimal:
        return self.part_line.quantity - self.part_line.issued_quantity

    def get_form_kwargs(self) -> dict[str, Any]:
        part = self.part_line.part
        return super().get_form_kwargs() | {
            "lots": self.lots, "tracing": part.tracing, "unit": part.unit, "unnamed": self.unnamed,
        }  # fmt: skip

    def get_initial(self) -> dict[str, Any]:
        return {"quantity": f"{self.left.normalize():f}"}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        there = bool(self.lots) or self.unnamed > 0
        return super().get_context_data(**kwargs) | {"part_line": self.part_line, "there": there, "left": self.left}

    def run(self, form: IssueLotForm) -> PartLine:
        return commands.issue_part(part_line_uid=self.part_line.uid, by=self.actor, **form.cleaned_data)

    def location(self, result: PartLine) -> str:
        return reverse("order-parts", args=[self.part_line.line.order.uid])


class TracePage(Page):
    """Where a batch or a serial number came from and which cars it went into: what a recall asks."""

    permission = permissions.STOCK_VIEW
    template_name = "workshop/trace.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        code = self.request.GET.get("code", "")[:60]
        rows = traces(self.actor, code)
        return super().get_context_data(**kwargs) | {
            "code": code,
            "rows": rows,
            "cars": len({use.part_line.line.order.vehicle_id for row in rows for use in row.uses if use.left > 0}),
            "may_orders": self.actor.may(permissions.ORDERS_VIEW),
        }


class ReservePartView(_PartAction):
    permission = permissions.PARTS_RESERVE
    done = _("Kept what is free; the rest waits for a delivery.")

    def run(self, form: Any) -> PartLine:
        return commands.reserve_part(part_line_uid=self.kwargs["uid"], by=self.actor)


class _PartLinePage(CommandPage):
    @cached_property
    def part_line(self) -> PartLine:
        rows = PartLine.objects.for_actor(self.actor).select_related("part", "line__order__visit__vehicle")
        return get_object_or_404(rows, uid=self.kwargs["uid"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"part_line": self.part_line}

    def location(self, result: Any) -> str:
        return reverse("parts-board")


class ReturnPartPage(_PartLinePage):
    """Takes a part back: unopened onto the shelf, opened or fitted among old and trial parts."""

    permission = permissions.PARTS_ISSUE
    template_name = "workshop/part_return.html"
    form_class = ReturnForm
    done = _("Taken back.")

    @cached_property
    def lots(self) -> list[str]:
        """The batches or serial numbers that are out for the line."""
        named = [lot.code for lot, _quantity in lots_out([self.part_line]).get(self.part_line.pk, [])]
        plain = self.part_line.part.tracing != Tracing.NONE and unnamed_out(self.part_line) > 0
        return [*named, commands.UNNAMED] if plain else named

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"lots": self.lots}

    def get_initial(self) -> dict[str, Any]:
        one = self.part_line.part.tracing == Tracing.SERIAL and self.lots
        return {"quantity": "1" if one else f"{self.part_line.issued_quantity.normalize():f}"}

    def run(self, form: ReturnForm) -> PartLine:
        return commands.return_part(part_line_uid=self.kwargs["uid"], by=self.actor, **form.cleaned_data)


class GivePartPage(_PartLinePage):
    """Gives the line what is kept for another order."""

    permission = permissions.PARTS_GIVE
    template_name = "workshop/part_give.html"
    form_class = GiveForm
    done = _("Given over; who lost it is told.")

    @cached_property
    def keepers(self) -> list[PartLine]:
        return reads.keepers(self.part_line)

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"keepers": self.keepers}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        line = self.part_line
        return super().get_context_data(**kwargs) | {
            "keepers": self.keepers,
            "lacks": line.quantity - line.issued_quantity - line.reserved_quantity,
        }

    def run(self, form: GiveForm) -> ReservationMove:
        facts = form.cleaned_data
        return commands.move_reservation(
            source_uid=UUID(facts["source"]), target_uid=self.part_line.uid, reason=facts["reason"], by=self.actor
        )

    def location(self, result: Any) -> str:
        return reverse("parts-board") + "?show=SHORT"


class OrderPartsPage(CommandPage):
    """The parts of one order at the counter: scan a part or a bin, Enter, and one piece is out; or back, in that mode."""

    permission = permissions.PARTS_ISSUE
    template_name = "workshop/parts_of_order.html"

    @cached_property
    def order(self) -> RepairOrder:
        rows = RepairOrder.objects.for_actor(self.actor).select_related("visit__vehicle", "advisor")
        return get_object_or_404(rows, uid=self.kwargs["uid"])

    @property
    def back(self) -> bool:
        return self.request.GET.get("mode") == "back"

    def get_form_class(self) -> type[ScanForm]:
        return ScanBackForm if self.back else ScanForm

    def get_initial(self) -> dict[str, Any]:
        asked = self.request.GET.get("condition", "")
        condition = asked if asked in ReturnCondition.values else ReturnCondition.UNOPENED
        return {"condition": condition, "reason": self.request.GET.get("reason", "")[:120]}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        rows = reads.of_order(self.order, self.actor)
        return super().get_context_data(**kwargs) | {
            "order": self.order,
            "back": self.back,
            "rows": rows,
            "left": sum(row.left > 0 and row.agreed for row in rows),
            "waits": sum(row.left > 0 and not row.agreed for row in rows),
            "may_reserve": self.actor.may(permissions.PARTS_RESERVE),
            "own_parts": own_parts(self.order.lines.exclude(state__in=("CANCELLED", "DECLINED", "WITHDRAWN"))),
            "may_check_own": self.actor.may(permissions.PARTS_CHECK_OWN),
            "address": self.request.get_full_path(),
        }

    def run(self, form: ScanForm) -> PartLine:
        facts, place, lot = form.cleaned_data, None, ""
        scanned = None if facts["line"] else lot_scanned(self.order, facts["code"], back=self.back)
        if scanned:
            part_line, lot = scanned
        elif facts["line"]:
            part_line = get_object_or_404(
                PartLine.objects.filter(line__order=self.order).select_related("part"), uid=facts["line"]
            )
        else:
            part_line, place = reads.scanned(self.order, facts["code"], self.actor, back=self.back)
        left = part_line.issued_quantity if self.back else part_line.quantity - part_line.issued_quantity
        whole = part_line.part.unit in reads.MEASURED and part_line.part.tracing != Tracing.SERIAL
        quantity = left if whole else min(Decimal(1), left)
        if self.back:
            return commands.return_part(
                part_line_uid=part_line.uid, quantity=quantity, reason=facts["reason"], condition=facts["condition"],
                lot=lot, by=self.actor,
            )  # fmt: skip
        return commands.issue_part(
            part_line_uid=part_line.uid, quantity=quantity, bin_uid=place.uid if place else None, by=self.actor,
            lots=[lot] if lot else [],
        )  # fmt: skip

    def words(self, result: PartLine) -> str:
        facts = {
            "part": result.part.said,
            "issued": f"{result.issued_quantity.normalize():f}",
            "of": f"{result.quantity.normalize():f}",
        }
        if self.back and result.line.state in reads.AGREED:
            facts["left"] = f"{(result.quantity - result.issued_quantity).normalize():f}"
            facts["unit"] = say_name(result.part.unit)
            return (
                gettext("%(part)s: taken back, %(issued)s still out. The order needs %(left)s %(unit)s of it again.")
                % facts
            )
        if self.back:
            return gettext("%(part)s: taken back, %(issued)s still out.") % facts
        return gettext("%(part)s: %(issued)s of %(of)s issued.") % facts

    def location(self, result: PartLine) -> str:
        address = reverse("order-parts", args=[self.order.uid])
        if not self.back:
            return address
        kept = {name: self.request.POST.get(name, "")[:120] for name in ("reason", "condition")}
        return address + "?" + urlencode({"mode": "back"} | kept)


class StockPage(Page):
    """The shelf: on hand, kept, free, below the reorder level."""

    permission = permissions.STOCK_VIEW
    template_name = "workshop/stock.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        words, low = self.request.GET.get("words", ""), self.request.GET.get("low") == "1"
        runs_low = reorders.runs_low(reorders.reckoned(self.actor))
        rows = reads.shelf(self.actor, words=words, only=runs_low if low else None)
        return super().get_context_data(**kwargs) | {
            "words": words,
            "low": low,
            "rows": with_offers(list(rows[:200]), self.actor.store_id),
            "runs_low": runs_low,
            "may_move": self.actor.may(permissions.STOCK_MOVE),
            "may_count": self.actor.may(permissions.STOCK_COUNT) or self.actor.may(permissions.STOCK_APPROVE),
            "may_master": self.actor.may(PARTS_MANAGE),
            "may_order": self.actor.may(permissions.PARTS_BUY),
            "unstocked": [] if low else without_stock(self.actor, words),
            "unplaced": unplaced_count(self.actor),
        }


class _ItemPage(CommandPage):
    """A page with one command on one part of the store."""

    permission = permissions.STOCK_MOVE

    @cached_property
    def item(self) -> StockItem:
        return reads.item(self.actor, self.kwargs["uid"])

    @cached_property
    def bins(self) -> list[StockBin]:
        return reads.bins_of(self.item)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"item": self.item}

    def location(self, result: Any) -> str:
        return reverse("stock-item", args=[self.item.uid])


class StockItemPage(_ItemPage):
    """One part of the store: where it lies and its movements; a delivery is received here."""

    permission = permissions.STOCK_VIEW
    template_name = "workshop/stock_item.html"
    form_class = ReceiveForm
    done = _("Received.")

    def get_form_kwargs(self) -> dict[str, Any]:
        tracing = self.item.part.tracing
        warehouses = list(reads.warehouses(self.actor))
        return super().get_form_kwargs() | {"warehouses": warehouses, "tracing": tracing, "usual": self.usual}

    @cached_property
    def usual(self) -> dict[UUID | None, str]:
        return usual_bins(self.actor, [self.item.part]).get(self.item.part_id, {})

    def get_initial(self) -> dict[str, Any]:
        where, name = next(iter(self.usual.items()), (None, ""))
        return {"warehouse": str(where or ""), "bin": name, "unit_cost": round(self.item.average_cost, 2)}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        counted = last_counted(self.bins)
        return super().get_context_data(**kwargs) | {
            "free": self.item.on_hand - self.item.reserved,
            "bins": [(row, counted.get(row.pk)) for row in self.bins],
            "movements": reads.movements(self.item),
            "lots": lots_there(self.item) if self.item.part.tracing != Tracing.NONE else [],
            "unnamed": unnamed(self.item),
            "offers": offers(self.item.store_id, [self.item.part_id]).get(self.item.part_id, []),
            "kept_for": reads.kept_for(self.item),
            "bin_names": bin_names(self.actor),
            "may_catalogue": self.actor.may(CATALOGUE_VIEW),
            "may_move": self.actor.may(permissions.STOCK_MOVE),
        }

    def run(self, form: ReceiveForm) -> StockMovement:
        facts = form.cleaned_data
        warehouse = facts.pop("warehouse", None)
        return commands.receive_stock(part_uid=self.item.part.uid, warehouse_uid=warehouse, by=self.actor, **facts)


class ReceivePartPage(CommandPage):
    """A part of the master that this store never had comes in for the first time."""

    permission = permissions.STOCK_MOVE
    template_name = "workshop/stock_receive.html"
    form_class = ReceiveForm
    done = _("Received.")

    @cached_property
    def part(self) -> Part:
        return get_object_or_404(Part, uid=self.kwargs["uid"], active=True)

    def get_form_kwargs(self) -> dict[str, Any]:
        warehouses = list(reads.warehouses(self.actor))
        usual = usual_bins(self.actor, [self.part]).get(self.part.pk, {})
        return super().get_form_kwargs() | {"warehouses": warehouses, "tracing": self.part.tracing, "usual": usual}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"part": self.part, "bin_names": bin_names(self.actor)}

    def run(self, form: ReceiveForm) -> StockMovement:
        facts = form.cleaned_data
        return commands.receive_stock(
            part_uid=self.part.uid, warehouse_uid=facts.pop("warehouse", None), by=self.actor, **facts
        )

    def location(self, result: StockMovement) -> str:
        return reverse("stock-item", args=[result.item.uid])


class PutAwayPage(CommandPage):
    """What came in without a bin, each with the bin it belongs in: one tap puts it there."""

    permission = permissions.STOCK_MOVE
    template_name = "workshop/stock_put_away.html"
    form_class = PutAwayForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        typed = {self.request.POST.get("source"): self.request.POST.get("bin", "")}
        rows = [(row, typed.get(str(row.place.uid), row.proposed)) for row in unplaced(self.actor)]
        return context | {"rows": rows, "faulty": self.request.POST.get("source"), "bin_names": bin_names(self.actor)}

    def run(self, form: PutAwayForm) -> StockItem:
        source = get_object_or_404(
            StockBin.objects.for_actor(self.actor).select_related("warehouse"), uid=form.cleaned_data["source"]
        )
        named, text = read_bin(form.cleaned_data["bin"], list(reads.warehouses(self.actor)))
        return commands.transfer_stock(
            from_uid=source.uid, quantity=source.on_hand, to_warehouse_uid=named.uid if named else None, to_bin=text,
            by=self.actor,
        )  # fmt: skip

    def words(self, result: StockItem) -> str:
        place = result.movements.filter(quantity__gt=0).select_related("place__warehouse").order_by("-id").first()
        return gettext("%(part)s lies in %(bin)s.") % {"part": result.part.said, "bin": place.place if place else "—"}

    def location(self, result: StockItem) -> str:
        return reverse("put-away")


class NameStockPage(_ItemPage):
    """Writes the numbers of what lies there from before the part was traced."""

    template_name = "workshop/stock_name.html"
    form_class = NameForm
    done = _("Numbers written.")

    @cached_property
    def left(self) -> Decimal:
        return unnamed(self.item)

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"tracing": self.item.part.tracing}

    def get_initial(self) -> dict[str, Any]:
        return {"quantity": f"{self.left.normalize():f}"}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"left": self.left}

    def run(self, form: NameForm) -> StockItem:
        facts = {"lots": ()} | form.cleaned_data  # a part that isn't traced has no field for them
        return commands.name_stock(uid=self.item.uid, by=self.actor, **facts)


class TransferPage(_ItemPage):
    """Moves a part from one bin into another one."""

    template_name = "workshop/stock_transfer.html"
    form_class = TransferForm
    done = _("Moved.")

    def get_form_kwargs(self) -> dict[str, Any]:
        warehouses = list(reads.warehouses(self.actor))
        return super().get_form_kwargs() | {"bins": self.bins, "warehouses": warehouses, "unit": self.item.part.unit}

    def get_initial(self) -> dict[str, Any]:
        """All of it goes where it lies in one bin; else the keeper says which bin and how much."""
        if len(self.bins) != 1:
            return {}
        [place] = self.bins
        return {
            "source": str(place.uid),
            "quantity": f"{place.on_hand.normalize():f}",
            "warehouse": str(place.warehouse.uid),
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"bins": self.bins, "bin_names": bin_names(self.actor)}

    def run(self, form: TransferForm) -> StockItem:
        facts = form.cleaned_data
        return commands.transfer_stock(
            from_uid=facts["source"],
            quantity=facts["quantity"],
            to_warehouse_uid=facts.get("warehouse") or None,
            to_bin=facts["to_bin"],
            by=self.actor,
        )


class CountPage(_ItemPage):
    """Writes what was counted in a bin."""

    template_name = "workshop/stock_count.html"
    form_class = CountForm
    done = _("Count written down.")

    def get_form_kwargs(self) -> dict[str, Any]:
        part = self.item.part
        return super().get_form_kwargs() | {"bins": self.bins, "unit": part.unit, "tracing": part.tracing}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"bins": self.bins, "kept": self.item.reserved}

    def run(self, form: CountForm) -> StockItem:
        facts = form.cleaned_data
        bin_uid = facts.pop("bin", "") or None
        return commands.count_stock(part_uid=self.item.part.uid, bin_uid=bin_uid, by=self.actor, **facts)


class WarehousesPage(CommandPage):
    """The store's warehouses; one more is opened here."""

    permission = permissions.STOCK_MOVE
    template_name = "workshop/warehouses.html"
    form_class = WarehouseForm
    done = _("The warehouse is there.")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"rows": reads.warehouses(self.actor)}

    def run(self, form: WarehouseForm) -> Warehouse:
        return commands.open_warehouse(by=self.actor, **form.cleaned_data)
