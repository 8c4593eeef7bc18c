"""What people say is wrong in their own record, and the answers."""
