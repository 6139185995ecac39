"""Signs URLs, and uses them, as the clouds' own libraries do: boto3 and google-cloud-storage.

    python storage.py < questions.json

Reads `{"sign": [{"scheme": "gcs"|"s3", "endpoint": "http://…", "method": "PUT", "bucket": …, "key": …, "headers": {…},
"expires": 60, "at": <seconds since 1970>|null, "access_id": …, "secret": …}, …], "send": [{"method": …, "url": …, "headers":
{…}, "body": …}, …], "client": {"endpoint": …, "bucket": …}|null}`. Prints `{"signed": ["http://…", …], "sent": [{"status": …,
"body": …, "etag": …}, …], "client": {…}|null}`: URLs signed by the libraries, what requests got for the ones to send, what
boto3's own client saw of a store that wants no signatures.
"""

import datetime
import hashlib
import hmac
import inspect
import json
import sys
import types

import boto3
import botocore.auth
import requests
from botocore import UNSIGNED
from botocore.config import Config
from google.auth import credentials as google_credentials
from google.cloud.storage import _signing


def google_with_hmac():
    """Google's library signs with service accounts only; with HMAC keys the name of the algorithm is all that differs."""
    source = inspect.getsource(_signing)
    assert source.count('"GOOG4-RSA-SHA256"') == 2
    module = types.ModuleType(_signing.__name__, _signing.__doc__)
    module.__package__ = _signing.__package__
    exec(source.replace("GOOG4-RSA-SHA256", "GOOG4-HMAC-SHA256"), module.__dict__)
    return module


GOOGLE = google_with_hmac()


class HmacKey(google_credentials.Signing):
    def __init__(self, access_id, secret, day):
        self.access_id, self.secret, self.day = access_id, secret, day

    def sign_bytes(self, message):
        key = ("GOOG4" + self.secret).encode()
        for part in (self.day, "auto", "storage", "goog4_request"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return hmac.new(key, message, hashlib.sha256).digest()

    signer_email = property(lambda self: self.access_id)
    signer = None


def sign_gcs(question):
    at = datetime.datetime.fromtimestamp(question["at"], datetime.timezone.utc)
    stamp = at.strftime("%Y%m%dT%H%M%SZ")
    # As its Blob.generate_signed_url names the resource.
    from google.cloud.storage.blob import _quote

    return GOOGLE.generate_signed_url_v4(
        HmacKey(question["access_id"], question["secret"], stamp[:8]),
        resource=f"/{question['bucket']}/{_quote(question['key'], safe=b'/~')}",
        expiration=question["expires"],
        api_access_endpoint=question["endpoint"],
        method=question["method"],
        headers=dict(question["headers"]),
        _request_timestamp=stamp,
    )


def s3(endpoint, signature, **keys):
    config = Config(signature_version=signature, s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
    return boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", config=config, **keys)


def sign_s3(question):
    at = datetime.datetime.fromtimestamp(question["at"], datetime.timezone.utc).replace(tzinfo=None)
    botocore.auth.get_current_datetime = lambda *_: at
    keys = {"aws_access_key_id": question["access_id"], "aws_secret_access_key": question["secret"]}
    parameters = {"Bucket": question["bucket"], "Key": question["key"]}
    names = {"Content-Type": "ContentType", "Cache-Control": "CacheControl"}
    parameters.update({names[name]: value for name, value in question["headers"].items()})
    operation = {"PUT": "put_object", "GET": "get_object", "HEAD": "head_object", "DELETE": "delete_object"}
    client = s3(question["endpoint"], "s3v4", **keys)
    return client.generate_presigned_url(operation[question["method"]], parameters, question["expires"])


def send(request):
    answer = requests.request(
        request["method"], request["url"], headers=request["headers"], data=request["body"].encode()
    )
    return {"status": answer.status_code, "body": answer.text, "etag": answer.headers.get("ETag")}


def client(endpoint, bucket):
    """All that boto3's client does with an object, and a listing in pages."""
    store = s3(endpoint, UNSIGNED)
    keys = ["a b/é&<>.txt", "a b/2", "c", "+%20"]
    for key in keys:
        store.put_object(Bucket=bucket, Key=key, Body=key.encode(), ContentType="text/plain")
    pages = store.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": 1})
    listed = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    got = store.get_object(Bucket=bucket, Key=keys[0])
    head = store.head_object(Bucket=bucket, Key=keys[0])
    seen = {
        "all_listed": listed == sorted(keys, key=str.encode),
        "body": got["Body"].read().decode(),
        "content_type": got["ContentType"],
        "length": head["ContentLength"],
        "etag_is_md5": head["ETag"] == '"' + hashlib.md5(keys[0].encode()).hexdigest() + '"',
    }
    store.delete_object(Bucket=bucket, Key=keys[0])
    try:
        store.get_object(Bucket=bucket, Key=keys[0])
    except store.exceptions.NoSuchKey as error:
        seen["gone"] = error.response["Error"]["Message"]
    return seen


def main():
    questions = json.load(sys.stdin)
    signed = [{"gcs": sign_gcs, "s3": sign_s3}[question["scheme"]](question) for question in questions["sign"]]
    sent = [send(request) for request in questions["send"]]
    seen = client(**questions["client"]) if questions["client"] else None
    json.dump({"signed": signed, "sent": sent, "client": seen}, sys.stdout)


main()
