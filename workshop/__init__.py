"""Chapter 3: repair orders, authorisation, clocking, parts and inspection."""
