"""Cases with known leaks, and the tools that look for them; `benchmarks/leakage.py` runs both."""
