"""Uploads files as an installed Encord SDK does.

    python wire.py < questions.json

Reads `{"uploads": [{"path": …, "url": …, "kind": "image"|"video"|"dicom", "headers": {…}|null}, …], "names": ["a.jpg", …]}`:
every upload is sent, in order, by the SDK's own uploader; `headers` are the `upload_headers` that the current SDK gets with
a URL. Prints `{"sdk": "<version>", "content_types": ["image/jpeg", …]}`: for each name what the SDK sends for an image.
"""

import mimetypes

# Python's own table, whatever this machine has in /etc/mime.types.
mimetypes.knownfiles.clear()
mimetypes.init()

import json
import sys
from importlib.metadata import version

from encord.http.utils import _get_content_type, _upload_single_file

try:
    from encord.orm.storage import StorageItemType, UploadSignedUrl

    KINDS = {"image": StorageItemType.IMAGE, "video": StorageItemType.VIDEO, "dicom": StorageItemType.DICOM_FILE}
except ImportError:  # 0.1.98
    from encord.orm.dataset import DicomSeries, Images, Video

    UploadSignedUrl = None
    KINDS = {"image": Images, "video": Video, "dicom": DicomSeries}


def upload(path, url, kind, headers):
    content_type = _get_content_type(KINDS[kind], path)
    once = {"max_retries": 0, "backoff_factor": 0}
    if UploadSignedUrl is None:
        _upload_single_file(path, {"signed_url": url, "title": path}, content_type, **once)
    else:
        _upload_single_file(path, path, url, content_type, upload_headers=headers, **once)


def main():
    questions = json.load(sys.stdin)
    for item in questions["uploads"]:
        upload(**item)
    content_types = [_get_content_type(KINDS["image"], name) for name in questions["names"]]
    json.dump({"sdk": version("encord"), "content_types": content_types}, sys.stdout)


main()
