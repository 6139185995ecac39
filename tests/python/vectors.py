"""Asks an installed Encord SDK what it does, and prints the answers as JSON.

    python vectors.py         the questions below: the golden vectors
    python vectors.py -       questions from stdin, in the form that `questions` returns

Every question is printed next to its answer, so both forms are read by the same test (`tests/it/conformance.rs`). Model
configurations are JSON texts, as they come over the wire. An answer that the SDK gives by raising is
`{"raises": "<exception class>"}`. A section is null where the SDK has no such thing any more.
"""

import dataclasses
import itertools
import json
import platform
import random
import sys
from importlib.metadata import version
from types import SimpleNamespace

from encord.constants.enums import DataType
from encord.http import utils
from encord.http.constants import RequestsSettings
from encord.http.utils import CloudUploadSettings

try:  # Until 0.1.155.
    from encord.constants.model import AutomationModels
    from encord.orm.model import ModelConfiguration
    from encord.utilities.project_utilities import get_all_model_iteration_uids
except ImportError:
    AutomationModels = ModelConfiguration = get_all_model_iteration_uids = None

try:  # Not in 0.1.98.
    from encord.orm.dataset import LongPollingStatus
    from encord.orm.storage import StorageFolderType, StorageItemType, StorageLocationName, StorageUserRole

    STORAGE_ENUMS = (StorageItemType, StorageLocationName, StorageFolderType, StorageUserRole, LongPollingStatus)
except ImportError:
    STORAGE_ENUMS = None


# Questions


def questions():
    return {
        "strings": strings(),
        "overlays": overlays(),
        "model_configurations": [json.dumps(model) for model in model_configurations()],
        "model_lists": [json.dumps(models) for models in model_lists()],
    }


# Typed out rather than read from the SDK, so that both versions are asked the same.
DATA_TYPES = (
    "video img_group dicom image dicom_study nifti audio time_series plain_text pdf group scene _MISSING_DATA_TYPE_"
).split()

# Replaced in a value, each of these gives a string that some notion of case, width or normal form takes for the same.
LOOKALIKES = {
    "i": "ıİіⅰ",  # dotless, dotted, Cyrillic, Roman numeral
    "s": "ſѕ",  # long s, whose upper case is S; Cyrillic
    "st": "ﬆ",  # ligature, whose upper case is ST
    "_": "-\u203f ",
    "e": "еé",  # Cyrillic; accented
    "o": "ᴏ\u03bf",
}


def strings():
    odd = [
        "", " ", "\x00", "\ufeff", "\u200b", "\u2028", "\x7f", "\U0010ffff", "x" * 300, "A\u030a", "Å", "🎞", "𐐨",
        "ß", "ẞ", "ﬁ", "ŉ", "ǰ", "\u212a", "İ", "ı", "ſ", "ΐ", "և", "видео", "動画", "hologram", "HOLOGRAM",
        "None", "null", "0", "5", "true", "{}", "[]", '"video"', "'video'", "video,image", "DataType.VIDEO",
        "MISSING", "MISSING_DATA_TYPE", "missing_data_type", "_missing_data_type_", "__MISSING_DATA_TYPE__",
        "_MISSING_DATA_TYPE", "IMGGROUP", "img group", "image_group", "IMAGE_GROUP", "dicomstudy", "plaintext", "text",
        "point_cloud",
    ]  # fmt: skip
    return list(dict.fromkeys(itertools.chain(odd, *map(variations, DATA_TYPES))))


def variations(value):
    upper = value.upper()
    yield from (value, upper, value.lower(), value.capitalize(), value.title(), upper.swapcase(), alternating(value))
    for text in (value, upper):
        yield from (text + " ", " " + text, text + "\n", "\t" + text, text + "\x00", "\x00" + text, text + "\u00a0")
        yield from (text[:-1], text[1:], text + text[-1], text + text, "\u200b" + text, text + "\u0301")
        yield "".join(chr(ord(letter) + 0xFEE0) for letter in text)  # Full width.
    for letters, replacements in LOOKALIKES.items():
        for replacement in replacements:
            if letters in value.lower():
                yield value.lower().replace(letters, replacement)
                yield value.lower().replace(letters, replacement).upper()


def alternating(text):
    return "".join(letter.upper() if at % 2 else letter.lower() for at, letter in enumerate(text))


def overlays():
    return [
        {
            "requests": {"max_retries": requests_retries, "backoff_factor": requests_factor},
            "upload": {"max_retries": retries, "backoff_factor": factor},
        }
        for requests_retries in (0, 3, 15)
        for requests_factor in (0.0, 0.5, 1.5)
        for retries in (None, 0, 1, 3, 15)
        for factor in (None, 0.0, 0.5, 1.5)
    ]


MODEL_KINDS = "fast_ai resnet18 resnet34 resnet50 resnet101 resnet152 vgg16 vgg19 faster_rcnn mask_rcnn".split()


def model_configurations():
    def model(**changes):
        return {
            "model_uid": "m-1",
            "title": "Cats",
            "description": "Finds cats",
            "feature_node_hashes": {"b2": "Cat", "a1": {"name": "Dog"}},
            "model": "resnet50",
            "model_iteration_uids": ["u-2", "u-1", "u-2"],
            **changes,
        }

    yield from (model(model=kind) for kind in MODEL_KINDS)
    yield from (model(model=kind) for kind in ("vit_b16", "RESNET50", "resnet50 ", "", "ﬁ", None, 5))
    yield model(model_uid="", title="", description="", feature_node_hashes={}, model_iteration_uids=[])
    yield model(title="ß \"quoted\" \\ \u2028 🎞", description="line\nline\x00", feature_node_hashes={"ﬁ": None, "": []})
    yield model(extra="ignored", another={"deeply": [{"ignored": None}]})
    yield dict(reversed(model().items()))
    yield model(feature_node_hashes=["b2", "a1"])
    yield model(feature_node_hashes=None)
    yield model(description=None)
    yield model(title=7)
    yield model(model_iteration_uids=None)
    for missing in model():
        yield {key: value for key, value in model().items() if key != missing}


def model_lists():
    dice = random.Random(98)  # Only `random()` is promised to stay the same over Python versions.

    def below(limit):
        return int(dice.random() * limit)

    yield []
    for models in range(40):
        uids = 1 + below(25)
        yield [
            {
                "model_uid": f"m-{number}",
                "title": f"Model {number}",
                "description": "",
                "feature_node_hashes": {f"{below(2**32):08x}": None for _ in range(below(3))},
                "model": MODEL_KINDS[below(len(MODEL_KINDS))],
                "model_iteration_uids": [f"u-{below(uids)}" for _ in range(below(7))],
            }
            for number in range(models % 7)
        ]


# Answers


def answers(asked):
    return {
        "sdk": version("encord"),
        "python": platform.python_version(),
        "data_types": [
            {"name": member.name, "value": member.value, "upper": member.to_upper_case_string()} for member in DataType
        ],
        "automation_models": AutomationModels
        and [{"name": member.name, "value": member.value} for member in AutomationModels],
        "storage_enums": STORAGE_ENUMS
        and {enum.__name__: [{"name": member.name, "value": member.value} for member in enum] for enum in STORAGE_ENUMS},
        "defaults": {
            "requests": dataclasses.asdict(RequestsSettings()),
            "upload": dataclasses.asdict(CloudUploadSettings()),
        },
        "strings": [
            {"input": text, "value": DataType(text).value, "from_upper": DataType.from_upper_case_string(text).value}
            for text in asked["strings"]
        ],
        "non_strings": [
            {"json": given, "value": DataType(given).value} for given in (None, True, 5, -1, 1.5, [], ["video"], {})
        ],
        "overlays": [{**overlay, "used": used_by_upload(**overlay)} for overlay in asked["overlays"]],
        "model_configurations": ModelConfiguration
        and [{"json": text, "read": answer(read_model, text)} for text in asked["model_configurations"]],
        "model_lists": ModelConfiguration
        and [{"json": text, "uids": answer(iteration_uids, text)} for text in asked["model_lists"]],
    }


def answer(function, *arguments):
    try:
        return function(*arguments)
    except Exception as error:
        return {"raises": type(error).__name__}


def read_model(text):
    model = ModelConfiguration.from_dict(json.loads(text))
    return {**dataclasses.asdict(model), "model": model.model.value}


def iteration_uids(text):
    # Sorted: the order of a Python set of strings differs from run to run.
    return sorted(get_all_model_iteration_uids([ModelConfiguration.from_dict(model) for model in json.loads(text)]))


def used_by_upload(requests, upload):
    """The retry settings with which the SDK's own batch upload calls the function that sends one file."""
    used = []

    def record(*_, max_retries, backoff_factor, **__):
        used.append({"max_retries": max_retries, "backoff_factor": backoff_factor})

    utils._upload_single_file = record
    utils.tqdm = lambda items, **_: items
    config = SimpleNamespace(requests_settings=RequestsSettings(**requests))
    upload_one_file(config, CloudUploadSettings(**upload))
    (only,) = used
    return only


def upload_one_file(config, settings):
    # The file is never opened, but the current SDK looks whether it is there.
    path, title, url = __file__, "vectors.py", "https://storage.invalid/vectors.py"
    if hasattr(utils, "ApiClient"):
        from encord.orm.storage import StorageItemType

        signed = SimpleNamespace(item_uuid="", object_key="", signed_url=url, upload_headers=None)
        client = SimpleNamespace(get=lambda *_, **__: SimpleNamespace(results=[signed]))
        utils.upload_to_signed_url_list([path], config, client, StorageItemType.VIDEO, settings)
    else:
        from encord.orm.dataset import Video

        querier = SimpleNamespace(basic_getter=lambda *_, **__: {"title": title, "signed_url": url})
        utils.upload_to_signed_url_list([path], config, querier, Video, settings)


# Text


def print_document(document):
    """JSON with one case on each line, so that a difference between two versions reads well."""
    sections = []
    for name, section in document.items():
        text = json.dumps(section)
        if isinstance(section, list):
            text = "[\n" + ",\n".join(f"    {json.dumps(case)}" for case in section) + "\n  ]"
        sections.append(f"  {json.dumps(name)}: {text}")
    print("{\n" + ",\n".join(sections) + "\n}")


if __name__ == "__main__":
    from_stdin = sys.argv[1:] == ["-"]
    print_document(answers(json.load(sys.stdin.buffer) if from_stdin else questions()))
