"""Events of the catalogue and the resources."""

from django.utils.translation import gettext_lazy as _

from dealership.kernel.registry import event

# resources
RESOURCE_ADDED = event("catalogue.resource.added", _("Resource added"), clause="2.4")
