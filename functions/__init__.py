"""The four Lambda functions of a stream-triggered counter, and the modules they share."""
