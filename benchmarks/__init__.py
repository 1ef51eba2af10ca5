"""Measurements of this project beside what people would use instead; `./counter benchmark` writes RESULTS.md."""
