"""Prints random messages of every request type and what protovalidate says of each.

Usage: oracle.py COUNT. One message a line: full name, bytes in hexadecimal, violations as
"path rule" sorted and joined by "|". The same seed gives the same lines.
"""

import random
import sys

import protovalidate
from google.protobuf import message_factory
from google.protobuf.descriptor import FieldDescriptor as Field
from recourse.accounthealth.v1 import accounthealth_pb2
from recourse.appeals.v1 import appeals_pb2
from recourse.policy.v1 import policy_pb2
from recourse.reports.v1 import reports_pb2
from recourse.review.v1 import review_pb2

MODULES = [accounthealth_pb2, appeals_pb2, policy_pb2, reports_pb2, review_pb2]
DEPTH_MAX = 4
rng = random.Random(20260801)

TEXTS = ["", "a", "de", "rep_1", "case_01", "dec_x", "app_", "sor_9", "ä", "汉字", "👩‍🚀", "no-uuid"]
UUIDS = ["7b3c9f0e-6a0d-4c58-9c39-0d7f4be1a001", "7B3C9F0E-6A0D-4C58-9C39-0D7F4BE1A001"]
LENGTHS = [2, 3, 35, 36, 64, 65, 128, 129, 256, 257, 1024, 1025, 2000, 2001, 2048, 2049, 5001]


def text():
    kind = rng.random()
    if kind < 0.45:
        return rng.choice(TEXTS)
    if kind < 0.75:
        return rng.choice(UUIDS)
    return rng.choice(["x", "é", "汉"]) * rng.choice(LENGTHS)


def scalar(field):
    kind = field.type
    if kind == Field.TYPE_STRING:
        return text()
    if kind == Field.TYPE_BYTES:
        return bytes(rng.choice([0, 1, 10]))
    if kind == Field.TYPE_BOOL:
        return rng.random() < 0.5
    if kind == Field.TYPE_ENUM:
        return rng.choice([0, 1, 2, 3, 6, 77])
    if kind in (Field.TYPE_INT32, Field.TYPE_INT64):
        return rng.choice([-(2**31), -1, 0, 1, 2, 3600, 3601, 2**31 - 1])
    raise AssertionError(f"{field.full_name}: no random value for type {kind}")


def fill(message, depth=0):
    for field in message.DESCRIPTOR.fields:
        if rng.random() < 0.3:
            continue
        is_map = field.message_type and field.message_type.GetOptions().map_entry
        if is_map:
            getattr(message, field.name)[text()] = text()
        elif field.is_repeated:
            for _ in range(rng.choice([0, 1, 2, 7, 11])):
                items = getattr(message, field.name)
                if field.message_type:
                    if depth < DEPTH_MAX:
                        fill(items.add(), depth + 1)
                else:
                    items.append(scalar(field))
        elif field.message_type:
            child = getattr(message, field.name)
            child.SetInParent()
            if depth < DEPTH_MAX and "google" not in field.message_type.full_name:
                fill(child, depth + 1)
        else:
            setattr(message, field.name, scalar(field))


def place(violation):
    path = ""
    for element in violation.field.elements:
        path += ("." if path else "") + element.field_name
        which = element.WhichOneof("subscript")
        if which == "index":
            path += f"[{element.index}]"
        elif which == "string_key":
            path += f'["{element.string_key}"]'
    return path


def verdict(message):
    try:
        protovalidate.validate(message)
        return ""
    except protovalidate.ValidationError as error:
        protos = [violation.proto for violation in error.violations]
        return "|".join(sorted(f"{place(found)} {found.rule_id}" for found in protos))


def main():
    count = int(sys.argv[1])
    for module in MODULES:
        for name, descriptor in sorted(module.DESCRIPTOR.message_types_by_name.items()):
            if not name.endswith("Request"):
                continue
            kind = message_factory.GetMessageClass(descriptor)
            for _ in range(count):
                message = kind()
                fill(message)
                data = message.SerializeToString(deterministic=True)
                print(descriptor.full_name, data.hex(), verdict(message), sep="\t")


if __name__ == "__main__":
    main()
