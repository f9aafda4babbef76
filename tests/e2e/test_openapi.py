"""What a desk gets is what proto/openapi.json says, in success and in failure."""

import pytest

from harness.holder import Holder
from harness.schema import OpenApi, check


@pytest.fixture(scope="module")
def api():
    return OpenApi()


def test_answers_are_as_described(api, world):
    home, host = world.pair()
    desk = host.desk()
    holder = Holder()
    issued = home.issue(home.member("Ana Martins"), holder)
    paper = home.issue(home.member("Paper Person"))

    def call(method, path, body=None, client=desk, **options):
        answer = client.request(method, path, body, **options)
        api.check(method, path, answer)
        return answer

    verify, checkin, checkout = "/api/v1/verify", "/api/v1/checkin", "/api/v1/checkout"
    admitted = call("POST", verify, {"token": holder.present(issued["token"], host.url)}).json
    check(admitted, "schemas/verdict.json")
    check(call("POST", verify, {"token": "hello", "explain": True}).json, "schemas/verdict.json")
    visit = call("POST", checkin, {"verification": admitted["verification"]},
                 headers={"Idempotency-Key": "k-1"})
    assert visit.status == 201
    check(visit.json, "schemas/visit.json")
    assert call("POST", checkin, {"verification": admitted["verification"]},
                headers={"Idempotency-Key": "k-1"}).status == 200
    assert call("POST", checkin, {"token": paper["token"]},
                headers={"Idempotency-Key": "k-1"}).status == 409
    assert call("POST", checkin, {"token": paper["token"]}).status == 403
    assert call("POST", checkin, {"token": "hello"}).status == 403
    assert call("POST", checkin, {}).status == 400
    assert call("POST", checkin, {"verification": "ver_none"}).status == 404
    out = call("POST", checkout, {"visit": visit.json["visit"]})
    check(out.json, "schemas/visit.json")
    assert call("POST", checkout, {"visit": visit.json["visit"]}).status == 409
    assert call("POST", checkout, {"visit": "vis_none"}).status == 404
    stranger = host.client("cmt_" + "A" * 43)
    for path, body in ((verify, {"token": "x"}), (checkin, {"token": "x"}),
                       (checkout, {"visit": "vis_x"})):
        assert call("POST", path, body, client=stranger).status == 401
    integration = host.desk("books", role="integration")
    assert call("POST", checkin, {"token": "x"}, client=integration).status == 403
    assert call("POST", verify, {"token": "x"}, client=integration).status == 200
    for path in ("/.well-known/openid-federation", "/.well-known/jwt-vc-issuer", "/status/0",
                 "/healthz", "/p"):
        assert call("GET", path).status == 200
    assert call("GET", "/status/3").status == 404

    # nothing is described that was not called here, but the nodes' own call and the page's files
    described = {(method.upper(), path) for path, item in api.document["paths"].items()
                 for method in item if method in ("get", "post", "put", "delete")}
    assert {(m, p) for m, p in described - api.seen
            if not p.startswith(("/node/", "/p."))} == set()


def test_the_description_is_one(api):
    document = api.document
    assert document["openapi"].startswith("3.1") and document["info"]["version"]
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in ("get", "post"):
                assert operation["responses"], (method, path)
                assert operation.get("operationId") or operation.get("summary"), (method, path)
