"""Does its uploads, links and listings on the emulator as the installed current Encord SDK does, and tells what came of it.

    python platform_current.py < question.json

Reads `{"domain": "http://127.0.0.1:1", "token": null, "folder": "/a/folder"}`; the key is in `ENCORD_SSH_KEY`, unless there is a
token. Prints one JSON object; the SDK's own models have read each answer.
"""

import json
import os
import sys
from pathlib import Path

from encord.exceptions import EncordException
from encord.http.bundle import Bundle
from encord.http.constants import RequestsSettings
from encord.objects.ml_models import ModelsListOrderBy
from encord.orm.dataset import DataLinkDuplicatesBehavior
from encord.orm.storage import (
    CustomerProvidedImageMetadata,
    DataUploadImage,
    DataUploadItems,
    FoldersSortBy,
    StorageItemType,
)
from encord.user_client import EncordUserClient


class Files:
    """Makes files in a folder."""

    def __init__(self, folder):
        self.folder = Path(folder)

    def __call__(self, name, content=None):
        path = self.folder / name
        path.write_bytes(name.encode() if content is None else content)
        return str(path)


def raised(call):
    try:
        call()
    except EncordException as error:
        return type(error).__name__
    return None


def uploads(folder, files):
    """Everything that the SDK can upload into a folder; the id of each item."""
    return {
        "image": folder.upload_image(files("a.jpg"), title="renamed.jpg", client_metadata={"k": [1, None]}),
        "video": folder.upload_video(files("b.mp4")),
        "group": folder.create_image_group([files("g1.png"), files("g2.png")], title="group"),
        "sequence": folder.create_image_sequence([files("s1.png"), files("s2.png")], title="sequence"),
        "series": folder.create_dicom_series([files("1.dcm"), files("2.dcm")], title="series"),
        "audio": folder.upload_audio(files("c.mp3")),
        "nifti": folder.upload_nifti(files("d.nii")),
        "text": folder.upload_text(files("e.txt")),
        "pdf": folder.upload_pdf(files("f.pdf")),
        "time_series": folder.upload_time_series(files("t.csv")),
        "scene": folder.upload_scene_file(files("s.ply")),
        "empty": folder.upload_image(files("empty.jpg", b"")),
    }


def storage(client, files):
    folder = client.create_storage_folder("Ünïcode & co", description="d", client_metadata={"k": [1, 2]})
    inner = folder.create_subfolder("inner")
    items = uploads(folder, files)
    group = folder.create_data_group([items["image"], items["video"]])
    by_id = client.get_storage_items([items["image"], items["series"]], sign_url=True)
    children = client.get_storage_item(items["series"]).get_child_items(get_signed_urls=True)
    listed = list(folder.list_items(page_size=4))
    image = client.get_storage_item(items["image"])
    image.update(description="changed", client_metadata={"k": 2})
    summary = folder.get_summary()
    folder.update(name="renamed", client_metadata={"x": None})
    inner.move_to_folder(None)
    found = {
        "roots": [found.name for found in client.list_storage_folders(order=FoldersSortBy.CREATED_AT)],
        "found": [found.name for found in client.find_storage_folders(search="INNER")],
        "children": [found.name for found in folder.list_subfolders()],
        "again": client.get_storage_folder(folder.uuid).client_metadata,
    }
    return folder, items, {
        "names": sorted(item.name for item in listed),
        "types": sorted({item.item_type.value for item in listed}),
        "images": [item.name for item in folder.list_items(item_types=[StorageItemType.IMAGE], desc=True)],
        "searched": [item.name for item in folder.list_items(search="SERIES")],
        "by_id": [item.name for item in by_id],
        "signed": by_id[0].get_signed_url(),
        "size": by_id[0].file_size,
        "frames": [item.name for item in children],
        "metadata": image.client_metadata,
        "in_groups": image.get_summary().frame_in_groups,
        "group": client.get_storage_item(group).item_type.value,
        "files": summary.files,
        "folders": found,
    }


def jobs(client, folder, files):
    """Jobs of many units, some of which fail."""

    def start(ignore_errors):
        items = DataUploadItems(
            images=[
                DataUploadImage(
                    object_url="https://example.com/a.jpg",
                    title="in the cloud.jpg",
                    image_metadata=CustomerProvidedImageMetadata(mime_type="image/jpeg", file_size=7, width=1, height=2),
                ),
                DataUploadImage(object_url="uploads/not-there", title="missing.jpg"),
            ]
        )
        return folder.add_private_data_to_folder_start(str(folder.uuid), items, ignore_errors)

    ignored = folder.add_private_data_to_folder_get_result(start(True))
    failed = folder.add_private_data_to_folder_get_result(start(False))
    return {
        "ignored": [ignored.status.value, len(ignored.items_with_names), [e.object_urls for e in ignored.unit_errors]],
        "failed": [failed.status.value, failed.errors, failed.units_error_count],
        "cloud": [[item.width, item.height, item.file_size] for item in folder.list_items(search="in the cloud")][0],
    }


def more(client, files):
    """Calls that change many things at once, or are rarely made."""
    one, two = client.create_storage_folder("one"), client.create_storage_folder("two")
    items = client.get_storage_items([one.upload_image(files("1.jpg")), one.upload_image(files("2.jpg"))])
    with Bundle() as bundle:
        for item in items:
            item.update(name=f"new {item.name}", bundle=bundle)
        one.update(name="new one", bundle=bundle)
        two.update(name="new two", bundle=bundle)
    one.move_items_to_folder(two, [items[0].uuid])
    job = one.add_private_data_to_folder_start(str(one.uuid), DataUploadItems(), ignore_errors=True)
    done = one.add_private_data_to_folder_get_result(job)
    cancelled = one.add_data_to_folder_job_cancel(job).units_cancelled_count
    refused = raised(two.delete)
    items[1].delete()
    one.delete()
    dataset = client.create_dataset("of a job", 0, create_backing_folder=False)
    dataset = client.get_dataset(dataset.dataset_hash, include_data_rows=False)
    private = {"images": [{"objectUrl": "s3://bucket/private.jpg"}]}
    linked = dataset.add_private_data_to_dataset_start(str(two.uuid), private, folder=two)
    linked = dataset.add_private_data_to_dataset_get_result(linked)
    return {
        "moved": [item.name for item in two.list_items(resolve_client_metadata_locally=True)],
        "folders": [folder.name for folder in client.find_storage_folders(search="new ")],
        "found": [item.name for item in client.find_storage_items(search="NEW ")],
        "done": [done.status.value, done.units_done_count],
        "cancelled": cancelled,
        "refused": refused,
        "linked": [entry.title for entry in linked.data_hashes_with_titles],
        "liked": [project.title for project in client.list_projects(title_like="demo%")],
    }


def datasets(client, folder, items, files):
    created = client.create_dataset("a dataset", 0, dataset_description="d", create_backing_folder=False)
    dataset = client.get_dataset(created.dataset_hash)
    ids = [items[name] for name in ("image", "video", "series", "group")]
    linked = dataset.link_items(ids, DataLinkDuplicatesBehavior.SKIP)
    again = dataset.link_items(ids, DataLinkDuplicatesBehavior.SKIP)
    refused = raised(lambda: dataset.link_items(ids, DataLinkDuplicatesBehavior.FAIL))
    twice = dataset.link_items(ids[:1], DataLinkDuplicatesBehavior.DUPLICATE)
    rows = dataset.list_data_rows()
    dataset.delete_data([twice[0]["data_hash"] if isinstance(twice[0], dict) else twice[0].uid])

    mirror = client.get_dataset(client.create_dataset("a mirror", 0).dataset_hash)
    mirror.upload_image(files("m.jpg"))
    mirror.upload_video(files("m.mp4"))
    mirror.create_image_group([files("m1.png"), files("m2.png")], title="m group")
    mirror.create_dicom_series([files("m1.dcm"), files("m2.dcm")], title="m series")
    backing = client.get_storage_folder(mirror.backing_folder_uuid)
    backing.upload_image(files("follows.jpg"))
    mirror.refetch_data()
    return {
        "linked": len(linked),
        "again": len(again),
        "refused": refused,
        "rows": [[row.title, row.data_type.value] for row in rows],
        "kept": len(dataset.list_data_rows()),
        "liked": [row.title for row in dataset.list_data_rows(title_like="ser%")],
        "used": [item.name for item in folder.list_items(is_in_dataset=True)],
        "mirror": [row.title for row in mirror.data_rows],
        "backing": sorted(item.name for item in backing.list_items()),
        "listed": sorted(entry["dataset"].title for entry in client.get_datasets()),
        "one": [entry["dataset"].title for entry in client.get_datasets(title_eq="a mirror")],
    }


def projects(client):
    project = next(iter(client.list_projects()))
    whole = client.get_project(project.project_hash)
    attachments = list(client.ml_models.list_model_attachments(project_uuid=whole.project_hash))
    models = list(client.ml_models.list_models(order_by=ModelsListOrderBy.CREATED_AT, order_asc=True, query=None))
    return {
        "title": whole.title,
        "older": [entry["project"].title for entry in client.get_projects()],
        "label_rows": [
            [row.data_title, row.data_type.value, str(row.backing_item_uuid)]
            for each in client.list_projects()
            for row in client.get_project(each.project_hash).list_label_rows_v2()
        ],
        "trainings": [str(i.training_uuid) for a in attachments for i in a.project_model_iterations],
        "models": [model.model_group.title for model in models],
        "model": client.ml_models.get_model(model_uuid=models[0].model_group.model_uuid).model_group.title,
    }


def errors(client, folder):
    unknown = "00000000-0000-4000-8000-000000000000"
    return {
        "folder": raised(lambda: client.get_storage_folder(unknown)),
        "item": raised(lambda: client.get_storage_item(unknown)),
        "dataset": raised(lambda: client.get_dataset(unknown).title),
        "project": raised(lambda: client.get_project(unknown)),
        "job": raised(lambda: folder.add_private_data_to_folder_get_result(unknown)),
    }


def main():
    question = json.load(sys.stdin)
    settings = RequestsSettings(max_retries=1, backoff_factor=0.01)
    options = {"domain": question["domain"], "requests_settings": settings}
    if question["token"]:
        client = EncordUserClient.create_with_bearer_token(question["token"], **options)
    else:
        client = EncordUserClient.create_with_ssh_private_key(os.environ["ENCORD_SSH_KEY"], **options)
    files = Files(question["folder"])
    folder, items, stored = storage(client, files)
    answer = {
        "token": client.get_bearer_token(),
        "storage": stored,
        "jobs": jobs(client, folder, files),
        "datasets": datasets(client, folder, items, files),
        "projects": projects(client),
        "more": more(client, files),
        "errors": errors(client, folder),
    }
    folder.delete_storage_items(list(items.values()))
    answer["left"] = sorted(item.name for item in folder.list_items())
    json.dump(answer, sys.stdout)


main()
