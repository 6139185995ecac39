"""Signs random requests as an installed Encord SDK does, and prints them as JSON Lines.

    python platform_signatures.py [COUNT] [SEED]

A line is `["GET", "/target?query", "body", created, "<Signature>"]` for v2, and `["body", "<Authorization>"]` for v1. The key is
that of the bytes 0 to 31. Needs the current SDK.
"""

import json
import random
import sys
import warnings
from datetime import datetime, timezone

warnings.simplefilter("ignore")

import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from encord.configs import SshConfig
from encord.http.v2 import request_signer

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
CONFIG = SshConfig(KEY)
SIGNS = "abcXYZ019 -_.~/&=?+%\"'\\\n\x00\x7fäß猫😀"


class Clock:
    """Stands for `datetime` in the SDK's signer."""

    seconds = 0

    @classmethod
    def now(cls):
        return datetime.fromtimestamp(cls.seconds, timezone.utc)


def text(chance, most):
    return "".join(chance.choices(SIGNS, k=chance.randrange(most)))


def value(chance, depth=2):
    kinds = [lambda: text(chance, 8), lambda: chance.randrange(-99, 10**9), lambda: chance.random() < 0.5, lambda: None]
    if depth:
        kinds.append(lambda: [value(chance, depth - 1) for _ in range(chance.randrange(3))])
        kinds.append(lambda: {text(chance, 5): value(chance, depth - 1) for _ in range(chance.randrange(3))})
    return chance.choice(kinds)()


def v2(chance):
    method = chance.choice(["GET", "POST", "PUT", "PATCH", "DELETE"])
    params = {f"p{n}": text(chance, 6) for n in range(chance.randrange(4))}
    body = None if method in ("GET", "DELETE") else {text(chance, 5): value(chance)}
    path = "/".join(chance.choices(["storage", "folders", "datasets", "a b", "ü", "~", "%2F"], k=chance.randrange(1, 5)))
    request = requests.Request(method, "https://h/v2/public/" + path, params=params, json=body).prepare()
    Clock.seconds = chance.randrange(10**6, 4 * 10**9)
    signed = request_signer.sign_request(request, CONFIG.public_key_hex, KEY)
    sent = (request.body or b"").decode()
    return [method, request.path_url, sent, Clock.seconds, signed.headers["Signature"]]


def v1(chance):
    body = json.dumps({"query_type": text(chance, 9), "values": value(chance, 3)})
    return [body, CONFIG.define_headers("id", "dataset", body)["Authorization"]]


def main():
    count, seed = map(int, sys.argv[1:] + ["1000", "20261126"][len(sys.argv) - 1 :])
    request_signer.datetime = Clock
    chance = random.Random(seed)
    for number in range(count):
        print(json.dumps((v2 if number % 2 else v1)(chance), ensure_ascii=False, separators=(",", ":")))


main()
