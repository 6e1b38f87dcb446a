"""The pages that carry out the clauses on prices, places in the plan and maintenance plans."""

from django.utils.translation import gettext_lazy as _

from dealership.process.clauses import screen

screen("3.2", "labor-rates", _("Labour rates"))
screen("3.2", "part-prices", _("Parts catalogue"))
screen("2.2.2", "model-prices", _("Model prices"))
screen("2.4", "bays", _("Bays and tools"))
screen("3.1", "maintenance-plans", _("Maintenance plans"))
screen("3.1", "check-templates", _("Check sheets"))
