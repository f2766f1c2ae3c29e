# SPDX-License-Identifier: MIT
# __init__.py - what run.py is made of: machine, processes, samples, statistics, reports.
