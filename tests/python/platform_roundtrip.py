"""Lists with an installed Encord SDK what somebody else made, and makes what somebody else lists.

    python platform_roundtrip.py < questions.json

Reads `{"domain", "folder", "dataset", "project", "paths": […]}`; the key is in ENCORD_SSH_KEY. With the current SDK it prints the items
of the folder and the rows of the dataset, and uploads the files into a folder and a dataset of its own; without `dataset` it prints
the items of the folder and the hashes of their files. With the seed SDK it prints the uids of the project's models.
"""

import hashlib
import json
import sys
import warnings
from importlib.metadata import version

warnings.simplefilter("ignore")

from encord import EncordUserClient


def current(client, question):
    from encord.orm.dataset import StorageLocation

    items = {item.name: str(item.uuid) for item in client.get_storage_folder(question["folder"]).list_items()}
    rows = client.get_dataset(question["dataset"]).list_data_rows()
    rows = {row.title: str(row.backing_item_uuid) for row in rows}
    folder = client.create_storage_folder("by the SDK")
    made = [folder.upload_image(path) for path in question["paths"]]
    created = client.create_dataset("by the SDK", StorageLocation.CORD_STORAGE, create_backing_folder=False)
    client.get_dataset(created.dataset_hash).link_items(made)
    return {
        "items": items,
        "rows": rows,
        "folder": str(folder.uuid),
        "dataset": created.dataset_hash,
        "made": [str(item) for item in made],
    }


def content(client, question):
    import requests

    def file(item):
        body = requests.get(item.get_signed_url(), timeout=60)
        body.raise_for_status()
        return [item.name, len(body.content), hashlib.md5(body.content).hexdigest()]

    def item(item):
        is_series = item.item_type.value == "dicomSeries"
        files = item.get_child_items(get_signed_urls=True) if is_series else [item]
        return [item.name, item.item_type.value, [file(of) for of in files]]

    folder = client.get_storage_folder(question["folder"])
    return [item(of) for of in folder.list_items(get_signed_urls=True, page_size=5)]


def seed(client, question):
    from encord.utilities.project_utilities import get_all_model_iteration_uids

    return sorted(get_all_model_iteration_uids(client.get_project(question["project"]).list_models()))


def main():
    question = json.load(sys.stdin)
    client = EncordUserClient.create_with_ssh_private_key(domain=question["domain"])
    answer = seed if version("encord") == "0.1.98" else current if "dataset" in question else content
    json.dump(answer(client, question), sys.stdout)


main()
