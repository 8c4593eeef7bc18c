"""The long part of imports: a child process reads, compares and computes; what it says goes to the database in bulk."""
