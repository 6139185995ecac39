"""Makes calls of the platform as an installed Encord SDK does, and prints what was sent and what it was answered, as JSON.

    python platform_requests.py

`[{"name": "<call>", "exchanges": [{"method", "target", "headers", "body", "status", "answer"}, …]}, …]`. The answers are made from
the SDK's own models. The key is that of the bytes 0 to 31, the time 1714564800, and every trace id the same. The seed SDK makes only
the calls that the current one has no more.
"""

import json
import sys
import threading
import warnings
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version
from uuid import UUID

warnings.simplefilter("ignore")

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from encord import EncordUserClient
from encord.http.constants import RequestsSettings

SEED_SDK = version("encord") == "0.1.98"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = KEY.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
TRACE_ID = "0af7651916cd43dd8448eb211c80319c/1;o=1"
HEADERS = (
    "accept authorization content-digest content-type resourceid resourcetype signature signature-input "
    "x-cloud-trace-context"
).split()
FOLDER, PARENT, ITEM, OTHER_ITEM, JOB, DATASET, PROJECT = (f"{n}0000000-0000-4000-8000-00000000000{n}" for n in range(1, 8))
TIME = "2024-05-01T12:00:00+00:00"


class Recorder(BaseHTTPRequestHandler):
    """Answers with what is due, and notes what came."""

    protocol_version = "HTTP/1.1"
    answers = []
    exchanges = []

    def do(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        status, answer = self.answers.pop(0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.exchanges.append(
            {
                "method": self.command,
                "target": self.path,
                "headers": {name: headers[name] for name in HEADERS if name in headers},
                "body": body,
                "status": status,
                "answer": answer,
            }
        )
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer.encode())))
        self.end_headers()
        self.wfile.write(answer.encode())

    do_GET = do_POST = do_PATCH = do_DELETE = do

    def log_message(self, *_):
        pass


class Clock:
    """Stands for `datetime` in the SDK's signer."""

    @staticmethod
    def now():
        return datetime.fromtimestamp(1714564800, timezone.utc)


FOLDER_RECORD = {
    "uuid": FOLDER,
    "parent": None,
    "name": "batch",
    "description": "",
    "clientMetadata": None,
    "owner": "me@example.com",
    "createdAt": TIME,
    "lastEditedAt": TIME,
    "userRole": "admin",
    "syncedDatasetHash": None,
    "pathToRoot": [{"uuid": FOLDER, "parentUuid": None, "name": "batch", "syncedDatasetHash": None}],
}
NULLS = (
    "integrationHash url signedUrl fileSize mimeType duration fps height width dicomInstanceUid dicomStudyUid "
    "dicomSeriesUid frameCount audioSampleRate audioBitDepth audioCodec audioNumChannels"
).split()
ITEM_RECORD = {
    "uuid": ITEM,
    "parent": FOLDER,
    "itemType": "image",
    "name": "a.png",
    "clientMetadata": "{}",
    "owner": "me@example.com",
    "createdAt": TIME,
    "lastEditedAt": TIME,
    "backedDataUnitsCount": 1,
    "storageLocation": "encord",
    **{name: None for name in NULLS},
}
PROJECT_RECORD = {
    "projectHash": PROJECT,
    "projectType": "workflow",
    "status": "inProgress",
    "title": "p",
    "description": "",
    "createdAt": TIME,
    "creatorEmail": "me@example.com",
    "lastEditedAt": TIME,
    "ontologyHash": OTHER_ITEM,
    "editorOntology": {"objects": [], "classifications": []},
}
ONTOLOGY = {
    "ontologyUuid": OTHER_ITEM,
    "title": "o",
    "description": "",
    "editor": {"objects": [], "classifications": []},
    "createdAt": TIME,
    "lastEditedAt": TIME,
    "userRole": 0,
}
ROW_NULLS = "width height file_link file_size file_type storage_location frames_per_second duration".split()
ROW = {
    "data_hash": ITEM,
    "data_title": "a.png",
    "data_type": "IMAGE",
    "created_at": "2024-05-01 12:00:00",
    "last_edited_at": "2024-05-01 12:00:00",
    "backing_item_uuid": ITEM,
    **{name: None for name in ROW_NULLS},
}
SUMMARY = (
    "files folders videos images imageGroups imageSequences dicomFiles dicomSeries niftis audios pdfs plainTexts tombstones "
    "uploadJobs totalSize"
).split()
MODEL = {
    "modelGroup": {
        "createdAt": TIME,
        "description": "",
        "features": ["f"],
        "model": "resnet18",
        "modelUuid": ITEM,
        "title": "m",
        "type": "classification",
    },
    "projectModel": {
        "createdAt": TIME,
        "iterationPolicy": "useAll",
        "modelUuid": ITEM,
        "projectModelUuid": OTHER_ITEM,
        "projectUuid": PROJECT,
        "featuresMapping": {},
    },
    "projectModelIterations": [
        {"batchSize": 8, "createdAt": TIME, "duration": 60, "epochs": 10, "lossLog": {}, "trainingUuid": JOB}
    ],
}
STATE = {
    "status": "DONE",
    "itemsWithNames": [{"itemUuid": ITEM, "name": "a.png"}],
    "errors": [],
    "unitsPendingCount": 0,
    "unitsDoneCount": 1,
    "unitsErrorCount": 0,
    "unitsCancelledCount": 0,
    "unitErrors": [],
}


def page(*records, token=None):
    return {"results": list(records), "nextPageToken": token}


def signed(count):
    url = {"itemUuid": ITEM, "objectKey": "k/1", "signedUrl": "https://blob.example.test/k/1?sig=s", "uploadHeaders": {}}
    return page(*[url] * count)


def v1(response):
    return {"status": 200, "response": response}


def current_calls():
    """A name, the answers, and the call."""
    from encord.constants.enums import DataType
    from encord.orm.dataset import DataLinkDuplicatesBehavior, StorageLocation
    from encord.orm.storage import FoldersSortBy, StorageItemType

    folder = lambda client: client.get_storage_folder(FOLDER)
    got = FOLDER_RECORD
    create = lambda **arguments: lambda client: client.create_storage_folder(**arguments)
    yield "bearer token", [{"token": "t"}], lambda client: client.get_bearer_token()
    yield "create folder", [got], create(name="batch", client_metadata={"job": 7})
    rich = {"name": "Ünïcode & 猫", "description": "d\n", "client_metadata": {"k": [1, 2.5, None, "ü"]}, "parent_folder": UUID(PARENT)}
    yield "create folder in a folder", [got], create(**rich)
    yield "get folder", [got], folder
    yield "list folders", [page(got)], lambda client: list(client.list_storage_folders())
    narrow = {"search": "a b&c/ü", "dataset_synced": True, "org_access": True, "order": FoldersSortBy.CREATED_AT, "desc": True, "page_size": 2}
    pages = [page(got, token="t/1=="), page(token="ü"), page(got)]
    yield "list folders, narrowly", pages, lambda client: list(client.list_storage_folders(**narrow))
    yield "find folders", [page(got)], lambda client: list(client.find_storage_folders(search="x", dataset_synced=False))
    yield "list subfolders", [got, page(got)], lambda client: list(folder(client).list_subfolders())
    yield "find subfolders", [got, page(got)], lambda client: list(folder(client).find_subfolders(search="x"))
    yield "summary", [got, dict.fromkeys(SUMMARY, 1)], lambda client: folder(client).get_summary()
    yield "delete folder", [got, None], lambda client: folder(client).delete()
    yield "list items", [got, page(ITEM_RECORD)], lambda client: list(folder(client).list_items())
    narrow_items = {
        "search": "x",
        "is_in_dataset": False,
        "item_types": [StorageItemType.IMAGE, StorageItemType.DICOM_SERIES],
        "order": FoldersSortBy.CREATED_AT,
        "desc": True,
        "get_signed_urls": True,
        "include_client_metadata": False,
        "page_size": 1000,
    }
    pages = [got, page(token="2"), page(ITEM_RECORD)]
    yield "list items, narrowly", pages, lambda client: list(folder(client).list_items(**narrow_items))
    yield "get item", [ITEM_RECORD], lambda client: client.get_storage_item(ITEM)
    yield "get item with a URL", [ITEM_RECORD], lambda client: client.get_storage_item(ITEM, sign_url=True)
    yield "get items", [page(ITEM_RECORD)], lambda client: client.get_storage_items([ITEM, OTHER_ITEM])
    yield "get items with URLs", [page(ITEM_RECORD)], lambda client: client.get_storage_items([ITEM], sign_url=True)
    yield "delete items", [got, {"removedItemsCount": 1, "removedFoldersCount": 0}], (
        lambda client: folder(client).delete_storage_items([UUID(ITEM), UUID(OTHER_ITEM)])
    )
    for name in "image video dicomFile audio nifti plainText pdf timeseries".split():
        sign = lambda client, name=name: folder(client)._get_upload_signed_urls(StorageItemType(name), 2)
        yield f"sign {name}", [got, signed(2)], sign
    yield from job_calls(folder)
    yield "job state", [got, STATE], lambda client: folder(client).add_private_data_to_folder_get_result(UUID(JOB), 60)
    yield "cancel job", [got, {"unitsCancelledCount": 2}], (
        lambda client: folder(client).add_data_to_folder_job_cancel(UUID(JOB))
    )
    created = {"datasetUuid": DATASET, "backingFolderUuid": None}
    create_dataset = lambda *arguments: lambda client: client.create_dataset("ds ü", StorageLocation.CORD_STORAGE, *arguments)
    yield "create dataset", [created], create_dataset(None, False)
    yield "create mirrored dataset", [created], create_dataset("d", True)
    yield "list datasets", [{"result": []}], lambda client: client.get_datasets()
    filters = {"title_eq": "a", "title_like": "%b%", "desc_eq": "c", "desc_like": "d", "include_org_access": True}
    yield "list datasets, narrowly", [{"result": []}], lambda client: client.get_datasets(**filters)
    details = {"title": "ds", "description": "", "dataset_type": "CORD_STORAGE", "dataset_hash": DATASET}
    dataset = lambda client: client.get_dataset(DATASET, include_data_rows=False)
    yield "get dataset", [v1(details)], dataset
    yield "list rows", [v1(details), v1([ROW])], lambda client: dataset(client).list_data_rows()
    rows = {"title_eq": "a", "title_like": "ü", "data_types": [DataType.IMAGE, DataType.DICOM_STUDY], "data_hashes": [ITEM]}
    yield "list rows, narrowly", [v1(details), v1([ROW])], lambda client: dataset(client).list_data_rows(**rows)
    for behavior in DataLinkDuplicatesBehavior:
        link = lambda client, behavior=behavior: dataset(client).link_items([UUID(ITEM), UUID(OTHER_ITEM)], behavior)
        yield f"link items, {behavior.value}", [v1(details), v1([ROW])], link
    yield "get project", [PROJECT_RECORD, ONTOLOGY], lambda client: client.get_project(PROJECT)
    yield "list projects", [page(PROJECT_RECORD)], lambda client: list(client.list_projects())
    filters = {"title_eq": "a", "title_like": "%b%", "desc_eq": "c", "desc_like": "d", "include_org_access": True, "tags_anyof": ["x", "y z"]}
    pages = [page(PROJECT_RECORD, token="n"), page()]
    yield "list projects, narrowly", pages, lambda client: list(client.list_projects(**filters))
    attached = [page(MODEL, token="2"), page(MODEL)]
    yield "list model attachments", attached, (
        lambda client: list(client.ml_models.list_model_attachments(project_uuid=UUID(PROJECT)))
    )


def job_calls(folder):
    import encord.orm.storage as orm

    def start(items, ignore_errors=True):
        return lambda client: folder(client)._add_data_to_folder_start(None, items, ignore_errors)

    item, other = UUID(ITEM), UUID(OTHER_ITEM)
    kinds = {
        "images": [
            orm.DataUploadImage(object_url="k/1", title="a.png", placeholder_item_uuid=item),
            orm.DataUploadImage(
                object_url="k/2",
                client_metadata={"k": "ü"},
                image_metadata=orm.CustomerProvidedImageMetadata(mime_type="image/png", file_size=3, height=2, width=1),
            ),
        ],
        "videos": [orm.DataUploadVideo(object_url="k/3", title="v.mp4", placeholder_item_uuid=item)],
        "audio": [orm.DataUploadAudio(object_url="k/4", title="s.wav", placeholder_item_uuid=item)],
        "nifti": [orm.DataUploadNifti(object_url="k/5", title="n.nii", placeholder_item_uuid=item)],
        "text": [orm.DataUploadText(object_url="k/6", title="t.txt", placeholder_item_uuid=item)],
        "pdf": [
            orm.DataUploadPDF(
                object_url="k/7",
                pdf_metadata=orm.CustomerProvidedPdfMetadata(file_size=9, num_pages=1),
                placeholder_item_uuid=item,
            )
        ],
        "time_series": [orm.DataUploadTimeSeries(object_url="k/8", title="s.csv")],
    }
    for name, units in kinds.items():
        yield f"start job, {name}", [FOLDER_RECORD, JOB], start(orm.DataUploadItems(**{name: units}))
    images = [
        orm.DataUploadImageGroupImage(url="k/1", title="1.png", placeholder_item_uuid=item),
        orm.DataUploadImageGroupImage(url="k/2", title="2.png", placeholder_item_uuid=other),
    ]
    for name, video in [("group", False), ("sequence", True)]:
        group = orm.DataUploadImageGroup(images=images, title="g", create_video=video)
        yield f"start job, {name}", [FOLDER_RECORD, JOB], start(orm.DataUploadItems(image_groups=[group]))
    files = [orm.DataUploadDicomSeriesDicomFile(url="k/1", title="a.dcm", placeholder_item_uuid=item)]
    series = orm.DataUploadDicomSeries(dicom_files=files, title="S", client_metadata={"a": 1})
    yield "start job, dicom", [FOLDER_RECORD, JOB], start(orm.DataUploadItems(dicom_series=[series]))
    mixed = orm.DataUploadItems(**kinds, dicom_series=[series], skip_duplicate_urls=True, upsert_metadata=True)
    yield "start job, mixed", [FOLDER_RECORD, JOB], start(mixed, False)


def seed_calls():
    models = [
        {"model_uid": "m1", "title": "t", "description": "d", "feature_node_hashes": {"abc": {"x": 1}, "def": {}}, "model": "faster_rcnn", "model_iteration_uids": ["i1", "i2"]},
        {"model_uid": "m2", "title": "t", "description": "d", "feature_node_hashes": {}, "model": "resnet18", "model_iteration_uids": ["i2", "i3"]},
    ]
    nothing = {"objects": [], "classifications": []}
    project = {
        "project_hash": PROJECT,
        "title": "p",
        "description": "",
        "created_at": "2024-05-01 12:00:00",
        "last_edited_at": "2024-05-01 12:00:00",
        "editor_ontology": nothing,
        "datasets": [],
        "label_rows": [],
        "ontology_hash": OTHER_ITEM,
        "source_projects": None,
    }
    ontology = {
        "title": "o",
        "description": "",
        "ontology_hash": OTHER_ITEM,
        "editor": nothing,
        "created_at": "2024-05-01 12:00:00",
        "last_edited_at": "2024-05-01 12:00:00",
    }
    yield "list models", [v1(project), v1(ontology), v1(models)], lambda client: client.get_project(PROJECT).list_models()


def main():
    server = HTTPServer(("127.0.0.1", 0), Recorder)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings = {"max_retries": 0, "connection_retries": 0}
    if not SEED_SDK:
        from encord.http.v2 import request_signer

        request_signer.datetime = Clock
        settings["trace_id_provider"] = lambda: TRACE_ID
    client = EncordUserClient.create_with_ssh_private_key(
        KEY, requests_settings=RequestsSettings(**settings), domain=f"http://127.0.0.1:{server.server_port}"
    )
    calls = []
    for name, answers, call in seed_calls() if SEED_SDK else current_calls():
        Recorder.answers = [(200, json.dumps(answer)) for answer in answers]
        Recorder.exchanges = []
        call(client)
        assert not Recorder.answers, f"{name}: fewer requests than answers"
        calls.append({"name": name, "exchanges": Recorder.exchanges})
    json.dump(calls, sys.stdout, indent=1, ensure_ascii=False)
    print()


main()
