"""Pages of customers (2.3)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from dealership.kernel.errors import RuleError
from dealership.kernel.pages import ActionView, CommandPage, Page
from reception import permissions
from reception.forms.customers import (
    CONSENT_CHANNELS,
    ConsentForm,
    ContactForm,
    CustomerForm,
    MergeForm,
    NewCustomerForm,
    OtherForm,
    UnmaskForm,
)
from reception.models import Consent, Customer, CustomerMerge, CustomerTier, Duplicate, DuplicateState, UnmaskReason
from reception.selectors import contacts
from reception.selectors import customers as reads
from reception.services import customers as commands
from reception.services import handing_over, merging


class CustomerListPage(Page):
    permission = permissions.CUSTOMERS_VIEW
    template_name = "reception/customers.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        words, kind = self.request.GET.get("q", "").strip(), self.request.GET.get("kind", "")
        before = self.request.GET.get("before", "")
        cursor = int(before) if before.isdecimal() and len(before) < 16 else None
        segment = self.request.GET.get("segment", "")
        tags = contacts.tags(by=self.actor)
        tag = next((row for row in tags if str(row.uid) == self.request.GET.get("tag", "")), None)
        page = reads.list_customers(
            by=self.actor, words=words, kind=kind, segment=segment, tag=tag.pk if tag else None, before=cursor
        )
        return super().get_context_data(**kwargs) | {
            "page": page,
            "words": words,
            "kind": kind,
            "segment": segment,
            "tag": tag,
            "tags": tags,
            "also": urlencode({"segment": segment, "tag": tag.uid if tag else "", "q": words}),
            "may_tag": self.actor.may(permissions.TAGS_MANAGE),
            "segments": [*CustomerTier.choices, (reads.LOST, _("May be lost"))],
            "before": cursor,
            "may_edit": self.actor.may(permissions.CUSTOMERS_EDIT),
            "may_merge": self.actor.may(permissions.CUSTOMERS_MERGE),
            "may_see_looks": self.actor.may(permissions.CUSTOMERS_LOOKS),
        }


class NewCustomerPage(CommandPage):
    """A number that somebody already has is shown first; the person decides whether it is the same customer."""

    permission = permissions.CUSTOMERS_EDIT
    template_name = "reception/customer_form.html"
    form_class = NewCustomerForm
    done = _("Customer registered.")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        phone = self.request.POST.get("phone", "")
        context["same_phone"] = reads.others_with_phone(phone=phone, by=self.actor) if phone else []
        if not context["same_phone"] and "anyway" in context["form"].fields:
            del context["form"].fields["anyway"]
        return context

    def run(self, form: NewCustomerForm) -> Customer:
        values = dict(form.cleaned_data)
        if not values.pop("anyway") and reads.others_with_phone(phone=values["phone"], by=self.actor):
            raise RuleError(
                "customer.phone_known",
                _("Somebody with this number is already there: open the card, or say that it is another person."),
                field="phone",
            )
        return commands.register_customer(**values, by=self.actor)

    def location(self, result: Customer) -> str:
        return reverse("customer-detail", args=[result.uid])


class EditCustomerPage(CommandPage):
    permission = permissions.CUSTOMERS_EDIT
    template_name = "reception/customer_form.html"
    form_class = CustomerForm
    done = _("Customer corrected.")

    def get_initial(self) -> dict[str, Any]:
        customer = reads.customer_of(uid=self.kwargs["uid"], by=self.actor)
        return {name: getattr(customer, name) for name in CustomerForm.base_fields}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "customer": reads.customer_of(uid=self.kwargs["uid"], by=self.actor)
        }

    def run(self, form: CustomerForm) -> Customer:
        return commands.correct_customer(uid=self.kwargs["uid"], **form.cleaned_data, by=self.actor)

    def location(self, result: Customer) -> str:
        return reverse("customer-detail", args=[result.uid])


class CustomerPage(Page):
    """Facts, cars, consents, visits, panels and timeline; the number is masked until it is asked for with a reason."""

    permission = permissions.CUSTOMERS_VIEW
    template_name = "reception/customer.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        shown = reads.customer_page(uid=self.kwargs["uid"], by=self.actor)
        carried = {row.tag_id for row in shown["taggings"]}
        may_merge = self.actor.may(permissions.CUSTOMERS_MERGE)
        return (
            super().get_context_data(**kwargs)
            | shown
            | {
                "form_token": uuid4(),
                "unmask_form": UnmaskForm(),
                "contact_form": ContactForm(by=self.actor, customer=shown["customer"]),
                "consent_channels": CONSENT_CHANNELS,
                "free_tags": [row for row in contacts.tags(by=self.actor) if row.pk not in carried],
                "revealed": kwargs.get("revealed", False),
                "may_edit": self.actor.may(permissions.CUSTOMERS_EDIT),
                "may_merge": may_merge,
                "who_merges": reads.who_merges(by=self.actor) if shown["alike"] and not may_merge else [],
                "may_unmask": self.actor.may(permissions.CUSTOMERS_UNMASK),
                "may_edit_vehicles": self.actor.may(permissions.VEHICLES_EDIT),
                "may_receive": self.actor.may(permissions.VISITS_RECEIVE),
            }
        )


class UnmaskCustomerView(CustomerPage):
    """Answers with the page and the whole number on it: shown once, logged with its reason, never in an address."""

    permission = permissions.CUSTOMERS_UNMASK
    http_method_names = ["post"]

    def post(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        with transaction.atomic():
            commands.unmask_customer(uid=uid, reason=request.POST.get("reason", ""), by=self.actor)
        response = self.render_to_response(self.get_context_data(revealed=True))
        response.headers["Cache-Control"] = "no-store"
        return response


class DuplicatesPage(Page):
    """2.3: pairs of customers who may be one, to be decided by a person."""

    permission = permissions.CUSTOMERS_MERGE
    template_name = "reception/duplicates.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asked = self.request.GET.get("state", "")
        state = asked if asked in DuplicateState.values else DuplicateState.OPEN
        counts = reads.duplicate_counts(by=self.actor)
        return super().get_context_data(**kwargs) | {
            "state": state,
            "strip": [(code, label, counts[code]) for code, label in DuplicateState.choices],
            "pairs": reads.duplicates(by=self.actor, state=state),
            "form_token": uuid4(),
        }


class LooksPage(Page):
    """7.3: the looks at whole numbers, for whoever answers for data protection."""

    permission = permissions.CUSTOMERS_LOOKS
    template_name = "reception/looks.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asked = self.request.GET.get("reason", "")
        reason = asked if asked in UnmaskReason.values else ""
        looks = reads.looks(by=self.actor, reason=reason)
        labels = dict(UnmaskReason.choices)
        return super().get_context_data(**kwargs) | {
            "reason": reason,
            "looks": looks,
            "rows": [(look, labels.get(look.reason, look.reason)) for look in looks.rows],
            "strip": [(code, label, looks.counts[code]) for code, label in UnmaskReason.choices],
            "days": reads.LOOK_DAYS,
        }


class MergePage(CommandPage):
    """Two customers side by side; for each difference it is chosen what stands afterwards."""

    permission = permissions.CUSTOMERS_MERGE
    template_name = "reception/merge.html"
    form_class = MergeForm
    done = _("Merged. The customer's page can undo it.")

    @cached_property
    def pair(self) -> Duplicate:
        return reads.duplicate_of(uid=self.kwargs["uid"], by=self.actor)

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"sides": self.sides}

    @cached_property
    def sides(self) -> list[dict[str, Any]]:
        return reads.both_sides(self.pair)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        for row in self.sides:
            row["chosen"] = self.request.POST.get(row["name"], "first")
        return super().get_context_data(**kwargs) | {
            "pair": self.pair,
            "sides": self.sides,
            "belongings": reads.belongings(self.pair, by=self.actor),
        }

    def run(self, form: MergeForm) -> CustomerMerge:
        return merging.merge_customers(
            kept_uid=self.pair.first.uid, merged_uid=self.pair.second.uid, take=form.taken, by=self.actor
        )

    def location(self, result: CustomerMerge) -> str:
        return reverse("customer-detail", args=[result.kept.uid])


class CompareView(ActionView):
    """From a customer's page: this one beside another with whom something is the same."""

    permission = permissions.CUSTOMERS_MERGE

    def run(self, form: Any) -> Duplicate:
        other = OtherForm(self.request.POST)
        if not other.is_valid():
            raise RuleError("customer.other", _("Choose the other customer on the customer's page."))
        return merging.compare_two(uid=self.kwargs["uid"], **other.cleaned_data, by=self.actor)

    def location(self, result: Duplicate) -> str:
        return reverse("customer-merge", args=[result.uid])


class KeepApartView(ActionView):
    permission = permissions.CUSTOMERS_MERGE
    done = _("Kept apart; the pair doesn't come back.")

    def run(self, form: Any) -> Duplicate:
        return merging.keep_apart(uid=self.kwargs["uid"], by=self.actor)

    def location(self, result: Duplicate) -> str:
        return reverse("customer-duplicates")


class UndoMergeView(ActionView):
    permission = permissions.CUSTOMERS_MERGE
    done = _("The merge is undone; both customers are there again.")

    def run(self, form: Any) -> CustomerMerge:
        return merging.undo_merge(uid=self.kwargs["uid"], by=self.actor)

    def location(self, result: CustomerMerge) -> str:
        return reverse("customer-detail", args=[result.merged.uid])


class ContactView(ActionView):
    """1.2: who the customer asks for; an empty choice takes the name away."""

    permission = permissions.CUSTOMERS_EDIT
    done = _("The contact person is noted.")

    def run(self, form: Any) -> Customer:
        given = ContactForm(self.request.POST, by=self.actor)
        if not given.is_valid():
            raise RuleError("customer.contact", _("Choose one of the people on the list."), field="employee_uid")
        return handing_over.name_contact(customer_uid=self.kwargs["uid"], by=self.actor, **given.cleaned_data)

    def location(self, result: Customer) -> str:
        return reverse("customer-detail", args=[result.uid]) + "#contact-person"


class ConsentView(ActionView):
    permission = permissions.CUSTOMERS_EDIT
    done = _("Recorded.")

    def run(self, form: Any) -> Consent:
        given = ConsentForm(self.request.POST)
        if not given.is_valid():
            raise RuleError("consent.form", _("Choose purpose and channel."))
        return commands.record_consent(customer_uid=self.kwargs["uid"], **given.cleaned_data, by=self.actor)

    def location(self, result: Consent) -> str:
        return reverse("customer-detail", args=[self.kwargs["uid"]]) + "#consents"
