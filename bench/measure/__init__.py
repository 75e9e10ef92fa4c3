"""How the benchmarks measure. Only `bench/run.py` and the processes that it starts import this."""
