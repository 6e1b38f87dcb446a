"""Reads of the chapter, one module per root, always scoped to the actor."""
