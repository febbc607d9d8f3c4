"""What is claimed about a released model."""

import json

import pytest

from data_checks.errors import RegistryError
from wdgate.canonical import sha256
from wdgate.certificate import Certificate, certify


def certificate():
    return certify(
        "ab" * 32,
        model="digits",
        judged={"question": {"rows": "r"}, "decision": {"passed": True, "gates": []}},
        ledger={"booked": "b", "judged": "j", "at": "2026-01-01T00:00:00+00:00", "by": "ann"},
        fingerprints={"train": "1", "test": "2"},
        report={"passed": True},
        evidence={"decay": {"weight_decay": 0.3}, "bound": float("inf")},
    )


def test_it_is_an_in_toto_statement_about_the_file():
    statement = json.loads(certificate().content)
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["subject"] == [{"name": "model.onnx", "digest": {"sha256": "ab" * 32}}]
    assert set(statement) == {"_type", "subject", "predicateType", "predicate"}


def test_it_binds_what_the_promise_lists():
    predicate = certificate().predicate
    assert predicate["splits"] == {"train": "1", "test": "2"}
    assert predicate["ledger"]["judged"] == "j"
    assert predicate["evidence"] == {"decay": {"weight_decay": 0.3}, "bound": "inf"}
    assert {"model", "question", "decision", "data_report", "schema"} < predicate.keys()


def test_its_hash_is_that_of_the_stored_text():
    assert certificate().sha256 == sha256(certificate().content)
    assert Certificate.parse(certificate().content.encode()) == certificate()


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"subject":[]}', '{"subject":[{"digest":{}}]}'])
def test_what_is_no_certificate_is_refused(content):
    with pytest.raises(RegistryError, match="cannot be read"):
        Certificate.parse(content)


@pytest.mark.parametrize(
    ("field", "value"), [("_type", "x"), ("predicateType", "urn:x-wdgate:promotion:v2"), ("more", 1)]
)
def test_a_statement_of_another_type_is_refused(field, value):
    with pytest.raises(RegistryError, match="is not a urn:x-wdgate:promotion:v1 statement"):
        Certificate.parse(json.dumps({**certificate().as_dict(), field: value}))
