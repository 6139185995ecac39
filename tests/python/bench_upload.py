"""Uploads what a manifest lists by the SDK's own batch upload, with its own number of threads.

    python bench_upload.py MANIFEST

Prints `{"seconds": …}`: the time of the upload alone, without Python's start and the SDK's imports.
"""

import json
import sys
import time
from types import SimpleNamespace

from encord.http.constants import RequestsSettings
from encord.http.utils import CloudUploadSettings, upload_to_signed_url_list
from encord.orm.storage import StorageItemType


class Platform:
    """The API client that the SDK asks for signed URLs: it has them already."""

    def __init__(self, urls):
        self.urls = iter(urls)

    def get(self, path, params, result_type):
        urls = (next(self.urls) for _ in range(params.count))
        return SimpleNamespace(
            results=[
                SimpleNamespace(item_uuid="", object_key="", signed_url=url, upload_headers=None) for url in urls
            ]
        )


def main():
    with open(sys.argv[1]) as manifest:
        items = [json.loads(line) for line in manifest]
    began = time.perf_counter()
    upload_to_signed_url_list(
        [item["path"] for item in items],
        SimpleNamespace(requests_settings=RequestsSettings()),
        Platform(item["signed_url"] for item in items),
        StorageItemType.IMAGE,
        CloudUploadSettings(),
    )
    json.dump({"seconds": time.perf_counter() - began}, sys.stdout)


main()
