"""A package, so that its browser ends with its tests: a running one keeps an event loop, which others need not find."""
