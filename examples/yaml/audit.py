"""A consumer of the counter's stream: says in its log which tags were removed."""


def handler(event: dict, context: object) -> None:
    """Go through one batch of records."""
    for record in event["Records"]:
        print("removed:", record["dynamodb"]["Keys"]["ID"]["S"])
