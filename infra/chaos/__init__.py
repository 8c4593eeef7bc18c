"""Kills everything while events travel and while people act, and counts what was lost, doubled or broken."""
