"""Runs a program and writes its peak of resident memory, in KiB.

    python3 peak.py FILE PROGRAM [ARGUMENT...]

The kernel's own count (`getrusage`); it is at least what this interpreter has, about 10 MiB.
"""

import resource
import subprocess
import sys

code = subprocess.call(sys.argv[2:])
with open(sys.argv[1], "w") as peak:
    peak.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(code)
