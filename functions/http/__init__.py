"""HTTP: requests, responses, problems, and the routes of the OpenAPI document."""
