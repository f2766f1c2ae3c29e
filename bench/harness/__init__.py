# SPDX-License-Identifier: MIT
# harness - what run.py is made of: machine, processes, samples, statistics, reports.
