"""What happens in chapter 3: code, words, clause, stage, what follows and in how many minutes."""

from django.utils.translation import gettext_lazy as _

from dealership.kernel import stages
from dealership.kernel.registry import event

# --- repair orders ---
ORDER_OPENED = event(
    "workshop.repair_order.opened",
    _("Repair order opened"),
    clause="3.2",
    stage=stages.DIAGNOSIS,
    norm=("workshop.repair_order.estimate_sent", "workshop.line.authorized"),
    within=30,
)
ESTIMATE_SENT = event(
    "workshop.repair_order.estimate_sent",
    _("Estimate sent to the customer"),
    clause="3.2",
    stage=stages.CONSENT,
    norm=("workshop.line.authorized", "workshop.line.declined", "workshop.repair_order.estimate_withdrawn"),
    within=60,
)
ESTIMATE_WITHDRAWN = event(
    "workshop.repair_order.estimate_withdrawn", _("Offer taken back"), clause="3.2", stage=stages.CONSENT
)
ESTIMATE_VIEWED = event(
    "workshop.estimate.viewed", _("The customer opened the estimate"), clause="3.2", stage=stages.CONSENT
)
PART_CONSENT_SIGNED = event(
    "workshop.line.part_consented",
    _("Customer agreed in writing to parts that aren't new"),
    clause="3.3",
    stage=stages.CONSENT,
)
OWN_PART_CHECKED = event(
    "workshop.own_part.checked", _("Part that the customer brought looked at"), clause="3.2", stage=stages.WORK
)
CONTRACT_SIGNED = event("workshop.contract.signed", _("Repair contract signed"), clause="3.3", stage=stages.CONSENT)
ORDER_WITHDRAWN = event(
    "workshop.repair_order.withdrawn", _("Repair order withdrawn"), clause="3.2", stage=stages.CONSENT
)
ORDER_REST_ENDED = event(
    "workshop.repair_order.rest_ended",
    _("Rest of the order ended, what is done is settled"),
    clause="3.2",
    stage=stages.WORK,
)
PROMISE_CHANGED = event(
    "workshop.repair_order.promise_changed", _("Promised time changed"), clause="3.2", stage=stages.WORK
)
PROMISE_TOLD = event(
    "workshop.repair_order.promise_told", _("Customer told of the new time"), clause="3.2", stage=stages.WORK
)
ORDER_HANDED_OVER = event(
    "workshop.repair_order.handed_over", _("Repair order handed to another advisor"), clause="5.1"
)

# --- lines ---
LINE_ADDED = event("workshop.line.added", _("Line added"), clause="3.2", stage=stages.DIAGNOSIS)
LINE_CHANGED = event("workshop.line.changed", _("Line changed"), clause="3.2", stage=stages.DIAGNOSIS)
LINE_CANCELLED = event("workshop.line.cancelled", _("Line cancelled"), clause="3.2", stage=stages.DIAGNOSIS)
PART_ADDED = event("workshop.part.added", _("Part put on a line"), clause="3.2", stage=stages.DIAGNOSIS)
PART_CHANGED = event("workshop.part.changed", _("Part on a line changed"), clause="3.2", stage=stages.DIAGNOSIS)
PART_REMOVED = event("workshop.part.removed", _("Part taken off a line"), clause="3.2", stage=stages.DIAGNOSIS)
LINE_DISCOUNTED = event("workshop.line.discounted", _("Discount given"), clause="3.2", stage=stages.CONSENT)
DISCOUNT_LAPSED = event(
    "workshop.line.discount_lapsed",
    _("Discount approved too late, the line was already decided"),
    clause="3.2",
    stage=stages.CONSENT,
)
PART_DISCOUNTED = event("workshop.part.discounted", _("Discount on a part given"), clause="3.2", stage=stages.CONSENT)
PART_DISCOUNT_LAPSED = event(
    "workshop.part.discount_lapsed",
    _("Discount on a part approved too late, the line was already decided"),
    clause="3.2",
    stage=stages.CONSENT,
)
STANDING_GIVEN = event(
    "workshop.standing.given", _("Additions agreed to in advance"), clause="3.2", stage=stages.CONSENT
)
STANDING_ENDED = event(
    "workshop.standing.ended", _("Consent in advance taken back"), clause="3.2", stage=stages.CONSENT
)
PAYER_ASKED = event(
    "workshop.payer.asked", _("Payer's yes asked for or written down"), clause="3.2", stage=stages.CONSENT
)
PAYER_LAPSED = event(
    "workshop.payer.lapsed",
    _("Payer's yes approved, but the line is no longer as it was asked for"),
    clause="3.2",
    stage=stages.CONSENT,
)
WISH_MADE = event("workshop.wish.made", _("Customer asked for work that is due"), clause="3.1", stage=stages.CONSENT)
WISH_TAKEN = event(
    "workshop.wish.taken", _("What the customer asked for put on the order"), clause="3.1", stage=stages.CONSENT
)
WISH_DECLINED = event(
    "workshop.wish.declined",
    _("What the customer asked for not possible this time"),
    clause="3.1",
    stage=stages.CONSENT,
)
GOODWILL_ASKED = event("workshop.goodwill.asked", _("Goodwill asked for"), clause="3.2", stage=stages.CONSENT)
GOODWILL_LAPSED = event(
    "workshop.goodwill.lapsed",
    _("Goodwill approved, but the line is no longer as it was asked for"),
    clause="3.2",
    stage=stages.CONSENT,
)
LINE_WITHDRAWN = event("workshop.line.withdrawn", _("Line withdrawn"), clause="3.2", stage=stages.WORK)

LINE_LEFT_APART = event(
    "workshop.line.left_apart", _("Said that putting together again isn't charged"), clause="3.2", stage=stages.WORK
)

# --- packages ---
PACKAGE_PUT = event("workshop.package.put", _("Package put on the order"), clause="3.1", stage=stages.DIAGNOSIS)
PACKAGE_DISSOLVED = event("workshop.package.dissolved", _("Package dissolved"), clause="3.1", stage=stages.DIAGNOSIS)

# --- a repair in two trips ---
AWAY_PLANNED = event(
    "workshop.away.planned", _("Car is to leave until its part comes"), clause="3.2", stage=stages.WORK
)
AWAY_CANCELLED = event("workshop.away.cancelled", _("Car stays after all"), clause="3.2", stage=stages.WORK)
AWAY_LEFT = event("workshop.away.left", _("Order waits with the car away"), clause="3.2", stage=stages.WORK)
AWAY_PART_CAME = event("workshop.away.part_came", _("Part of an away car has come"), clause="3.2", stage=stages.WORK)
AWAY_BACK = event("workshop.away.back", _("Order goes on, the car is back"), clause="3.2", stage=stages.WORK)

# --- outside work ---
SUBLET_ORDERED = event(
    "workshop.sublet.ordered", _("Outside work agreed with a firm"), clause="3.2", stage=stages.WORK,
    norm=("workshop.sublet.sent", "workshop.sublet.cancelled"), within=540,
)  # fmt: skip
SUBLET_SENT = event(
    "workshop.sublet.sent", _("Gone to the outside firm"), clause="3.2", stage=stages.WORK,
    norm=("workshop.sublet.back",),
)  # fmt: skip
LINE_BEGUN_OUTSIDE = event(
    "workshop.line.begun_outside", _("Line begun by an outside firm"), clause="3.2", stage=stages.WORK
)
SUBLET_BACK = event(
    "workshop.sublet.back", _("Back from the outside firm"), clause="3.2", stage=stages.WORK,
    norm=("workshop.sublet.accepted", "workshop.sublet.rejected"), within=120,
)  # fmt: skip
SUBLET_ACCEPTED = event(
    "workshop.sublet.accepted", _("Outside work checked, in order"), clause="3.2", stage=stages.WORK
)
SUBLET_NOT_OK = event("workshop.sublet.rejected", _("Outside work not in order"), clause="3.2", stage=stages.WORK)
SUBLET_MOVED = event("workshop.sublet.moved", _("Outside firm names another time"), clause="3.2", stage=stages.WORK)
SUBLET_BILLED = event("workshop.sublet.billed", _("Bill of the outside firm entered"), clause="3.2")
SUBLET_CANCELLED = event("workshop.sublet.cancelled", _("Outside work given up"), clause="3.2", stage=stages.WORK)

# --- authorisations ---
LINE_AUTHORIZED = event(
    "workshop.line.authorized",
    _("Line agreed to"),
    clause="3.2",
    stage=stages.CONSENT,
    norm=("workshop.line.dispatched", "workshop.line.started"),
    within=60,
)
LINE_DECLINED = event("workshop.line.declined", _("Line declined"), clause="3.2", stage=stages.CONSENT)
LINE_WISHED = event(
    "workshop.line.wished", _("Yes of somebody who may not decide, kept"), clause="3.2", stage=stages.CONSENT
)
LINE_REVOKED = event("workshop.line.revoked", _("Agreement taken back"), clause="3.2", stage=stages.CONSENT)

# --- parts and stock ---
PART_RESERVED = event("workshop.part.reserved", _("Part kept for the order"), clause="3.2", stage=stages.WORK)
PART_FREED = event("workshop.part.freed", _("Kept part given back"), clause="3.2", stage=stages.WORK)
PART_ISSUED = event("workshop.part.issued", _("Part issued"), clause="3.2", stage=stages.WORK)
PART_RETURNED = event("workshop.part.returned", _("Part taken back"), clause="3.2", stage=stages.WORK)
PART_GIVEN_AWAY = event(
    "workshop.part.given_away", _("Kept part given to another order"), clause="3.2", stage=stages.WORK
)
PART_REPLACED = event(
    "workshop.part.replaced", _("Part replaced by its successor or a stand-in"), clause="3.2", stage=stages.WORK
)
PART_EXPECTED = event("workshop.part.expected", _("Part expected on another day"), clause="3.2", stage=stages.WORK)
SUPPLIER_ENTERED = event("workshop.supplier.entered", _("Supplier entered"), clause="3.2")
SUPPLIER_CORRECTED = event("workshop.supplier.corrected", _("Supplier put right"), clause="3.2")
PURCHASE_ORDERED = event(
    "workshop.purchase.ordered",
    _("Parts ordered from a supplier"),
    clause="3.2",
    norm=("workshop.purchase.received", "workshop.purchase.ended"),
    within=5 * 540,
)
PURCHASE_MOVED = event("workshop.purchase.moved", _("Supplier names another day"), clause="3.2")
PURCHASE_RECEIVED = event("workshop.purchase.received", _("Delivery of an order received"), clause="3.2")
PURCHASE_ENDED = event("workshop.purchase.ended", _("Rest of an order given up"), clause="3.2")
STOCK_RECEIVED = event("workshop.stock.received", _("Parts received"), clause="3.2")
STOCK_NAMED = event("workshop.stock.named", _("Numbers of traced stock written"), clause="3.2")
STOCK_TRANSFERRED = event("workshop.stock.transferred", _("Parts moved to another bin"), clause="3.2")
WAREHOUSE_OPENED = event("workshop.warehouse.opened", _("Warehouse opened"), clause="3.2")
STOCK_COUNTED = event("workshop.stock.counted", _("Stock counted with a difference"), clause="3.2")
TAKE_STARTED = event(
    "workshop.stock_take.started",
    _("Stock-take of parts begun"),
    clause="3.2",
    norm=("workshop.stock_take.closed", "workshop.stock_take.cancelled"),
    within=540,
)
TAKE_COUNTED = event("workshop.stock_take.counted", _("Bin counted in a stock-take of parts"), clause="3.2", folds=True)
TAKE_NAMED = event("workshop.stock_take.named", _("Numbers of a count difference written"), clause="3.2")
TAKE_CLOSED = event("workshop.stock_take.closed", _("Stock-take of parts closed"), clause="3.2")
TAKE_CANCELLED = event("workshop.stock_take.cancelled", _("Stock-take of parts broken off"), clause="3.2")
LINE_HELD = event("workshop.line.held", _("Line waits"), clause="3.2", stage=stages.WORK)
LINE_RELEASED = event("workshop.line.released", _("Line goes on"), clause="3.2", stage=stages.WORK)

# --- dispatch, clocking, inspections ---
LINE_DISPATCHED = event(
    "workshop.line.dispatched",
    _("Given to technician and bay"),
    clause="2.4",
    stage=stages.WORK,
    norm=("workshop.line.started",),
    within=60,
)
DISPATCH_SHARED = event("workshop.dispatch.shared", _("Share of the work set"), clause="3.2", stage=stages.WORK)
DISPATCH_TAKEN_BACK = event("workshop.dispatch.taken_back", _("Dispatch taken back"), clause="2.4", stage=stages.WORK)
LINE_STARTED = event(
    "workshop.line.started",
    _("Clocked on"),
    clause="3.2",
    stage=stages.WORK,
    norm=("workshop.line.paused", "workshop.line.finished"),
)
LINE_PAUSED = event(
    "workshop.line.paused",
    _("Clocked off, work not finished"),
    clause="3.2",
    stage=stages.WORK,
    norm=("workshop.line.started",),
)
LINE_FINISHED = event(
    "workshop.line.finished",
    _("Work done"),
    clause="3.2",
    stage=stages.WORK,
    norm=("workshop.inspection.passed", "workshop.inspection.failed"),
    within=30,
)
HELP_ASKED = event("workshop.line.help_asked", _("Help or parts asked for"), clause="3.2", stage=stages.WORK)
CALL_ANSWERED = event(
    "workshop.technician_call.answered", _("Technician's call answered"), clause="3.2", stage=stages.WORK
)
CALL_PASSED = event(
    "workshop.technician_call.passed", _("Technician's call passed on"), clause="3.2", stage=stages.WORK
)
CALL_ENDED = event(
    "workshop.technician_call.ended", _("Technician's call over with the job"), clause="3.2", stage=stages.WORK
)
LINE_PICTURED = event("workshop.line.pictured", _("Picture of a finding taken"), clause="3.2", stage=stages.WORK)
CLOCKING_LEFT = event("workshop.clocking.left", _("Clock left open, closed at the shift's end"), clause="3.2")
CLOCKING_CORRECTED = event("workshop.clocking.corrected", _("Clocking corrected"), clause="3.2", stage=stages.WORK)
INSPECTION_PASSED = event(
    "workshop.inspection.passed",
    _("Inspection passed"),
    clause="3.2",
    stage=stages.INSPECTION,
    norm=("workshop.inspection.passed", "delivery.settlement.issued", "workshop.certificate.issued"),
    within=30,
)
INSPECTION_FAILED = event(
    "workshop.inspection.failed",
    _("Inspection failed, back to work"),
    clause="3.2",
    stage=stages.INSPECTION,
    norm=("workshop.line.started",),
    within=30,
)
CERTIFICATE_ISSUED = event(
    "workshop.certificate.issued", _("Completion certificate issued"), clause="3.2", stage=stages.INSPECTION
)
CERTIFICATE_VOIDED = event(
    "workshop.certificate.voided", _("Completion certificate voided"), clause="3.2", stage=stages.INSPECTION
)
RANGE_ALLOTTED = event("workshop.certificate_range.allotted", _("Certificate numbers allotted"), clause="3.2")

# --- the proposed plan ---
PROPOSAL_ASKED = event(
    "workshop.dispatch_proposal.asked",
    _("New plan asked for"),
    clause="2.4",
    norm=("workshop.dispatch_proposal.ready", "workshop.dispatch_proposal.failed"),
    within=5,
)
PROPOSAL_READY = event("workshop.dispatch_proposal.ready", _("Plan proposed"), clause="2.4")
PROPOSAL_ACCEPTED = event("workshop.dispatch_proposal.accepted", _("Proposed plan accepted"), clause="2.4")
PROPOSAL_REJECTED = event("workshop.dispatch_proposal.rejected", _("Proposed plan not wanted"), clause="2.4")
PROPOSAL_EXPIRED = event("workshop.dispatch_proposal.expired", _("Proposed plan out of date"), clause="2.4")
PROPOSAL_FAILED = event("workshop.dispatch_proposal.failed", _("No plan could be worked out"), clause="2.4")

# --- bays out of use ---
BAY_BLOCKED = event("workshop.bay.blocked", _("Bay out of use"), clause="2.4")
BAY_UNBLOCKED = event("workshop.bay.unblocked", _("Bay to be had again"), clause="2.4")
SCREEN_ADDED = event("workshop.wall_screen.added", _("Screen on the wall added"), clause="2.4")
SCREEN_ENDED = event("workshop.wall_screen.ended", _("Screen on the wall taken back"), clause="2.4")

# --- tools ---
TOOL_REGISTERED = event("workshop.tool.registered", _("Tool entered"), clause="3.4")
TOOL_CHANGED = event("workshop.tool.changed", _("Tool's facts corrected"), clause="3.4")
TOOL_ISSUED = event(
    "workshop.tool.issued",
    _("Tool taken out"),
    clause="3.4",
    norm=("workshop.tool.returned", "workshop.tool.damaged"),
    within=540,
)
TOOL_RETURNED = event("workshop.tool.returned", _("Tool brought back"), clause="3.4")
TOOL_DAMAGED = event(
    "workshop.tool.damaged",
    _("Tool found damaged"),
    clause="3.4",
    norm=("workshop.tool.checked", "workshop.tool.failed", "workshop.tool.scrapped"),
    within=3 * 540,
)
TOOL_CHECKED = event("workshop.tool.checked", _("Tool tested, fit for use"), clause="3.4")
TOOL_FAILED = event("workshop.tool.failed", _("Tool tested, not fit for use"), clause="3.4")
TOOL_STOPPED = event("workshop.tool.stopped", _("Tool taken out of use"), clause="3.4")
TOOL_SCRAPPED = event("workshop.tool.scrapped", _("Tool scrapped"), clause="3.4")
TOOL_REMINDED = event("workshop.tool.reminded", _("Keeper reminded of a test that is due"), clause="3.4")
TOOL_MISSED = event("workshop.tool.missed", _("Tool missing at the stock-take"), clause="3.4")
GLOVES_LOOKED_AT = event("workshop.tool.gloves_looked_at", _("Gloves looked at before use, in order"), clause="3.4")
GLOVES_FAILED = event("workshop.tool.gloves_failed", _("Gloves found wrong before use, out of use"), clause="3.4")
LIFT_LOOKED_AT = event("workshop.tool.lift_looked_at", _("Lift looked at, in order"), clause="3.4")
LIFT_FAILED = event("workshop.tool.lift_failed", _("Lift found wrong, out of use"), clause="3.4")
TOOLS_COUNT_STARTED = event(
    "workshop.tool_count.started",
    _("Stock-take of the tools begun"),
    clause="3.4",
    norm=("workshop.tool_count.closed", "workshop.tool_count.cancelled"),
    within=540,
)
TOOL_SEEN = event("workshop.tool_count.seen", _("Tool seen at the stock-take"), clause="3.4")
TOOLS_COUNTED = event("workshop.tool_count.closed", _("Stock-take of the tools closed"), clause="3.4")
TOOLS_COUNT_CANCELLED = event("workshop.tool_count.cancelled", _("Stock-take of the tools broken off"), clause="3.4")

# --- declined advice ---
ADVICE_KEPT = event("workshop.advice.kept", _("Declined advice kept"), clause="3.1", stage=stages.FOLLOW_UP)
ADVICE_OFFERED = event(
    "workshop.advice.offered", _("Declined advice offered again"), clause="3.1", stage=stages.FOLLOW_UP
)
ADVICE_TAKEN = event("workshop.advice.taken", _("Declined advice taken up"), clause="3.1", stage=stages.DIAGNOSIS)
ADVICE_DROPPED = event("workshop.advice.dropped", _("Declined advice not wanted"), clause="3.1", stage=stages.FOLLOW_UP)

# --- check sheets ---
SHEET_BEGUN = event("workshop.check_sheet.begun", _("Check sheet begun"), clause="3.1", stage=stages.DIAGNOSIS)
SHEET_ANSWERED = event(
    "workshop.check_sheet.answered",
    _("Item of a check sheet answered"),
    clause="3.1",
    stage=stages.DIAGNOSIS,
    folds=True,
)
SHEET_REST_GOOD = event(
    "workshop.check_sheet.rest_good", _("The rest of a check sheet is good"), clause="3.1", stage=stages.DIAGNOSIS
)
SHEET_PICTURED = event(
    "workshop.check_sheet.pictured", _("Photo of a check sheet taken"), clause="3.1", stage=stages.DIAGNOSIS, folds=True
)
SHEET_SIGNED = event("workshop.check_sheet.signed", _("Check sheet signed"), clause="3.1", stage=stages.DIAGNOSIS)
SHEET_OFFERED = event(
    "workshop.check_sheet.offered", _("Finding of a check sheet offered"), clause="3.1", stage=stages.DIAGNOSIS
)

# --- statutory warranty ---
FAULT_JUDGED = event("workshop.fault.judged", _("Fault judged for the statutory warranty"), clause="3.2")
CLAIM_OPENED = event(
    "workshop.statutory_claim.opened",
    _("Demand under the statutory warranty entered"),
    clause="3.2",
)
CLAIM_GRANTED = event(
    "workshop.statutory_claim.granted", _("Demand under the statutory warranty granted"), clause="3.2"
)
CLAIM_REFUSED = event(
    "workshop.statutory_claim.refused", _("Demand under the statutory warranty refused"), clause="3.2"
)
CLAIM_FINISHED = event(
    "workshop.statutory_claim.finished", _("Demand under the statutory warranty carried out"), clause="3.2"
)
CLAIM_WITHDRAWN = event(
    "workshop.statutory_claim.withdrawn", _("Demand under the statutory warranty taken back"), clause="3.2"
)

# --- accidents ---
ACCIDENT_OPENED = event("workshop.accident.opened", _("Insurer's case entered"), clause="3.2", stage=stages.DIAGNOSIS)
ACCIDENT_CHANGED = event("workshop.accident.changed", _("Insurer's case changed"), clause="3.2", stage=stages.WORK)
ASSESSMENT_ASKED = event(
    "workshop.assessment.asked",
    _("Damage assessment laid before the insurer"),
    clause="3.2",
    stage=stages.CONSENT,
    norm=("workshop.assessment.agreed", "workshop.assessment.refused"),
    within=1080,
)
ASSESSMENT_AGREED = event(
    "workshop.assessment.agreed", _("Damage assessment agreed by the insurer"), clause="3.2", stage=stages.CONSENT
)
ASSESSMENT_REFUSED = event(
    "workshop.assessment.refused", _("Damage assessment refused by the insurer"), clause="3.2", stage=stages.CONSENT
)
LINE_REPRICED = event(
    "workshop.line.repriced", _("Item priced at the insurer's assessment"), clause="3.2", stage=stages.CONSENT
)
DIFFERENCE_AGREED = event(
    "workshop.difference.agreed", _("Customer bears what the insurer doesn't"), clause="3.2", stage=stages.CONSENT
)
DIFFERENCE_DECLINED = event(
    "workshop.difference.declined", _("Customer doesn't bear the difference"), clause="3.2", stage=stages.CONSENT
)
STRUCTURE_MARKED = event(
    "workshop.structural_job.marked", _("Work on the body's structure marked"), clause="3.2", stage=stages.WORK
)
STRUCTURE_CHECKED = event(
    "workshop.structure_check.done", _("Structure checked after its repair"), clause="3.2", stage=stages.INSPECTION
)

# --- claims to the maker ---
WARRANTY_CLAIM_OPENED = event(
    "workshop.warranty_claim.opened", _("Claim to the maker opened"), clause="3.2", stage=stages.WORK
)
WARRANTY_CLAIM_ASKED = event(
    "workshop.warranty_claim.asked", _("The maker asked for its yes"), clause="3.2", stage=stages.WORK
)
WARRANTY_CLAIM_STARTED = event(
    "workshop.warranty_claim.started", _("Repair at the maker's cost"), clause="3.2", stage=stages.WORK
)
WARRANTY_CLAIM_DATED = event(
    "workshop.warranty_claim.dated", _("The maker's days for the claim began"), clause="3.2", stage=stages.WORK
)
WARRANTY_CLAIM_COMPLETE = event(
    "workshop.warranty_claim.completed", _("Papers of a claim complete"), clause="3.2", stage=stages.FOLLOW_UP
)
WARRANTY_CLAIM_SUBMITTED = event(
    "workshop.warranty_claim.submitted", _("Claim submitted to the maker"), clause="3.2", stage=stages.FOLLOW_UP
)
WARRANTY_CLAIM_RETURNED = event(
    "workshop.warranty_claim.returned", _("Claim sent back by the maker"), clause="3.2", stage=stages.FOLLOW_UP
)
WARRANTY_CLAIM_APPROVED = event(
    "workshop.warranty_claim.approved", _("Claim approved by the maker"), clause="3.2", stage=stages.FOLLOW_UP
)
WARRANTY_CLAIM_REJECTED = event(
    "workshop.warranty_claim.rejected", _("Claim rejected by the maker"), clause="3.2", stage=stages.FOLLOW_UP
)
WARRANTY_CLAIM_PAID = event(
    "workshop.warranty_claim.paid", _("Claim paid by the maker"), clause="3.2", stage=stages.FOLLOW_UP
)
WARRANTY_CLAIM_WITHDRAWN = event(
    "workshop.warranty_claim.withdrawn", _("Claim to the maker given up"), clause="3.2", stage=stages.FOLLOW_UP
)

# --- old parts ---
OLD_PART_KEPT = event("workshop.old_part.kept", _("Old part kept with its tag"), clause="3.2", stage=stages.WORK)
OLD_PART_DECIDED = event(
    "workshop.old_part.decided", _("What becomes of an old part was decided"), clause="3.2", stage=stages.WORK
)
OLD_PART_SHELVED = event("workshop.old_part.shelved", _("Old part put in its place"), clause="3.2", stage=stages.WORK)
OLD_PART_SHOWN = event(
    "workshop.old_part.shown", _("Old part shown to the customer"), clause="3.2", stage=stages.DELIVERY
)
OLD_PART_GIVEN = event(
    "workshop.old_part.given", _("Old part given to the customer"), clause="3.2", stage=stages.DELIVERY
)
OLD_PART_RELEASED = event(
    "workshop.old_part.released", _("Old part released by the maker"), clause="3.2", stage=stages.FOLLOW_UP
)
OLD_PART_RETURNED = event(
    "workshop.old_part.returned", _("Old part sent to the maker"), clause="3.2", stage=stages.FOLLOW_UP
)
OLD_PART_SCRAPPED = event("workshop.old_part.scrapped", _("Old part disposed of"), clause="3.2", stage=stages.FOLLOW_UP)
DAY_SIX_GIVEN = event("workshop.day_six.given", _("Loan car or transport money given"), clause="3.2", stage=stages.WORK)
DAY_SIX_ENDED = event("workshop.day_six.ended", _("Loan car of a long repair back"), clause="3.2")
RECORD_HANDED_OUT = event("workshop.repair_record.handed_out", _("Record of the repair handed out"), clause="3.2")

# --- trial parts ---
TRIAL_LENT = event("workshop.part_trial.lent", _("Part lent to be tried"), clause="3.2", stage=stages.DIAGNOSIS)
TRIAL_BACK = event(
    "workshop.part_trial.returned", _("Tried part back on the shelf"), clause="3.2", stage=stages.DIAGNOSIS
)
TRIAL_USED = event("workshop.part_trial.used", _("Tried part no longer new"), clause="3.2", stage=stages.DIAGNOSIS)
TRIAL_ISSUED = event("workshop.part_trial.issued", _("Tried part issued to the order"), clause="3.2", stage=stages.WORK)

# --- sale over the counter ---
SALE_BEGUN = event("workshop.counter_sale.begun", _("Counter sale begun"), clause="3.2")
SALE_CHANGED = event("workshop.counter_sale.changed", _("Counter sale changed"), clause="3.2", folds=True)
SALE_SOLD = event("workshop.counter_sale.sold", _("Sold over the counter"), clause="3.2")
SALE_DROPPED = event("workshop.counter_sale.dropped", _("Counter sale dropped"), clause="3.2")
SALE_RETURNED = event("workshop.sale_return.taken", _("Part of a counter sale taken back"), clause="3.2")
STOCK_SOLD = event("workshop.stock.sold", _("Part sold over the counter"), clause="3.2")
STOCK_SOLD_BACK = event("workshop.stock.sold_back", _("Sold part back on the shelf"), clause="3.2")

# --- wear parts under the statutory warranty ---
WEAR_TERM_ENTERED = event("workshop.wear_term.entered", _("Period of a wear part entered"), clause="3.2")
# --- recalls and service campaigns ---
CAMPAIGN_OPENED = event("workshop.campaign.opened", _("Recall or campaign opened"), clause="3.2")
CAMPAIGN_VINS_ADDED = event("workshop.campaign.listed", _("VINs added to a recall or campaign"), clause="3.2")
CAMPAIGN_ENDED = event("workshop.campaign.ended", _("Last day of a recall or campaign set"), clause="3.2")
CAMPAIGN_PUT_ON_ORDER = event(
    "workshop.campaign.put_on_order", _("Recall or campaign put on the order"), clause="3.2", stage=stages.DIAGNOSIS
)
CAMPAIGN_ANSWERED = event(
    "workshop.campaign.answered", _("Customer told about an open recall or campaign"), clause="3.2"
)

# --- core charges ---
CORE_CHARGED = event("workshop.core_charge.charged", _("Core charge written"), clause="3.2")
CORE_CHANGED = event("workshop.core_charge.changed", _("Core charge follows what is out"), clause="3.2")
CORE_CAME_IN = event("workshop.core_return.came_in", _("Old part came in, core charge given back"), clause="3.2")
CORE_SENT = event("workshop.core_return.sent", _("Old part sent to the supplier"), clause="3.2")
CORE_CREDITED = event("workshop.core_return.credited", _("Old part credited by the supplier"), clause="3.2")
