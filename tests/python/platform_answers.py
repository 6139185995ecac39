"""Asks the models of the current Encord SDK which answers they take, and prints the questions and their answers as JSON.

    python platform_answers.py

`[{"model": "StorageFolder", "answer": {…}, "cases": [{"what", "set": {…}, "drop": ["name", …], "taken": bool}, …]}, …]`: a case is
the whole answer with fields set or dropped. `taken` says whether the SDK takes it.
"""

import json
import sys
import warnings

warnings.simplefilter("ignore")

from encord.http.v2.payloads import Page
from encord.objects.ml_models import ProjectModelWithIterations
from encord.orm.dataset import CreateDatasetResponseV2, DataRow, Dataset, DatasetWithUserRole
from encord.orm.project import ProjectDTO
from encord.orm.storage import (
    StorageFolder,
    StorageFolderSummary,
    StorageItem,
    UploadLongPollingState,
    UploadSignedUrl,
)

ID = "1b4e28ba-2fa1-4d2b-883f-0016d3cca427"
TIME = "2024-05-01T12:00:00+00:00"
ITEM = {
    "uuid": ID, "parent": ID, "itemType": "video", "name": "v", "description": "d", "clientMetadata": "{}", "owner": "o",
    "createdAt": TIME, "lastEditedAt": TIME, "isTombstone": False, "isPlaceholder": True, "backedDataUnitsCount": 3,
    "storageLocation": "encord", "integrationHash": ID, "url": "u", "signedUrl": "https://h/p?s=1", "fileSize": 5,
    "mimeType": "m", "duration": 1.5, "fps": 25.0, "height": 4, "width": 3, "dicomInstanceUid": "1", "dicomStudyUid": "2",
    "dicomSeriesUid": "3", "frameCount": 9, "audioSampleRate": 8000, "audioBitDepth": 16, "audioCodec": "c",
    "audioNumChannels": 2,
}  # fmt: skip
MODELS = {
    "StorageFolder": (StorageFolder, {
        "uuid": ID, "parent": ID, "name": "n", "description": "d", "clientMetadata": "{}", "owner": "o", "createdAt": TIME,
        "lastEditedAt": TIME, "userRole": "admin", "syncedDatasetHash": ID, "folderType": "generic", "integrationHash": ID,
        "remoteUrl": "s3://b/", "pathToRoot": [{"uuid": ID, "parentUuid": None, "name": "n", "syncedDatasetHash": None}],
    }),
    "StorageItem": (StorageItem, ITEM),
    "FolderSummary": (StorageFolderSummary, dict.fromkeys(
        ("files folders videos images imageGroups imageSequences dicomFiles dicomSeries niftis audios pdfs plainTexts tombstones "
         "uploadJobs totalSize").split(), 7)),
    "UploadSignedUrl": (UploadSignedUrl, {
        "itemUuid": ID, "objectKey": "k", "signedUrl": "https://h/p?s=1", "uploadHeaders": {"x-ms-blob-type": "BlockBlob"},
    }),
    "UploadJobState": (UploadLongPollingState, {
        "status": "DONE", "itemsWithNames": [{"itemUuid": ID, "name": "n"}], "errors": ["e"], "unitsPendingCount": 0,
        "unitsDoneCount": 1, "unitsErrorCount": 1, "unitsCancelledCount": 0, "fileName": "f",
        "unitErrors": [{"objectUrls": ["k"], "error": "e", "subtaskUuid": ID, "actionDescription": "a"}],
    }),
    "ProjectInfo": (ProjectDTO, {
        "projectHash": ID, "projectType": "workflow", "status": "inProgress", "title": "t", "description": "d",
        "createdAt": TIME, "creatorEmail": "c", "lastEditedAt": TIME, "ontologyHash": ID,
        "editorOntology": {"objects": [], "classifications": []}, "userRole": 0, "sourceProjects": [ID],
        "workflowManagerUuid": ID, "workflow": {"stages": [{"stageType": "ANNOTATION", "uuid": ID, "title": "t"}]},
    }),
    "DatasetInfo": (DatasetWithUserRole, {
        "datasetUuid": ID, "title": "t", "description": "d", "createdAt": TIME, "lastEditedAt": TIME, "userRole": "admin",
        "storageLocation": 0, "backingFolderUuid": ID,
    }),
    "DatasetCreated": (CreateDatasetResponseV2, {"datasetUuid": ID, "backingFolderUuid": ID}),
    "ModelAttachment": (ProjectModelWithIterations, {
        "modelGroup": {"createdAt": TIME, "description": "d", "features": ["f"], "model": "resnet18", "modelUuid": ID,
                       "title": "m", "type": "classification"},
        "projectModel": {"createdAt": TIME, "iterationPolicy": "useAll", "modelUuid": ID, "projectModelUuid": ID,
                         "projectUuid": ID, "featuresMapping": {}},
        "projectModelIterations": [{"batchSize": 8, "createdAt": TIME, "duration": 60, "epochs": 10, "lossLog": {},
                                    "trainingUuid": ID}],
    }),
    "DatasetDetails": (Dataset, {
        "title": "t", "description": "d", "dataset_type": "CORD_STORAGE", "dataset_hash": ID, "backing_folder_uuid": ID,
        "data_rows": [],
    }),
    "DataRow": (DataRow, {
        "data_hash": ID, "data_title": "t", "data_type": "IMAGE", "created_at": "2024-05-01 12:00:00",
        "last_edited_at": "2024-05-01 12:00:00", "width": 3, "height": 4, "file_link": "f", "file_size": 5, "file_type": "m",
        "storage_location": 0, "frames_per_second": 25, "duration": 2, "backing_item_uuid": ID, "client_metadata": {"a": 1},
        "signed_url": "https://h/p?s=1", "is_optimised_image_group": False, "images_data": None,
    }),
}  # fmt: skip


def snake(value):
    """The same with names in snake case, all the way down."""
    if isinstance(value, list):
        return [snake(item) for item in value]
    if not isinstance(value, dict):
        return value
    plain = lambda name: name if "-" in name else "".join(f"_{c.lower()}" if c.isupper() else c for c in name)
    return {plain(name): snake(item) for name, item in value.items()}


def cases(answer):
    yield "as it is", {}, []
    yield "with a new field", {"aNewField": {"a": [1]}}, []
    yield "in snake case", snake(answer), list(answer)
    yield "without anything", {}, list(answer)
    for name, value in answer.items():
        yield f"without {name}", {}, [name]
        yield f"{name} is null", {name: None}, []
        yield f"{name} is a new word", {name: "aNewWord"}, []
        yield f"{name} is empty", {name: [] if isinstance(value, list) else {} if isinstance(value, dict) else ""}, []
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            for number in ("7", 7.0, 0, -1, 2**53, 1.5):
                yield f"{name} is {number!r}", {name: number}, []
        if value == TIME:
            for time in ("2024-05-01T12:00:00", "2024-05-01T12:00:00.123456Z", "Wed, 01 May 2024 12:00:00 GMT", 1714564800):
                yield f"{name} is {time!r}", {name: time}, []
        if value == ID:
            for uuid in (ID.replace("-", ""), ID.upper(), f"{{{ID}}}", f"urn:uuid:{ID}"):
                yield f"{name} is {uuid}", {name: uuid}, []


def taken(model, answer):
    try:
        record = model.from_dict(answer)
        # These two are read when they are looked at.
        if model is DataRow:
            record.data_type, record.created_at, record.backing_item_uuid
        return True
    except Exception:
        return False


def main():
    out = []
    for name, (model, answer) in MODELS.items():
        asked = []
        for what, put, drop in cases(answer):
            changed = {key: value for key, value in answer.items() if key not in drop}
            changed.update(put)
            asked.append({"what": what, "set": put, "drop": drop, "taken": taken(model, changed)})
        assert asked[0]["taken"], name
        out.append({"model": name, "answer": answer, "cases": asked})
    print("[")
    for number, model in enumerate(out):
        lines = ",\n".join("  " + json.dumps(case) for case in model.pop("cases"))
        text = json.dumps(model)[:-1]
        print(f'{text}, "cases": [\n{lines}\n]}}{"," if number < len(out) - 1 else ""}')
    print("]")


main()
