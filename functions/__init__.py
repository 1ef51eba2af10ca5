"""The four Lambda functions of a stream-triggered counter, and the packages that they share."""
