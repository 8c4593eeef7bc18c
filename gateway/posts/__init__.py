"""The duties that are covered every day, and who may hold them."""
