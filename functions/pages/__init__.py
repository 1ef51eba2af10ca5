"""The user interface: pages, badges and static files."""
