"""The parts of benchmarks/promotion.py."""
