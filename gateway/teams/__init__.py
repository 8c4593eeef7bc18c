"""Departments and those who answer for them."""
