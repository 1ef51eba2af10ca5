"""Facts of the build. Written by `./counter generate`."""

USER_AGENT = "stream-triggered-counter/0.1.0"
"""The product and its version, as in a User-Agent header (RFC 9110, section 10.1.5)."""

MODEL_BOTOCORE = "1.43.106"
"""The version of botocore from whose data `model.json` was made."""

MODEL_CHECKSUM = 2029630749
"""The CRC-32 of `model.json`."""
