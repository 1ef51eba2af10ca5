"""What operators do to a total: comparing, rebuilding, deleting. On the functions' pure core, and not in Lambda."""
