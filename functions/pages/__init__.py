"""What browsers show: pages, badges and static files."""
