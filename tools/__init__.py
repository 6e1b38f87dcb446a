"""Scripts behind the Makefile: plain Python, no Django, run from the repository's root."""
