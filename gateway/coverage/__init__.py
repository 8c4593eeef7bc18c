"""How the institution stands, and who is to be urged."""
