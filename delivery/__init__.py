"""Chapter 4: settlement, payment, hand-over, follow-up and surveys."""
