"""The services: each knows the ground floor and none knows another."""
