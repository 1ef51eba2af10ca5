"""DynamoDB: tables, items, the client, and retries."""
