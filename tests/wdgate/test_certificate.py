"""What is claimed about a released model, in a form that others can check."""

import base64
import json

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wdgate.conftest import certificate_of
from wdgate.canonical import canonical_json, sha256
from wdgate.certificate import PAYLOAD_TYPE, Certificate, CertificateError, schema
from wdgate.signing import new_key
from wdgate.trust import TrustedKeys, trusted

ONNX = "ab" * 32


@pytest.fixture(scope="module")
def certificate(key, believed):
    return certificate_of(ONNX, key)


def resealed(certificate, key, change):
    """The certificate whose statement was changed and signed again with a key."""
    statement = json.loads(canonical_json(certificate.statement))
    change(statement)
    return key.seal(canonical_json(statement), PAYLOAD_TYPE)


def refused(content, believed, onnx_sha256=ONNX):
    """The item that stops a certificate; None where nothing does."""
    try:
        certificate = Certificate.parse(content)
        certificate.signed_by(believed)
        certificate.check_onnx(onnx_sha256)
    except CertificateError as error:
        return error.item
    return None


def test_it_is_an_in_toto_statement_in_a_dsse_envelope(certificate):
    envelope = json.loads(certificate.content)
    assert envelope["payloadType"] == "application/vnd.in-toto+json"
    statement = json.loads(base64.b64decode(envelope["payload"]))
    assert statement == certificate.as_dict()
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["subject"] == [{"name": "model.onnx", "digest": {"sha256": ONNX}}]


def test_it_binds_what_was_shown_and_by_whom(certificate, key):
    predicate = certificate.predicate
    assert predicate["splits"] == {"train": "1", "test": "2"}
    assert predicate["ledger"]["judged"] == "a" * 64
    assert predicate["evidence"] == {"decay": {"weight_decay": 0.3}, "bound": "inf"}
    assert predicate["key"] == {"keyid": key.keyid, "origin": "given by its owner"}
    assert predicate["decision"]["gates"][0]["code"] == "WD201"


def test_its_hash_is_that_of_the_stored_text(certificate):
    assert certificate.sha256 == sha256(certificate.content)
    assert Certificate.parse(certificate.content.encode()) == certificate


def test_what_is_signed_twice_is_the_same_text(certificate, key):
    assert resealed(certificate, key, lambda statement: None) == certificate.content


def test_an_untouched_certificate_verifies(certificate, believed):
    assert refused(certificate.content, believed) is None
    assert certificate.signed_by(believed).startswith("signed by the key ")


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", "1", "{}", "\ud800", '{"a":' * 9000, '{"payload":"","payloadType":"x"}'],
)
def test_what_is_no_envelope_is_refused(content, believed):
    assert refused(content, believed) == "envelope"


def test_bytes_that_are_no_text_are_refused(believed):
    assert refused(b"\xff\xfe", believed) == "envelope"


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_anything_else_is_refused_in_one_sentence(content):
    with pytest.raises(CertificateError) as caught:
        Certificate.parse(content)
    assert str(caught.value).startswith("envelope of the certificate: ")
    assert "\n" not in str(caught.value)


@given(data=st.data())
def test_any_flipped_bit_of_the_file_is_refused(data, certificate, believed):
    content = bytearray(certificate.content.encode())
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    content[bit // 8] ^= 1 << bit % 8
    assert refused(bytes(content), believed) in ("envelope", "statement", "key", "signature")


def places(value, path=()):
    """The path to each value of a document that is no list or mapping."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [place for name, item in items for place in places(item, (*path, name))]
    return found or [path]


def changed(document, path, change):
    copy = json.loads(json.dumps(document))
    holder = copy
    for name in path[:-1]:
        holder = holder[name]
    change(holder, path[-1])
    return copy


def edited(holder, name):
    value = holder[name]
    holder[name] = f"{value}x" if isinstance(value, str) else [value]


def test_every_edited_or_missing_value_of_the_statement_is_refused(certificate, believed):
    for path in places(certificate.statement):
        for change in (edited, lambda holder, name: holder.pop(name)):
            statement = changed(certificate.statement, path, change)
            payload = base64.b64encode(canonical_json(statement).encode()).decode()
            content = canonical_json({**certificate.envelope, "payload": payload})
            assert refused(content, believed) in ("statement", "key", "signature"), path


def test_every_edited_or_missing_value_of_the_envelope_is_refused(certificate, believed):
    for path in places(certificate.envelope):
        for change in (edited, lambda holder, name: holder.pop(name)):
            content = canonical_json(changed(certificate.envelope, path, change))
            assert refused(content, believed) in ("envelope", "key", "signature"), path


@pytest.mark.parametrize(
    "change",
    [
        lambda e: e.update(more=1),
        lambda e: e["signatures"].append(dict(e["signatures"][0])),
        lambda e: e.update(signatures=[]),
        lambda e: e["signatures"][0].update(more=1),
        lambda e: e["signatures"][0].update(sig=e["signatures"][0]["sig"].replace("==", "")),
    ],
)
def test_another_envelope_around_the_same_statement_is_refused(certificate, believed, change):
    envelope = json.loads(certificate.content)
    change(envelope)
    assert refused(canonical_json(envelope), believed) == "envelope"


@pytest.mark.parametrize("write", [lambda e: json.dumps(e, indent=1), lambda e: json.dumps(e) + "\n"])
def test_the_same_envelope_written_differently_is_refused(certificate, believed, write):
    assert refused(write(certificate.envelope), believed) == "envelope"


def test_base64_has_bits_that_say_nothing_and_they_are_refused(certificate, believed):
    sig = certificate.envelope["signatures"][0]["sig"]
    other = sig[:85] + chr(ord(sig[85]) + 1) + "=="
    assert base64.b64decode(other) == base64.b64decode(sig)
    content = certificate.content.replace(sig, other)
    assert refused(content, believed) == "envelope"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: s["predicate"].update(schema=2), "it is of schema 2, and this wdgate knows 1"),
        (lambda s: s.update(predicateType="urn:x-wdgate:promotion:v2"), "expected urn:x-wdgate:promotion:v1"),
        (lambda s: s.update(_type="x"), "at .*_type.* was expected"),
        (lambda s: s.update(more=1), "'more' was unexpected"),
        (lambda s: s["predicate"].update(more=1), "'more' was unexpected"),
        (lambda s: s["predicate"].pop("splits"), "'splits' is a required property"),
        (lambda s: s["predicate"]["ledger"].pop("judged"), "'judged' is a required property"),
        (lambda s: s["predicate"]["key"].update(embedded=True), "'embedded' was unexpected"),
        (lambda s: s["subject"].append(s["subject"][0]), "at \\$.subject"),
        (lambda s: s["subject"][0].update(name="other"), "at \\$.subject"),
        (lambda s: s["predicate"]["decision"].update(passed=False), "at \\$.predicate.decision.passed"),
        (lambda s: s["predicate"].update(signed_at="yesterday"), "at \\$.predicate.signed_at"),
        (lambda s: s["predicate"].update(signed_at="2026-01-01T00:00:00"), "has no time zone"),
        (lambda s: s.update(predicate=[]), "at \\$.predicate"),
    ],
)
def test_a_statement_of_another_kind_is_refused_though_it_is_signed(certificate, key, change, said):
    with pytest.raises(CertificateError, match=said) as caught:
        Certificate.parse(resealed(certificate, key, change))
    assert caught.value.item == "statement"


def test_the_key_that_the_envelope_names_is_the_one_that_the_statement_names(certificate, believed, tmp_path):
    other = new_key(tmp_path / "other.pem")
    both = TrustedKeys({**believed.keys, other.keyid: trusted(other)}, "trusted.json")
    content = resealed(certificate, other, lambda statement: None)
    assert refused(content, both) == "key"


def test_another_key_s_certificate_is_refused(believed, tmp_path):
    other = new_key(tmp_path / "other.pem")
    assert refused(certificate_of(ONNX, other).content, believed) == "key"


def test_a_certificate_of_another_file_is_refused(certificate, believed):
    assert refused(certificate.content, believed, "cd" * 32) == "model.onnx"


def test_the_published_schema_is_one_and_knows_a_real_certificate(certificate):
    jsonschema.Draft202012Validator.check_schema(schema())
    validator = jsonschema.Draft202012Validator(schema())
    validator.validate(certificate.as_dict())
    envelope = {"$ref": "#/$defs/envelope", "$defs": schema()["$defs"]}
    jsonschema.Draft202012Validator(envelope).validate(certificate.envelope)
    assert not validator.is_valid({**certificate.as_dict(), "more": 1})


def test_the_published_schema_is_closed_wherever_wdgate_itself_writes():
    closed = ("envelope", "signature", "subject", "predicate", "key", "ledger")
    assert schema()["additionalProperties"] is False
    assert all(schema()["$defs"][name]["additionalProperties"] is False for name in closed)
