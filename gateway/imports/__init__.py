"""Imports: a staff list is chosen, checked and written."""
