"""Kills everything while events travel, and counts what was lost or doubled."""
