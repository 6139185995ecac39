"""Uploads a batch as the installed current Encord SDK does, and tells what came of it.

    python promises.py < question.json

Reads `{"paths": […], "urls": […], "requests": {…}, "upload": {…}, "iterator": false}`: the arguments of `RequestsSettings` and
of `CloudUploadSettings`, and whether the paths are handed over as an iterator. Prints `{"uploaded": 19, "raised": null, "log":
"…"}`; `raised` is the name of an exception, `log` what the SDK logged and raised.
"""

import io
import json
import logging
import sys
from types import SimpleNamespace

from encord.http.constants import RequestsSettings
from encord.http.utils import CloudUploadSettings, upload_to_signed_url_list
from encord.orm.storage import StorageItemType


class Platform:
    """The API client that the SDK asks for signed URLs: it has them already."""

    def __init__(self, urls):
        self.urls = iter(urls)

    def get(self, path, params, result_type):
        urls = [next(self.urls) for _ in range(params.count)]
        return SimpleNamespace(
            results=[
                SimpleNamespace(item_uuid="", object_key="", signed_url=url, upload_headers=None) for url in urls
            ]
        )


def main():
    question = json.load(sys.stdin)
    log = io.StringIO()
    logging.getLogger("encord").addHandler(logging.StreamHandler(log))
    uploaded, raised = 0, None
    try:
        paths = question["paths"]
        uploaded = len(
            upload_to_signed_url_list(
                iter(paths) if question["iterator"] else paths,
                SimpleNamespace(requests_settings=RequestsSettings(**question["requests"])),
                Platform(question["urls"]),
                StorageItemType.IMAGE,
                CloudUploadSettings(**question["upload"]),
            )
        )
    except Exception as error:
        raised = type(error).__name__
        print(error, file=log)
    json.dump({"uploaded": uploaded, "raised": raised, "log": log.getvalue()}, sys.stdout)


main()
