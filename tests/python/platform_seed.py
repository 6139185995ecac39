"""Does its uploads, links and listings on the emulator as the installed seed of the Encord SDK does, and tells what came of it.

    python platform_seed.py < question.json

Reads `{"domain": "http://127.0.0.1:1", "folder": "/a/folder", "items": [uuid, …]}`; the key is in `ENCORD_SSH_KEY`, and `items` are
ids of items that are to be linked. Prints one JSON object.
"""

import json
import os
import sys
from pathlib import Path

from encord.exceptions import EncordException
from encord.orm.dataset import StorageLocation
from encord.user_client import EncordUserClient


def raised(call):
    try:
        call()
    except EncordException as error:
        return type(error).__name__
    return None


def main():
    question = json.load(sys.stdin)

    def files(name, content=None):
        path = Path(question["folder"]) / name
        path.write_bytes(name.encode() if content is None else content)
        return str(path)

    client = EncordUserClient.create_with_ssh_private_key(os.environ["ENCORD_SSH_KEY"], domain=question["domain"])
    created = client.create_dataset("seed dataset", StorageLocation.CORD_STORAGE, dataset_description="d")
    dataset = client.get_dataset(created.dataset_hash)
    image = dataset.upload_image(files("a.jpg"), title="renamed.jpg")
    video = dataset.upload_video(files("b.mp4"))
    group = dataset.create_image_group([files("g1.png"), files("g2.png")], title="group")
    still = dataset.create_image_group([files("i1.png"), files("i2.png")], title="still", create_video=False)
    series = dataset.create_dicom_series([files("1.dcm"), files("2.dcm")], title="series")
    dataset.refetch_data()
    rows = {row.title: row for row in dataset.data_rows}
    linked = dataset.link_items(question["items"])
    everything = dataset.list_data_rows()
    dataset.delete_data([rows["b.mp4"].uid])

    project_hash = client.get_projects()[0]["project"]["project_hash"]
    project = client.get_project(project_hash)
    models = project.list_models()
    training = project.get_training_metadata(
        models[0].model_iteration_uids, get_created_at=True, get_training_final_loss=True, get_model_training_labels=True
    )
    unknown = "00000000-0000-4000-8000-000000000000"
    answer = {
        "hashes": [image["data_hash"], video["data_hash"]] == [rows["renamed.jpg"].uid, rows["b.mp4"].uid],
        "group": group[0]["data_hash"] == rows["group"].uid and still[0]["data_hash"] == rows["still"].uid,
        "series": series["data_hash"] == rows["series"].uid,
        "rows": [[row.title, row.data_type.value, row.is_image_sequence] for row in dataset.data_rows],
        "sizes": [rows["renamed.jpg"].file_size, rows["b.mp4"].file_size],
        "linked": len(linked),
        "listed": len(everything),
        "kept": len(dataset.list_data_rows()),
        "liked": [row.title for row in dataset.list_data_rows(title_like="%ed.jpg")],
        "datasets": [entry["dataset"].title for entry in client.get_datasets(title_eq="seed dataset")],
        "project": project.title,
        "uids": [model.model_iteration_uids for model in models],
        "kinds": [model.model.value for model in models],
        "losses": [one.training_final_loss for one in training],
        "errors": {
            "dataset": raised(lambda: client.get_dataset(unknown)),
            "project": raised(lambda: client.get_project(unknown)),
            "again": raised(lambda: dataset.link_items([unknown])),
        },
    }
    json.dump(answer, sys.stdout)


main()
