"""The frame of the API (design 6, 7.3): chapters declare resources in their ``api.py``, the frame makes the rest."""
