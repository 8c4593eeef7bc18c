"""Exemptions that wait for a second person, and what became of them."""
