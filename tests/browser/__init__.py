"""A package, so its browser ends with its tests: a running browser has an event loop that other tests must not find."""
