"""The running total: stream records, the ledger, and reconciliation."""
