"""Commands that need a checkout of this project, and the preparation of its environment."""
