"""Chapter 8: archives and their retention."""
