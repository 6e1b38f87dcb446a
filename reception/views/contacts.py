"""Pages of the people around a customer and of tags (2.3)."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from dealership.kernel.errors import RuleError
from dealership.kernel.pages import ActionView, CommandPage
from reception import permissions
from reception.forms.contacts import CustomerContactForm, TagCustomerForm, TagForm
from reception.models import Customer, CustomerContact, CustomerTag, CustomerTagging
from reception.selectors import contacts as reads
from reception.selectors.customers import customer_of
from reception.services import contacts as commands
from reception.services import tags


def _people(customer: Customer) -> str:
    return reverse("customer-detail", args=[customer.uid]) + "#people"


class NewContactPage(CommandPage):
    permission = permissions.CUSTOMERS_EDIT
    template_name = "reception/customer_contact.html"
    form_class = CustomerContactForm
    done = _("The person is written down.")

    @cached_property
    def customer(self) -> Customer:
        return customer_of(uid=self.kwargs["uid"], by=self.actor)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"customer": self.customer, "back": _people(self.customer)}

    def run(self, form: CustomerContactForm) -> CustomerContact:
        return commands.add_contact(customer_uid=self.customer.uid, by=self.actor, **form.cleaned_data)

    def location(self, result: CustomerContact) -> str:
        return _people(result.customer)


class EditContactPage(NewContactPage):
    done = _("The person is corrected.")

    @cached_property
    def contact(self) -> CustomerContact:
        return reads.contact_of(uid=self.kwargs["uid"], by=self.actor)

    @cached_property
    def customer(self) -> Customer:
        return self.contact.customer

    def get_initial(self) -> dict[str, Any]:
        return {name: getattr(self.contact, name) for name in CustomerContactForm.base_fields}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"contact": self.contact}

    def run(self, form: CustomerContactForm) -> CustomerContact:
        return commands.correct_contact(uid=self.contact.uid, by=self.actor, **form.cleaned_data)


class EndContactView(ActionView):
    permission = permissions.CUSTOMERS_EDIT
    done = _("The person is off the list.")

    def run(self, form: Any) -> CustomerContact:
        return commands.end_contact(uid=self.kwargs["uid"], by=self.actor)

    def location(self, result: CustomerContact) -> str:
        return _people(result.customer)


class TagsPage(CommandPage):
    """The store's tags with how many carry each, and a form for a new one beside them."""

    permission = permissions.TAGS_MANAGE
    template_name = "reception/customer_tags.html"
    form_class = TagForm
    done = _("The tag is there.")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"tags": reads.tags_with_counts(by=self.actor)}

    def run(self, form: TagForm) -> CustomerTag:
        return tags.define_tag(by=self.actor, **form.cleaned_data)

    def location(self, result: CustomerTag) -> str:
        return reverse("customer-tags")


class EditTagPage(TagsPage):
    done = _("The tag is changed.")

    @cached_property
    def tag(self) -> CustomerTag:
        return reads.tag_of(uid=self.kwargs["uid"], by=self.actor)

    def get_initial(self) -> dict[str, Any]:
        return {"name": self.tag.name, "color": self.tag.color}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"tag": self.tag}

    def run(self, form: TagForm) -> CustomerTag:
        return tags.change_tag(uid=self.tag.uid, by=self.actor, **form.cleaned_data)


class EndTagView(ActionView):
    permission = permissions.TAGS_MANAGE
    done = _("The tag is no longer used.")

    def run(self, form: Any) -> CustomerTag:
        return tags.end_tag(uid=self.kwargs["uid"], by=self.actor)

    def location(self, result: CustomerTag) -> str:
        return reverse("customer-tags")


class TagCustomerView(ActionView):
    permission = permissions.CUSTOMERS_EDIT
    done = _("The tag is on.")

    def run(self, form: Any) -> CustomerTagging:
        given = TagCustomerForm(self.request.POST, tags=reads.tags(by=self.actor))
        if not given.is_valid():
            raise RuleError("tag.choice", _("Choose one of the tags on the list."), field="tag_uid")
        return tags.tag_customer(customer_uid=self.kwargs["uid"], by=self.actor, **given.cleaned_data)

    def location(self, result: CustomerTagging) -> str:
        return reverse("customer-detail", args=[result.customer.uid])


class UntagCustomerView(ActionView):
    permission = permissions.CUSTOMERS_EDIT
    done = _("The tag is off.")

    def run(self, form: Any) -> CustomerTagging:
        return tags.untag_customer(uid=self.kwargs["uid"], by=self.actor)

    def location(self, result: CustomerTagging) -> str:
        return reverse("customer-detail", args=[result.customer.uid])
