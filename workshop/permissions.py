"""What may be done in chapter 3, one sentence each."""

from django.utils.translation import gettext_lazy as _

from dealership.kernel.registry import permission, role

# --- repair orders and authorisations ---
ORDERS_VIEW = permission("workshop.orders.view", _("See the store's repair orders."))
ORDERS_OPEN = permission("workshop.orders.open", _("Open a repair order for a car in the shop."))
LINES_EDIT = permission("workshop.lines.edit", _("Write, price and cancel lines and parts of a repair order."))
LINES_PROPOSE = permission("workshop.lines.propose", _("Report more work that was found on a car."))
ESTIMATES_SEND = permission("workshop.estimates.send", _("Send the customer an estimate."))
AUTHORIZATIONS_RECORD = permission(
    "workshop.authorizations.record", _("Record what the customer said by telephone or signed at the desk.")
)
ORDERS_WITHDRAW = permission("workshop.orders.withdraw", _("Withdraw a line or a whole order at any stage."))
PROMISE_CHANGE = permission("workshop.promise.change", _("Change the promised time and tell the customer."))
DISCOUNT_SMALL = permission("workshop.discount.small", _("Give a discount within the advisor's limit."))
DISCOUNT_LARGE = permission("workshop.discount.large", _("Give a discount within the manager's limit."))
GOODWILL_ASK = permission("workshop.goodwill.ask", _("Ask that the maker or the shop bears a line out of goodwill."))

for _code in (
    "receptionist", "advisor", "foreman", "leader", "inspector", "techdirector", "supervisor", "parts", "warranty",
    "cashier", "accountant", "care", "manager", "gm",
):  # fmt: skip
    role(_code, permissions={ORDERS_VIEW})
for _code in ("leader", "technician", "foreman", "techdirector", "inspector"):
    role(_code, permissions={LINES_PROPOSE})
for _code in ("advisor", "manager"):
    role(
        _code,
        permissions={
            ORDERS_OPEN,
            LINES_EDIT,
            LINES_PROPOSE,
            ESTIMATES_SEND,
            AUTHORIZATIONS_RECORD,
            ORDERS_WITHDRAW,
            PROMISE_CHANGE,
            DISCOUNT_SMALL,
        },
    )
role("warranty", permissions={LINES_EDIT})
for _code in ("advisor", "warranty", "manager"):
    role(_code, permissions={GOODWILL_ASK})
role("manager", permissions={DISCOUNT_LARGE})
role("gm", permissions={DISCOUNT_SMALL, DISCOUNT_LARGE})

# --- parts and stock ---
STOCK_VIEW = permission("workshop.stock.view", _("See what is on the shelf."))
STOCK_MOVE = permission("workshop.stock.move", _("Receive, move and count parts; open warehouses."))
PARTS_BUY = permission("workshop.parts.buy", _("Order parts from suppliers, change the day and give up the rest."))
PARTS_RESERVE = permission("workshop.parts.reserve", _("Keep parts for an order."))
PARTS_ISSUE = permission("workshop.parts.issue", _("Issue parts to a line and take them back."))
PARTS_CHECK_OWN = permission(
    "workshop.parts.check_own", _("Look at parts that customers bring before they are fitted.")
)
PARTS_GIVE = permission("workshop.parts.give", _("Give a part that is kept for one order to another one."))
STOCK_COUNT = permission("workshop.stock.count", _("Open stock-takes of parts, count in them and close small ones."))
STOCK_APPROVE = permission("workshop.stock.approve", _("Close stock-takes of parts whose differences are worth much."))
role("parts", permissions={STOCK_VIEW, STOCK_MOVE, PARTS_BUY, PARTS_RESERVE, PARTS_ISSUE, PARTS_GIVE, PARTS_CHECK_OWN})
role("advisor", permissions={STOCK_VIEW, PARTS_RESERVE, PARTS_CHECK_OWN})
role("foreman", permissions={STOCK_VIEW, PARTS_RESERVE, PARTS_GIVE})
for _code in ("manager", "gm", "technician", "leader", "warranty"):
    role(_code, permissions={STOCK_VIEW})
for _code in ("parts", "foreman", "manager"):
    role(_code, permissions={STOCK_COUNT})
for _code in ("manager", "gm"):
    role(_code, permissions={STOCK_APPROVE})

# --- dispatch, clocking, inspections ---
PLAN_VIEW = permission("workshop.plan.view", _("See the workshop plan."))
TEAM_VIEW = permission("workshop.team.view", _("See who works on what, and each technician's hours of the day."))
PLAN_DISPATCH = permission("workshop.plan.dispatch", _("Give work to technicians and bays and take it back."))
JOBS_OWN = permission("workshop.jobs.own", _("See the own jobs and clock on and off there."))
CLOCK_OTHERS = permission("workshop.clockings.others", _("Clock other people on and off."))
CLOCKINGS_CORRECT = permission("workshop.clockings.correct", _("Correct clockings, with a reason."))
CALLS_ANSWER = permission("workshop.calls.answer", _("Answer what technicians call for from their jobs."))
AWAY_PLAN = permission("workshop.away.plan", _("Let a car drive on until its part comes, or take that back."))
LINES_HOLD = permission("workshop.lines.hold", _("Let a line wait for a cause and go on with it."))
INSPECTIONS_VIEW = permission("workshop.inspections.view", _("See what waits for inspection and what was found."))
INSPECT_SELF = permission("workshop.inspections.self", _("Do the self check of the own work."))
INSPECT_TEAM = permission("workshop.inspections.team", _("Do the team check of other people's work."))
INSPECT_FINAL = permission("workshop.inspections.final", _("Do the final inspection and sign certificates."))
CERTIFICATES_MANAGE = permission(
    "workshop.certificates.manage", _("Enter allotted certificate numbers and void certificates.")
)

for _code in ("parts", "foreman", "leader", "manager"):
    role(_code, permissions={CALLS_ANSWER})
for _code in ("foreman", "leader", "techdirector", "advisor", "parts", "manager", "gm", "supervisor", "inspector"):
    role(_code, permissions={PLAN_VIEW})
for _code in ("foreman", "leader", "techdirector", "manager", "gm"):
    role(_code, permissions={TEAM_VIEW})
for _code in ("foreman", "manager"):
    role(_code, permissions={PLAN_DISPATCH, CLOCK_OTHERS, CLOCKINGS_CORRECT, LINES_HOLD, AWAY_PLAN})
role("leader", permissions={JOBS_OWN, CLOCK_OTHERS, LINES_HOLD, INSPECTIONS_VIEW, INSPECT_SELF, INSPECT_TEAM})
role("technician", permissions={JOBS_OWN, LINES_HOLD, INSPECT_SELF})
role("advisor", permissions={LINES_HOLD, AWAY_PLAN, INSPECTIONS_VIEW})
role("inspector", permissions={INSPECTIONS_VIEW, INSPECT_FINAL})
for _code in ("foreman", "techdirector", "supervisor", "manager", "gm"):
    role(_code, permissions={INSPECTIONS_VIEW})
for _code in ("supervisor", "manager"):
    role(_code, permissions={CERTIFICATES_MANAGE})

# --- tools ---
TOOLS_VIEW = permission("workshop.tools.view", _("See the store's tools, who has them and when they are tested."))
TOOLS_TAKE = permission("workshop.tools.take", _("Take tools out for oneself and bring them back."))
TOOLS_ISSUE = permission("workshop.tools.issue", _("Give tools out to others and take them back."))
TOOLS_MANAGE = permission("workshop.tools.manage", _("Enter tools, correct their facts and print their labels."))
TOOLS_CHECK = permission(
    "workshop.tools.check", _("Write down calibrations and tests, take tools out of use and scrap them.")
)
for _code in ("technician", "leader", "inspector", "foreman", "techdirector", "parts"):
    role(_code, permissions={TOOLS_VIEW, TOOLS_TAKE})
for _code in ("supervisor", "safety", "manager", "gm"):
    role(_code, permissions={TOOLS_VIEW})
TOOLS_COUNT = permission("workshop.tools.count", _("Count the tools and close other people's counts."))
for _code in ("parts", "foreman"):
    role(_code, permissions={TOOLS_ISSUE})
for _code in ("parts", "foreman", "techdirector", "manager"):
    role(_code, permissions={TOOLS_COUNT})
role("parts", permissions={TOOLS_MANAGE})
role("techdirector", permissions={TOOLS_MANAGE, TOOLS_CHECK})
role("safety", permissions={TOOLS_CHECK})
# --- declined advice ---
ADVICE_WORK = permission("workshop.advice.work", _("See declined advice and offer it again."))
for _code in ("advisor", "care", "manager", "receptionist"):
    role(_code, permissions={ADVICE_WORK})
# --- check sheets ---
CHECKS_FILL = permission("workshop.checks.fill", _("Begin, fill in and sign check sheets of cars in the shop."))
for _code in ("technician", "leader", "foreman", "techdirector", "inspector", "advisor"):
    role(_code, permissions={CHECKS_FILL})
# --- statutory warranty ---
FAULTS_VIEW = permission(
    "workshop.faults.view", _("See which cars come close to a right under the statutory warranty, and ask what if.")
)
FAULTS_JUDGE = permission(
    "workshop.faults.judge", _("Judge whether a repair mended a fault of quality, and which one.")
)
for _code in ("warranty", "techdirector", "manager", "gm", "advisor"):
    role(_code, permissions={FAULTS_VIEW})
for _code in ("warranty", "techdirector"):
    role(_code, permissions={FAULTS_JUDGE})
CLAIMS_OPEN = permission(
    "workshop.claims.open", _("Enter what an owner demands under the statutory warranty, and that it is taken back.")
)
CLAIMS_ANSWER = permission(
    "workshop.claims.answer", _("Grant or refuse a demand under the statutory warranty and carry it out.")
)
for _code in ("advisor", "warranty", "manager"):
    role(_code, permissions={CLAIMS_OPEN})
role("manager", permissions={CLAIMS_ANSWER})
# --- wear parts ---
WEAR_LIST = permission("workshop.wear_list.manage", _("Enter how long the maker answers for wear parts."))
for _code in ("warranty", "techdirector", "manager"):
    role(_code, permissions={WEAR_LIST})
# --- accidents ---
ACCIDENTS_WORK = permission(
    "workshop.accidents.work", _("Enter the insurer's case of an accident and lay assessments before the insurer.")
)
STRUCTURE_MARK = permission("workshop.structure.mark", _("Say that work is on the body's structure."))
STRUCTURE_CHECK = permission("workshop.structure.check", _("Check the body's structure after its repair."))
for _code in ("advisor", "manager"):
    role(_code, permissions={ACCIDENTS_WORK})
for _code in ("advisor", "foreman", "techdirector", "manager"):
    role(_code, permissions={STRUCTURE_MARK})
for _code in ("inspector", "techdirector"):
    role(_code, permissions={STRUCTURE_CHECK})
# --- claims to the maker ---
WARRANTY_CLAIMS_VIEW = permission(
    "workshop.warranty_claims.view", _("See the claims to the maker, their papers, ages and amounts.")
)
WARRANTY_CLAIMS_WORK = permission(
    "workshop.warranty_claims.work", _("Open claims to the maker, submit them and write down what the maker says.")
)
WARRANTY_CLAIMS_PAY = permission("workshop.warranty_claims.pay", _("Write down what the maker has paid."))
for _code in ("warranty", "techdirector", "accountant", "advisor", "manager", "gm"):
    role(_code, permissions={WARRANTY_CLAIMS_VIEW})
for _code in ("warranty", "manager"):
    role(_code, permissions={WARRANTY_CLAIMS_WORK})
for _code in ("warranty", "accountant"):
    role(_code, permissions={WARRANTY_CLAIMS_PAY})
# --- old parts ---
OLD_PARTS_VIEW = permission("workshop.old_parts.view", _("See the old parts, where they lie and whose they are."))
OLD_PARTS_KEEP = permission(
    "workshop.old_parts.keep", _("Keep old parts in their place, send them to the maker and dispose of them.")
)
OLD_PARTS_GIVE = permission(
    "workshop.old_parts.give", _("Say what becomes of old parts and give them to the customer.")
)
for _code in ("parts", "warranty", "advisor", "foreman", "manager", "gm"):
    role(_code, permissions={OLD_PARTS_VIEW})
for _code in ("parts", "warranty", "manager"):
    role(_code, permissions={OLD_PARTS_KEEP})
for _code in ("parts", "warranty", "advisor", "manager"):
    role(_code, permissions={OLD_PARTS_GIVE})
DAY_SIX_GIVE = permission(
    "workshop.day_six.give",
    _("Write down loan cars and transport money in long repairs, and hand out the record of a repair."),
)
for _code in ("advisor", "warranty", "manager"):
    role(_code, permissions={DAY_SIX_GIVE})
# --- sale over the counter ---
SALES_VIEW = permission("workshop.sales.view", _("See sales over the counter."))
SALES_SELL = permission("workshop.sales.sell", _("Sell parts over the counter."))
SALES_RETURN = permission("workshop.sales.return", _("Take back what was sold over the counter."))
for _code in ("parts", "advisor", "manager", "gm", "cashier", "accountant"):
    role(_code, permissions={SALES_VIEW})
for _code in ("parts", "advisor", "manager"):
    role(_code, permissions={SALES_SELL})
for _code in ("parts", "manager"):
    role(_code, permissions={SALES_RETURN})
# --- recalls and service campaigns ---
CAMPAIGNS_MANAGE = permission("workshop.campaigns.manage", _("Open recalls and service campaigns and add their VINs."))
CAMPAIGNS_ANSWER = permission(
    "workshop.campaigns.answer", _("Write down what a customer was told about an open recall or campaign.")
)
for _code in ("warranty", "manager"):
    role(_code, permissions={CAMPAIGNS_MANAGE})
for _code in ("advisor", "manager"):
    role(_code, permissions={CAMPAIGNS_ANSWER})
# --- suppliers ---
SUPPLIERS_VIEW = permission("workshop.suppliers.view", _("See the register of suppliers."))
SUPPLIERS_MANAGE = permission("workshop.suppliers.manage", _("Enter suppliers and put their entries right."))
for _code in ("parts", "foreman", "advisor", "accountant", "manager", "gm"):
    role(_code, permissions={SUPPLIERS_VIEW})
for _code in ("parts", "foreman", "manager"):
    role(_code, permissions={SUPPLIERS_MANAGE})
# --- outside work ---
SUBLETS_VIEW = permission("workshop.sublets.view", _("See what outside firms do for the store, and what it costs."))
SUBLETS_WORK = permission(
    "workshop.sublets.work", _("Give agreed work to outside firms, take it back and enter their bills.")
)
SUBLETS_CHECK = permission("workshop.sublets.check", _("Check what came back from an outside firm."))
for _code in ("foreman", "parts", "advisor", "inspector", "techdirector", "accountant", "manager", "gm"):
    role(_code, permissions={SUBLETS_VIEW})
for _code in ("foreman", "parts", "manager"):
    role(_code, permissions={SUBLETS_WORK})
for _code in ("foreman", "inspector", "techdirector", "manager"):
    role(_code, permissions={SUBLETS_CHECK})
