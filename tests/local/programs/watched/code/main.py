"""Answers with a text that the test changes."""


def handler(event: object, context: object) -> str:
    """Answer any request."""
    return "first"
