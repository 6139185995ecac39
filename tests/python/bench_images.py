"""Uploads a folder of images by the SDK's own loop, as its documentation does it, and links them to a dataset.

    python bench_images.py FOLDER

Domain and key are in ENCORD_DOMAIN and ENCORD_SSH_KEY_FILE. Prints `{"seconds": …}`: without Python's start and the SDK's imports.
"""

import json
import os
import sys
import time
import warnings

warnings.simplefilter("ignore")

from encord import EncordUserClient
from encord.orm.dataset import StorageLocation


def main():
    paths = sorted(entry.path for entry in os.scandir(sys.argv[1]))
    began = time.perf_counter()
    client = EncordUserClient.create_with_ssh_private_key(domain=os.environ["ENCORD_DOMAIN"])
    folder = client.create_storage_folder("bench")
    made = [folder.upload_image(path) for path in paths]
    created = client.create_dataset("bench", StorageLocation.CORD_STORAGE, create_backing_folder=False)
    client.get_dataset(created.dataset_hash).link_items(made)
    json.dump({"seconds": time.perf_counter() - began}, sys.stdout)


main()
