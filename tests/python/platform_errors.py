"""Calls the emulator again and again as the installed Encord SDK does, and tells what each call raised.

    python platform_errors.py < question.json

Reads `{"domain": "http://127.0.0.1:1", "storage_folder": uuid, "newer": 3, "dataset": uuid, "older": 2}`: how often to ask for the
folder (in the newer protocol) and for the dataset (in the older one). The key is in `ENCORD_SSH_KEY`. Prints `{"newer": [["NameOfError", "its text"], …], "older": […]}`.
"""

import json
import os
import sys

from encord.http.constants import RequestsSettings
from encord.user_client import EncordUserClient


def raised(call):
    try:
        call()
    except Exception as error:
        return [type(error).__name__, str(error)]
    return None


def main():
    question = json.load(sys.stdin)
    settings = RequestsSettings(max_retries=0, connection_retries=0, backoff_factor=0)
    client = EncordUserClient.create_with_ssh_private_key(
        os.environ["ENCORD_SSH_KEY"], requests_settings=settings, domain=question["domain"]
    )
    json.dump(
        {
            "newer": [raised(lambda: client.get_storage_folder(question["storage_folder"])) for _ in range(question["newer"])],
            "older": [raised(lambda: client.get_dataset(question["dataset"])) for _ in range(question["older"])],
        },
        sys.stdout,
    )


main()
