"""Rows for tests, built through the commands a person uses wherever there is one."""
