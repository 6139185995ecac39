"""Runs the Python examples of docs/migrating-from-python.md with an installed SDK, in the current folder.

    python migrating.py PATH-TO/migrating-from-python.md

A block that names an SDK in its first line is run by that one, the others by the current one. The platform is not there: calls
to it are checked against the SDK's own signatures. Prints the number of blocks.
"""

import re
import sys
from importlib.metadata import version
from pathlib import Path
from unittest.mock import create_autospec

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from encord.project import Project

CURRENT = "0.1.211"


def names():
    """What the examples take as given."""
    project = create_autospec(Project, instance=True)
    if version("encord") != CURRENT:
        project.list_models.return_value = []
        return {"project": project}
    from encord.storage import StorageFolder

    return {"paths": ["a.jpg"], "folder": create_autospec(StorageFolder, instance=True)}


def main():
    key = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    Path("id_ed25519").write_bytes(key)
    ran = 0
    for block in re.findall(r"```python\n(.*?)```", Path(sys.argv[1]).read_text(), re.S):
        named = re.match(r"# SDK (\S+)\n", block)
        if version("encord") == (named.group(1) if named else CURRENT):
            exec(compile(block, "migrating-from-python.md", "exec"), names())
            ran += 1
    print(ran)


main()
