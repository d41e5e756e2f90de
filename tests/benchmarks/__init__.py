"""What `make bench` measures, each part in a fresh process and beside its baseline.

__main__    the command line: which parts, in what order, and what becomes of the numbers
measure     run a command; seconds, processor seconds, peak memory
workspace   keys, vault and dbt runs of the benchmark's own
parts       what is timed, one function a part; runs in the fresh process
tutorial    the baseline that holds the whole file in pandas
report      the claims that the numbers are held against, and the tables
"""
