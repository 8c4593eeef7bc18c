"""Every part of the look on one page."""
