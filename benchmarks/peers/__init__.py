"""The baselines: what people would use instead, each as small and as faithful to its documentation as it can be.

Each module is deployed like this project's own functions: handlers that read the names of their tables from the
environment, and a client that is made when the module is imported. Nothing of them is copied; their documentation says
what they do. tests/benchmarks/test_peers.py shows what each counts right, and what it does not.
"""
