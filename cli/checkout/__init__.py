"""Commands that need a checkout of this project, and what prepares the environment that they run in."""
