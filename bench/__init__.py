"""``make bench``: how fast the API is beside raw SQL on the same rows and beside an empty view, in one run."""
