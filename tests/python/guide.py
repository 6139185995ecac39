"""Runs the scripts of docs/uploading.md against an installed SDK, with a folder that is not on the platform.

    python guide.py PATH-TO/uploading.md

The records that go in and out are the SDK's own; only the network is not there.
"""

import io
import inspect
import json
import re
import sys
from uuid import UUID

from encord.orm.storage import DataUploadItems, StorageItemType, UploadSignedUrl
from encord.storage import StorageFolder


class Folder:
    """Takes the calls that the real one has, by its own signatures."""

    def __init__(self):
        self.given = 0
        self.added = []

    def _get_upload_signed_urls(self, *args, **kwargs):
        call = inspect.signature(StorageFolder._get_upload_signed_urls).bind(self, *args, **kwargs).arguments
        assert call["item_type"] == StorageItemType.IMAGE
        urls = [self._url(self.given + n) for n in range(call["count"])]
        self.given += call["count"]
        return urls

    def _url(self, number):
        return UploadSignedUrl(
            item_uuid=UUID(int=number),
            object_key=f"key/{number}",
            signed_url=f"https://storage.example/key/{number}?sig=x",
            upload_headers={"x-ms-blob-type": "BlockBlob"},
        )

    def _add_data(self, *args, **kwargs):
        call = inspect.signature(StorageFolder._add_data).bind(self, *args, **kwargs).arguments
        assert isinstance(call["private_files"], DataUploadItems)
        self.added += call["private_files"].images


def scripts(page):
    """The names that each Python block of the page defines, by its first function."""
    blocks = re.findall(r"```python\n(.*?)```", page, re.S)
    defined = {}
    for block in blocks:
        names = {"__name__": "guide"}
        exec(compile(block, "uploading.md", "exec"), names)
        defined[re.search(r"^def (\w+)", block, re.M).group(1)] = names
    return defined


def reported(path, status):
    return json.dumps({"path": path, "title": f"title of {path}", "status": status})


def main():
    with open(sys.argv[1]) as page:
        blocks = scripts(page.read())
    folder = Folder()
    paths = [f"images/{n}.jpg" for n in range(250)]
    items, placeholders = io.StringIO(), io.StringIO()
    blocks["make_manifest"]["make_manifest"](folder, paths, items, placeholders)
    manifest = items.getvalue()

    assert [json.loads(line)["path"] for line in manifest.splitlines()] == paths
    statuses = ["uploaded", "failed", "skipped", "cancelled"]
    report = [reported(path, statuses[n % 4]) for n, path in enumerate(paths)]

    # What is left gets URLs again, and all but one of it arrives.
    rest = [path for n, path in enumerate(paths) if n % 4 in (1, 3)]
    blocks["make_manifest"]["make_manifest"](folder, rest, io.StringIO(), placeholders)
    report += [reported(path, "failed" if path == rest[0] else "uploaded") for path in rest]

    count = blocks["register"]["register"](folder, report, placeholders.getvalue().splitlines())
    assert count == len(folder.added) == len({image.title for image in folder.added}) == 249
    for image in folder.added:
        # The object is where the file went: to the last URL of its path.
        number = image.placeholder_item_uuid.int
        path = paths[number] if number < len(paths) else rest[number - len(paths)]
        assert (image.object_url, image.title) == (f"key/{number}", f"title of {path}")
        assert (number < len(paths)) == (path not in rest) and path != rest[0]

    shard = blocks["shard"]["shard"]
    json.dump({"manifest": manifest, "shards": {path: shard(path, 7) for path in paths}}, sys.stdout)


main()
