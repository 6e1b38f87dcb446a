"""What may be done in chapter 2, one sentence each."""

from django.utils.translation import gettext_lazy as _

from dealership.kernel.registry import permission, role

# --- customers and vehicles (2.3) ---
CUSTOMERS_VIEW = permission("reception.customers.view", _("See customers with masked telephone numbers."))
CUSTOMERS_EDIT = permission("reception.customers.edit", _("Register and correct customers and their consents."))
CUSTOMERS_UNMASK = permission(
    "reception.customers.unmask", _("See a customer's whole telephone number; each look is logged with its reason.")
)
CUSTOMERS_LOOKS = permission("reception.customers.looks", _("See who looked at whole telephone numbers, when and why."))
CUSTOMERS_MERGE = permission(
    "reception.customers.merge", _("Decide whether two customers are one, merge them and undo it.")
)
TAGS_MANAGE = permission("reception.tags.manage", _("Define the tags by which customers are sorted."))
VEHICLES_VIEW = permission("reception.vehicles.view", _("See vehicles, their visits and their timeline."))
VEHICLES_EDIT = permission("reception.vehicles.edit", _("Register and correct vehicles and their owners."))
VIN_OVERRIDE = permission(
    "reception.vehicles.override_vin", _("Keep a VIN whose check digit or model year doesn't fit, with a reason.")
)

_SEE = {CUSTOMERS_VIEW, VEHICLES_VIEW}
_EDIT = _SEE | {CUSTOMERS_EDIT, CUSTOMERS_UNMASK, VEHICLES_EDIT}
for _code in ("receptionist", "advisor", "care"):
    role(_code, permissions=_EDIT)
role("care", permissions={CUSTOMERS_MERGE, TAGS_MANAGE})
for _code in ("manager", "gm"):
    role(_code, permissions=_EDIT | {VIN_OVERRIDE, CUSTOMERS_LOOKS, CUSTOMERS_MERGE, TAGS_MANAGE})
for _code in ("warranty", "cashier", "accountant", "supervisor"):
    role(_code, permissions=_SEE)
for _code in ("foreman", "leader", "technician", "inspector", "techdirector", "parts"):
    role(_code, permissions={VEHICLES_VIEW})

# --- visits ---
VISITS_VIEW = permission("reception.visits.view", _("See the cars in the shop and their visits."))
VISITS_RECEIVE = permission("reception.visits.receive", _("Register arrivals and receive customers."))

for code in ("receptionist", "advisor", "manager", "care"):
    role(code, permissions={VISITS_VIEW, VISITS_RECEIVE})
for code in ("foreman", "leader", "inspector", "techdirector", "supervisor", "parts", "warranty", "cashier", "gm"):
    role(code, permissions={VISITS_VIEW})

# --- keys, photos, evening count ---
VISITS_KEYS = permission("reception.visits.keys", _("Give out key tags and say where key and car are."))
VISITS_PHOTOGRAPH = permission("reception.visits.photograph", _("Add photos to a visit."))
VISITS_PROMISE = permission("reception.visits.promise", _("Promise a customer when the car is ready."))
EVENING_COUNT = permission("reception.evening.count", _("Count cars and keys in the evening."))

for code in ("receptionist", "advisor", "manager"):
    role(code, permissions={VISITS_KEYS, VISITS_PHOTOGRAPH, VISITS_PROMISE, EVENING_COUNT})
for code in ("foreman", "leader", "inspector", "technician"):
    role(code, permissions={VISITS_KEYS, VISITS_PHOTOGRAPH})
role("foreman", permissions={EVENING_COUNT, VISITS_PROMISE})

# --- fetching and bringing back (2.1.2) ---
TRANSPORTS_VIEW = permission("reception.transports.view", _("See which cars are fetched and brought back."))
TRANSPORTS_WORK = permission(
    "reception.transports.work", _("Plan who fetches and brings back cars, drive, and take them over at the door.")
)

for code in ("receptionist", "advisor", "manager", "care"):
    role(code, permissions={TRANSPORTS_VIEW, TRANSPORTS_WORK})
for code in ("foreman", "supervisor", "gm"):
    role(code, permissions={TRANSPORTS_VIEW})

# --- loan cars (2.1.2, 2.4) ---
LOANS_VIEW = permission("reception.loans.view", _("See which loan car is with whom and when it comes back."))
LOANS_WORK = permission("reception.loans.work", _("Give loan cars to customers, keep them longer and take them back."))

for code in ("receptionist", "advisor", "manager"):
    role(code, permissions={LOANS_VIEW, LOANS_WORK})
for code in ("foreman", "supervisor", "care", "gm"):
    role(code, permissions={LOANS_VIEW})

# --- opening checklists (2.1.1) ---
CHECKLISTS_FILL = permission(
    "reception.checklists.fill", _("Go through the checklists before opening and put open points right.")
)
CHECKLISTS_MANAGE = permission("reception.checklists.manage", _("Write the checklists for opening."))

for code in ("receptionist", "advisor", "manager", "foreman"):
    role(code, permissions={CHECKLISTS_FILL})
for code in ("manager", "supervisor"):
    role(code, permissions={CHECKLISTS_FILL, CHECKLISTS_MANAGE})

# --- the standard of reception (2.1.3) ---
SCRIPTS_MANAGE = permission("reception.scripts.manage", _("Write the standard phrases of the desk."))
RECEPTION_OBSERVE = permission(
    "reception.observe", _("Watch colleagues at the desk and write down how they keep to the standard.")
)

for code in ("manager", "supervisor"):
    role(code, permissions={SCRIPTS_MANAGE, RECEPTION_OBSERVE})

# --- effect (2.1.4) ---
EFFECT_VIEW = permission("reception.effect.view", _("See what the reception achieves, with the visits behind it."))

for code in ("manager", "gm", "supervisor"):
    role(code, permissions={EFFECT_VIEW})

# --- appointments (2.4) ---
APPOINTMENTS_VIEW = permission("reception.appointments.view", _("See bookings and the preparation list."))
APPOINTMENTS_BOOK = permission(
    "reception.appointments.book", _("Book, confirm, move and cancel arrivals and mark who did not come.")
)
APPOINTMENTS_PARTS = permission("reception.appointments.parts", _("Confirm that a booking's parts are ready."))
APPOINTMENTS_WORKSHOP = permission(
    "reception.appointments.workshop", _("Confirm that bay and technician are ready for a booking.")
)

for code in ("receptionist", "advisor", "manager", "care"):
    role(code, permissions={APPOINTMENTS_VIEW, APPOINTMENTS_BOOK})
role("parts", permissions={APPOINTMENTS_VIEW, APPOINTMENTS_PARTS})
for code in ("foreman", "leader", "techdirector"):
    role(code, permissions={APPOINTMENTS_VIEW, APPOINTMENTS_WORKSHOP})
for code in ("supervisor", "gm"):
    role(code, permissions={APPOINTMENTS_VIEW})

# --- consultations (2.2) ---
CONSULTATIONS_VIEW = permission("reception.consultations.view", _("See the questions of customers and their threads."))
CONSULTATIONS_WORK = permission(
    "reception.consultations.work", _("Write down, answer, assign, put off and end questions of customers.")
)
TEMPLATES_MANAGE = permission("reception.templates.manage", _("Write the templates for answers."))

for code in ("receptionist", "advisor", "care", "manager"):
    role(code, permissions={CONSULTATIONS_VIEW, CONSULTATIONS_WORK})
for code in ("supervisor", "gm"):
    role(code, permissions={CONSULTATIONS_VIEW})
for code in ("manager", "care", "admin"):
    role(code, permissions={TEMPLATES_MANAGE})

# --- knowledge (2.2.2) ---
KNOWLEDGE_VIEW = permission("reception.knowledge.view", _("Read what the shop answers to usual questions."))
KNOWLEDGE_WRITE = permission(
    "reception.knowledge.write", _("Write, revise, look at again and withdraw what the shop answers.")
)

for code in ("receptionist", "advisor", "supervisor", "foreman", "cashier", "gm"):
    role(code, permissions={KNOWLEDGE_VIEW})
for code in ("care", "warranty", "techdirector", "manager"):
    role(code, permissions={KNOWLEDGE_VIEW, KNOWLEDGE_WRITE})

# --- quotations (2.2.2) ---
QUOTATIONS_VIEW = permission("reception.quotations.view", _("See the price list for customers and what was quoted."))
QUOTATIONS_GIVE = permission("reception.quotations.give", _("Quote prices that bind the shop until a day."))

for code in ("receptionist", "advisor", "care", "manager"):
    role(code, permissions={QUOTATIONS_VIEW, QUOTATIONS_GIVE})
for code in ("supervisor", "cashier", "foreman", "gm"):
    role(code, permissions={QUOTATIONS_VIEW})
