"""Accounts, and the sheets with which people come in."""
