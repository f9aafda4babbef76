"""JSON Schemas of proto/, and what proto/openapi.json says of an answer."""

import json
from pathlib import Path

import jsonschema

PROTO = Path(__file__).resolve().parents[2] / "proto"


def _store():
    """Every schema by its file name and by its $id, so that references between them are found."""
    store = {}
    for path in PROTO.rglob("*.json"):
        document = json.loads(path.read_text())
        store[path.resolve().as_uri()] = document
        if isinstance(document, dict) and "$id" in document:
            store[document["$id"]] = document
    return store


def check(value, path):
    """Validates against a schema file below proto/."""
    file = (PROTO / path).resolve()
    schema = json.loads(file.read_text())
    base = schema.get("$id", file.as_uri())
    resolver = jsonschema.RefResolver(base, schema, store=_store())
    validator = jsonschema.Draft202012Validator(
        schema, resolver=resolver, format_checker=jsonschema.draft202012_format_checker)
    faults = [f"{'/'.join(map(str, fault.absolute_path))}: {fault.message}"
              for fault in validator.iter_errors(value)]
    assert faults == [], (path, faults, value)


class OpenApi:
    def __init__(self):
        self.path = (PROTO / "openapi.json").resolve()
        self.document = json.loads(self.path.read_text())
        self.seen = set()

    def deref(self, node):
        while "$ref" in node:
            file, _, pointer = node["$ref"].partition("#")
            document = json.loads((PROTO / file).read_text()) if file else self.document
            for part in filter(None, pointer.split("/")):
                document = document[part.replace("~1", "/").replace("~0", "~")]
            node = document
        return node

    def operation(self, method, path):
        for template, item in self.document["paths"].items():
            parts, wanted = template.split("/"), path.split("/")
            if len(parts) == len(wanted) and all(
                    a == b or a.startswith("{") for a, b in zip(parts, wanted)):
                if method.lower() in item:
                    self.seen.add((method, template))
                    return item[method.lower()]
        raise AssertionError(f"{method} {path} is not described")

    def check(self, method, path, answer):
        """The status, the content type and the body are among those that are described."""
        responses = self.operation(method, path)["responses"]
        response = responses.get(str(answer.status)) or responses.get(
            f"{answer.status // 100}XX") or responses.get("default")
        assert response, f"{method} {path} {answer.status} is not described"
        response = self.deref(response)
        content = response.get("content")
        if not content:
            assert answer.body == b"", (method, path, answer)
            return
        kind = answer.headers["content-type"].partition(";")[0]
        assert kind in content, f"{method} {path} {answer.status}: {kind} is not described"
        schema = content[kind].get("schema")
        if schema and kind.endswith("json"):
            resolver = jsonschema.RefResolver(self.path.as_uri(), self.document, store=_store())
            faults = [fault.message for fault in jsonschema.Draft202012Validator(
                schema, resolver=resolver).iter_errors(answer.json)]
            assert faults == [], (method, path, faults, answer.json)
