"""The running total: stream records, the formula, the item `COUNTER`, and the one place that writes it."""
