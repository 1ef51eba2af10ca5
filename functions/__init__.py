"""The four Lambda functions of a stream-triggered counter; the packages below hold what they share."""
