"""Makes private keys in every form that people may give, and says what the installed Encord SDK makes of each, as JSON.

    python platform_keys.py            makes the keys: needs `ssh-keygen`, and `bcrypt` for those with a password
    python platform_keys.py -          asks about the keys on standard input, in the form that is printed

`{"name": …, "text": …, "password": … | null, "key_id": "<public key>" | null, "raises": "<exception class>" | null}`: the SDK
takes the key exactly when `key_id` is there. All keys are made for this file and are good for nothing.
"""

import base64
import json
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

warnings.simplefilter("ignore")

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from encord.configs import SshConfig

BEGIN, END = "-----BEGIN OPENSSH PRIVATE KEY-----", "-----END OPENSSH PRIVATE KEY-----"


def ssh_keygen(*arguments, password="", comment="me@example.com"):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "key")
        command = ["ssh-keygen", "-q", "-N", password, "-C", comment, "-f", str(path), *arguments]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        return path.read_text(), path.with_suffix(".pub").read_text()


def armored(raw):
    text = base64.b64encode(raw).decode()
    lines = [text[at : at + 70] for at in range(0, len(text), 70)]
    return "\n".join([BEGIN, *lines, END]) + "\n"


def raw(text):
    return base64.b64decode("".join(text.splitlines()[1:-1]))


def changed(text, at, xor=1):
    data = bytearray(raw(text))
    data[at] ^= xor
    return armored(bytes(data))


def texts():
    plain, public = ssh_keygen("-t", "ed25519")
    rsa, _ = ssh_keygen("-t", "rsa", "-b", "2048")
    ecdsa, _ = ssh_keygen("-t", "ecdsa")
    pem_rsa, _ = ssh_keygen("-t", "rsa", "-b", "2048", "-m", "PEM")
    locked, _ = ssh_keygen("-t", "ed25519", "-a", "4", password="open sesame")
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    fixed = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    body = raw(plain)
    yield "of ssh-keygen", plain, None
    yield "of a library", fixed, None
    yield "without a comment", ssh_keygen("-t", "ed25519", comment="")[0], None
    yield "with a long comment", ssh_keygen("-t", "ed25519", comment="ü" * 300)[0], None
    yield "with CRLF", plain.replace("\n", "\r\n"), None
    yield "with blanks in front", "\n \t\n" + plain, None
    yield "with text in front", "Key of mine:\n" + plain, None
    yield "with text behind", plain + "end of file\n", None
    yield "in one line, with spaces", plain.replace("\n", " "), None
    yield "in one line, with nothing", plain.replace("\n", ""), None
    yield "with literal \\n", plain.replace("\n", "\\n"), None
    yield "with a byte order mark", "\ufeff" + plain, None
    yield "in quotes", f'"{plain}"', None
    yield "indented", "".join(f"    {line}\n" for line in plain.splitlines()), None
    yield "twice", plain + fixed, None
    yield "without its last line", plain.replace(END + "\n", ""), None
    yield "without its first line", plain.replace(BEGIN + "\n", ""), None
    yield "without a line in the middle", "\n".join(line for i, line in enumerate(plain.splitlines()) if i != 2), None
    yield "cut off", armored(body[:150]), None
    yield "empty between its lines", BEGIN + "\n" + END + "\n", None
    yield "with padding in the middle", plain.replace("\n", "==\n", 2), None
    yield "with its magic changed", changed(plain, 3), None
    yield "with its number of keys changed", changed(plain, 38), None
    yield "with its public half changed", changed(plain, 70), None
    yield "with its check number changed", changed(plain, 98), None
    yield "with its secret half changed", changed(plain, len(body) - 80), None
    yield "with its padding changed", changed(plain, len(body) - 1), None
    yield "with bytes behind", armored(body + b"\0"), None
    yield "the public half", public, None
    yield "RSA", rsa, None
    yield "RSA in its old form", pem_rsa, None
    yield "ECDSA", ecdsa, None
    yield "PKCS#8", key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(), None
    yield "raw", key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()).hex(), None
    yield "empty", "", None
    yield "garbage", "not a key", None
    yield "plain, with a password", plain, "open sesame"
    yield "plain, with an empty password", plain, ""
    yield "encrypted, with its password", locked, "open sesame"
    yield "encrypted, with a wrong password", locked, "close sesame"
    yield "encrypted, without a password", locked, None
    yield "encrypted, with an empty password", locked, ""
    for cipher in ["aes256-ctr", "aes256-cbc", "aes256-gcm@openssh.com", "aes128-ctr", "chacha20-poly1305@openssh.com"]:
        text, _ = ssh_keygen("-t", "ed25519", "-a", "4", "-Z", cipher, password="pass wörd")
        yield f"encrypted with {cipher}", text, "pass wörd"
    text, _ = ssh_keygen("-t", "ed25519", "-a", "4", "-Z", "aes256-gcm@openssh.com", password="x")
    yield "encrypted with aes256-gcm@openssh.com, with a wrong password", text, "y"
    text, _ = ssh_keygen("-t", "rsa", "-b", "2048", "-a", "4", password="x")
    yield "RSA, encrypted", text, "x"
    encrypted = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, BestAvailableEncryption(b"x")).decode()
    yield "encrypted by a library", encrypted, "x"


def answer(name, text, password):
    try:
        config = SshConfig.from_ssh_private_key(text, password)
        outcome = {"key_id": config.public_key_hex, "raises": None}
    except Exception as error:
        outcome = {"key_id": None, "raises": type(error).__name__}
    return {"name": name, "text": text, "password": password, **outcome}


def main():
    if sys.argv[1:] == ["-"]:
        questions = [(key["name"], key["text"], key["password"]) for key in json.load(sys.stdin)]
    else:
        questions = list(texts())
    json.dump([answer(*question) for question in questions], sys.stdout, indent=1)
    print()


main()
