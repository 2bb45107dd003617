"""Natural mistakes, each with the words of its answer that say what to do (API contract, section 1).

One service takes them all, since none of them may change anything.
"""

import io
import json
import tarfile
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.fake_registry.server import FakeRegistry
from tests.gateway import Answer, Request, multipart
from tests.service import ACME, GLOBEX, PackArchive, Service, running_service
from tests.third_party_images import pack_image

READER = replace(ACME, principal="key:reader", scopes=frozenset())
LAPSED = replace(ACME, principal="key:lapsed", may_create=False)
CURL = '-F archive=@my-pack.tar.gz "$URL"'


@dataclass(frozen=True)
class World:
    """A service with three packs of Acme's: one uploaded, one registered, one cloned."""

    service: Service
    registry: str
    uploaded: str
    registered: str
    cloned: str

    def post(self, path: str, body: bytes, content_type: str | None, **more: Any) -> Answer:
        headers = {"Content-Type": content_type} if content_type else {}
        resource = "/packs/{id}/upload" if path.endswith("/upload") and path != "/packs/upload" else path
        function = {
            "/packs/upload": "upload_pack",
            "/packs/{id}/upload": "reupload_pack",
            "/packs": "create_pack",
        }
        request = Request(
            method="POST",
            resource=resource,
            path=path,
            headers=headers,
            body=body,
            caller=more.get("caller", ACME),
        )
        return self.service.request(function[resource], request)

    def form(self, disposition: str, content: bytes = b"\x1f\x8bx", path: str = "/packs/upload") -> Answer:
        part = f"--b\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode()
        return self.post(path, part + content + b"\r\n--b--\r\n", "multipart/form-data; boundary=b")

    def manifest(self, text: str | bytes) -> Answer:
        content = text.encode() if isinstance(text, str) else text
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w:gz") as archive:
            member = tarfile.TarInfo("pack.yaml")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        return self.service.upload(out.getvalue())

    def pack(self, **fields: Any) -> Answer:
        return self.service.upload(PackArchive(**fields).build())

    def put(self, path: str, content: bytes = b"x", headers: dict[str, str] | None = None) -> Answer:
        request = Request(
            method="PUT",
            resource="/packs/{id}/files/{path+}",
            path=f"/packs/{self.uploaded}/files/{path}",
            headers=headers or {},
            body=content,
            caller=ACME,
        )
        return self.service.request("put_file", request)

    def register(self, body: Mapping[str, Any]) -> Answer:
        return self.service.send("create_pack", "POST", "/packs", json=body)

    def state(self) -> Any:
        return self.service.list_packs().body


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with running_service(api_domain="packs.example") as service, FakeRegistry() as third_party:
        repository = third_party.shelves.repository("team/jira", create=True)
        pack_image(b"name: jira\nversion: 1.0.0\n").shelve(repository, "1.0.0")
        host = urlsplit(third_party.url).netloc
        uploaded = service.upload(PackArchive(name="slack").build()).body["id"]
        registered = service.send(
            "create_pack", "POST", "/packs", json={"image_ref": f"{host}/team/jira:1.0.0"}
        ).body["id"]
        cloned = service.clone(uploaded, name="our-slack").body["id"]
        yield World(service, host, uploaded, registered, cloned)


Mistake = Callable[[World], Answer]

MISTAKES: dict[str, tuple[Mistake, int, str]] = {
    # Forms.
    "JSON where a form is wanted": (
        lambda w: w.post("/packs/upload", b"{}", "application/json"), 415,
        f'Send it so: curl -H "Authorization: Bearer $KEY" {CURL}'
    ),
    "a bare archive": (
        lambda w: w.post("/packs/upload", PackArchive().build(), "application/gzip"), 415, CURL
    ),
    "curl --data-binary": (
        lambda w: w.post("/packs/upload", b"x", "application/x-www-form-urlencoded"), 415,
        "what curl's -d, --data-binary"
    ),
    "curl -T": (lambda w: w.post("/packs/upload", b"x", None), 415, CURL),
    "a Content-Type set by hand": (
        lambda w: w.post("/packs/upload", b"x", "multipart/form-data"), 400, "leave that header to the client"
    ),
    "no @ before the file": (lambda w: w.form('name="archive"', b"x.tgz"), 400, "put @ before the path of the file"),
    "another name for the part": (lambda w: w.form('name="file"; filename="x"'), 400, "did you mean archive?"),
    "no archive": (lambda w: w.form('name="visibility"', b"org"), 400, "as in -F archive=@my-pack.tar.gz"),
    "an empty file": (lambda w: w.form('name="archive"; filename="x"', b""), 400, "tar -czf my-pack.tar.gz my-pack"),
    "visibility public": (
        lambda w: w.service.upload(PackArchive().build(), visibility="public"), 400, "community (all do)"
    ),
    "visibility for a pack that stands": (
        lambda w: w.form('name="visibility"', b"org", f"/packs/{w.uploaded}/upload"), 400,
        "which PATCH /packs/{id} changes"
    ),
    "the encoding of the form": (
        lambda w: w.form('name="_charset_"', b"ISO-8859-1"), 400, "_charset_: must be UTF-8"
    ),
    "an archive that was decoded as text": (
        lambda w: w.service.upload(PackArchive().build().decode(errors="replace").encode()), 400,
        "decoded as text on its way, which destroys it; send its bytes as they are: -F archive=@pack.tar.gz"
    ),
    "an archive that was decoded as text, and is no file": (
        lambda w: w.form('name="archive"', PackArchive().build().decode(errors="replace").encode()), 400,
        "decoded as text on its way"
    ),
    "an archive in base64": (
        lambda w: w.service.upload(b64encode(PackArchive().build())), 400, "is a file in base64; send its bytes"
    ),
    "a folder by its absolute path": (
        lambda w: w.pack(wrapper="home/me/slack/"), 400, "tar -C /home/me/slack -czf pack.tar.gz ."
    ),
    "a folder two levels up": (
        lambda w: w.pack(wrapper="packs/slack/"), 400,
        "there is one in packs/slack/, so pack that folder from inside: tar -C packs/slack -czf pack.tar.gz ."
    ),
    "tar -P": (
        lambda w: w.pack(wrapper="/home/me/slack/"), 400, "the path is absolute; pack from inside the folder (tar -C"
    ),
    ".env": (
        lambda w: w.pack(files={".env": b"TOKEN=x"}), 400,
        "leave it out (tar --exclude=.env): it may hold secrets, and all who see a pack can read its files"
    ),
    "a form for a file": (
        lambda w: w.put("guides/a.md", headers={"Content-Type": "multipart/form-data; boundary=b"}), 400,
        "send the bytes of the file and nothing else (curl -T FILE, --data-binary @FILE)"
    ),
    "a file where none goes": (
        lambda w: w.put("notes.md"), 400, "skills/; move it into guides/, or leave it out"
    ),
    "a folder for a file": (lambda w: w.put("guides"), 400, "guides must be a directory; write guides/ and the name"),
    "a file that is larger than one request": (
        lambda w: w.put("data/a.bin", b"x" * (5 << 20)), 413,
        "A larger file comes with an archive of the whole pack: POST /packs/uploads with"
    ),
    "an archive for one request too large": (
        lambda w: w.form('name="archive"; filename="x"', b"x" * (5 << 20)), 413, "POST /packs/uploads"
    ),
    "an id in lower case": (lambda w: w.service.get(w.uploaded.lower()), 404, "did you mean pack_"),
    "a reference of an image for an id": (
        lambda w: w.service.get("hello-pack:1.0.0"), 404, "GET /packs?q=hello-pack finds it"
    ),
    # pack.yaml.
    "version 1.0": (lambda w: w.manifest("name: x\nversion: 1.0\n"), 400, "write 1.0.0"),
    "version 1.10": (lambda w: w.manifest("name: x\nversion: 1.10\n"), 400, "write 1.10.0"),
    "a version that YAML takes for a number": (lambda w: w.manifest("name: x\nversion: 1e3\n"), 400, "such as 1.4.0"),
    "a date": (lambda w: w.manifest("name: x\nversion: 2024-01-05\n"), 400, "write 2024.1.5"),
    "a time": (lambda w: w.manifest("name: x\nversion: 1:30\n"), 400, "three numbers joined by dots, such as 1.4.0"),
    "a version of Python's": (lambda w: w.manifest("name: x\nversion: 1.0.0beta1\n"), 400, "write 1.0.0-beta1"),
    "a version of .NET's": (lambda w: w.manifest("name: x\nversion: 1.2.3.4\n"), 400, "write 1.2.3+4"),
    "a tag for a version": (lambda w: w.manifest("name: x\nversion: latest\n"), 400, "such as 1.4.0 or 1.4.0-rc.1"),
    "a face as JSON writes it": (
        lambda w: w.manifest('name: x\nversion: 1.0.0\ndescription: "\\ud83d\\ude00"\n'), 400,
        "write the character itself, or \\U0001F600"
    ),
    "version v1.2.3": (lambda w: w.manifest("name: x\nversion: v1.2.3\n"), 400, "write 1.2.3"),
    "My_Pack": (lambda w: w.manifest("name: My_Pack\nversion: 1.0.0\n"), 400, "such as my-pack"),
    "an unknown key": (
        lambda w: w.manifest("name: x\nversion: 1.0.0\ndescripton: z\n"), 400, "did you mean description?"
    ),
    "a conflict that git has marked": (
        lambda w: w.manifest("name: x\n<<<<<<< HEAD\nversion: 1.0.0\n=======\nversion: 1.1.0\n>>>>>>> b\n"), 400,
        "line 2, column 1: git has left this mark at a conflict"
    ),
    "a template that is not filled in": (
        lambda w: w.manifest("name: {{ name }}\nversion: 1.0.0\n"), 400, "a template that nobody has filled in"
    ),
    "a no-break space": (
        lambda w: w.manifest("name: x\nversion:\xa01.0.0\n"), 400, "a no-break space (U+00A0)"
    ),
    "TOML": (lambda w: w.manifest('name = "x"\nversion = "1.0.0"\n'), 400, "has = where YAML has a colon"),
    "quotes of a word processor": (lambda w: w.manifest("name: x\nversion: “1.0.0”\n"), 400, "write 1.0.0"),
    "a key of another system's manifest": (
        lambda w: w.manifest("name: x\nversion: 1.0.0\ntitle: X\n"), 400, "did you mean display_name?"
    ),
    "a license in pack.yaml": (
        lambda w: w.manifest("name: x\nversion: 1.0.0\nlicense: MIT\n"), 400, "put it into the file LICENSE"
    ),
    "visibility in pack.yaml": (
        lambda w: w.manifest("name: x\nversion: 1.0.0\nvisibility: community\n"), 400,
        "it is stated with the upload (-F visibility=community)"
    ),
    "capitals in the keys": (
        lambda w: w.manifest("Name: x\nVersion: 1.0.0\n"), 400, "pack.yaml:Name: is not a known key; did you mean name?"
    ),
    "any host": (
        lambda w: w.pack(name="x", fields={"capabilities": [
            {"name": "a", "type": "b", "allow": [{"domains": ["*"], "methods": ["GET"]}]}
        ]}), 400, "there is no pattern for every host, so name each"
    ),
    "the instructions of a coding agent": (
        lambda w: w.pack(files={"CLAUDE.md": b"x"}), 400, "rename it to behavior.md"
    ),
    "an Agent Skill": (lambda w: w.pack(files={"SKILL.md": b"x"}), 400, "move it into skills/NAME/"),
    "code at the root": (lambda w: w.pack(files={"src/a.py": b"x"}), 400, "move it into scripts/"),
    "a tab": (lambda w: w.manifest("name: x\nversion: 1.0.0\ncapabilities:\n\t- a\n"), 400, "use spaces"),
    "no colon": (lambda w: w.manifest("name: x\nversion 1.0.0\n"), 400, "line 2, column 1: has no colon"),
    "UTF-16 from Notepad": (
        lambda w: w.manifest("name: x\nversion: 1.0.0\n".encode("utf-16")), 400, "UTF-16; save the file as UTF-8"
    ),
    "Latin-1": (
        lambda w: w.manifest("name: x\nversion: 1.0.0\ndescription: é\n".encode("latin-1")), 400,
        "save the file as UTF-8"
    ),
    "an unquoted star": (
        lambda w: w.manifest(
            "name: x\nversion: 1.0.0\ncapabilities:\n- {name: a, type: b, allow: [{domains: [*.x.com]}]}\n"
        ), 400, "put the value in quotes"
    ),
    "a URL for a domain": (
        lambda w: w.pack(name="x", fields={"capabilities": [
            {"name": "a", "type": "b", "allow": [{"domains": ["https://x.com/"], "methods": ["GET"]}]}
        ]}), 400, "write x.com"
    ),
    "U+2028 from a word processor": (
        lambda w: w.manifest("name: x\nversion: 1.0.0\n# a\u2028b\n"), 400, "line 3, column 4: U+2028"
    ),
    # Queries.
    "capitals in a search": (lambda w: w.service.list_packs(q="My_Pack"), 400, "such as my-pack"),
    "yes for true": (lambda w: w.service.list_packs(owned="yes"), 400, "write true"),
    "a misspelled tier": (lambda w: w.service.list_packs(tier="Verifed"), 400, "did you mean verified?"),
    "a page's number": (lambda w: w.service.list_packs(page="2"), 400, "did you mean cursor?"),
    "more than a page": (
        lambda w: w.service.list_packs(limit="1000"), 400, "for more, send the answer's next_cursor as cursor"
    ),
    "a field in the query": (
        lambda w: w.service.send("clone_pack", "POST", f"/packs/{w.uploaded}/clone", query={"name": "mine"}), 400,
        "takes none; its fields go into the body"
    ),
    # Names and ids.
    "the next version of an uploaded pack": (
        lambda w: w.pack(version="2.0.0"), 409, "Send its next version to POST /packs/pack_"
    ),
    "the next version of a registered image": (
        lambda w: w.pack(name="jira", version="2.0.0"), 409, "with PUT /packs/pack_"
    ),
    "the name of a clone": (
        lambda w: w.pack(name="our-slack", version="2.0.0"), 409, "It is a clone, which takes no archive"
    ),
    "a clone without a name of its own": (
        lambda w: w.service.clone(w.uploaded), 409, 'another name, as in {"name": "our-slack"}'
    ),
    "a name where an id goes": (lambda w: w.service.get("slack"), 404, "GET /packs?q=slack finds it"),
    "a name in another spelling": (lambda w: w.service.get("My Slack"), 404, "GET /packs?q=my-slack finds it"),
    "an unknown id": (lambda w: w.service.get("pack_01KB0000000000000000000000"), 404, "GET /packs lists the packs"),
    "a name in a role": (
        lambda w: w.service.set_role("support", ["slack"]), 400, "GET /packs?q=NAME finds them"
    ),
    "objects in a role": (
        lambda w: w.service.set_role("support", [{"id": w.uploaded}]), 400, 'list the ids alone, as in ["pack_'
    ),
    "a role's name for people": (lambda w: w.service.set_role("My Role", []), 400, "such as my-role"),
    "an empty variable for an id": (
        lambda w: w.service.get("null"), 404, "the variable that should hold it was empty or not filled in"
    ),
    "an upload's id for a pack's": (
        lambda w: w.service.get("upl_01KB0000000000000000000000"), 404, "GET /packs/uploads/{upload_id} has the pack's"
    ),
    "one id where a list goes": (lambda w: w.service.set_role("support", w.uploaded), 400, "must be a list of ids"),
    "a role that nobody has made": (
        lambda w: w.service.get_role("support"), 404, "PUT /agent-roles/{role_id}/packs makes one"
    ),
    "another pack's archive": (
        lambda w: w.post(f"/packs/{w.uploaded}/upload", *form_of(PackArchive(name="other"))), 400,
        "must be slack, the name of the pack; another pack goes to POST /packs/upload"
    ),
    "an archive for a registered image": (
        lambda w: w.post(f"/packs/{w.registered}/upload", *form_of(PackArchive(name="jira"))), 400,
        "PUT /packs/{id} moves it to another tag"
    ),
    "a new version by PATCH": (
        lambda w: w.service.send("update_pack", "PATCH", f"/packs/{w.uploaded}", json={"version": "2.0.0"}), 400,
        "it comes from pack.yaml: change it there, and send the pack anew (an archive to POST /packs/{id}/upload"
    ),
    "a new name by PATCH": (
        lambda w: w.service.send("update_pack", "PATCH", f"/packs/{w.uploaded}", json={"name": "x"}), 400,
        "POST /packs/{id}/clone makes one of another name"
    ),
    "packs in a role": (
        lambda w: w.service.send("set_role_packs", "PUT", "/agent-roles/x/packs", json={"pack": []}), 400,
        "pack: is not a field of this request; did you mean pack_ids?"
    ),
    # Images.
    "a misspelled host": (
        lambda w: w.register({"image_ref": "ghcr.invalid/acme/slack:1.0"}), 400,
        "check the host ghcr.invalid, the repository acme/slack and the tag 1.0"
    ),
    "no host": (
        lambda w: w.register({"image_ref": "localhost/acme/slack:1.0"}), 400, "or a host without a public address"
    ),
    "a tag beside the image": (
        lambda w: w.register({"image_ref": "ghcr.io/acme/slack", "tag": "1"}), 400, "it is part of image_ref"
    ),
    "https:// before an image": (
        lambda w: w.register({"image_ref": "https://ghcr.io/acme/slack:1"}), 400,
        "must not begin with https://; leave that out, as in ghcr.io/acme/slack:1"
    ),
    "docker:// before an image": (
        lambda w: w.register({"image_ref": "docker://ghcr.io/acme/slack:1"}), 400, "as in ghcr.io/acme/slack:1"
    ),
    "capitals in a repository": (
        lambda w: w.register({"image_ref": "ghcr.io/Acme/Slack:1.0-RC"}), 400, "as in ghcr.io/acme/slack:1.0-RC"
    ),
    "a command for an image": (
        lambda w: w.register({"image_ref": "docker pull ghcr.io/acme/slack:1.0"}), 400, "as in ghcr.io/acme/slack:1.0"
    ),
    "a tag behind @": (
        lambda w: w.register({"image_ref": "ghcr.io/acme/slack@1.0"}), 400, "a tag follows a colon, as in ghcr.io/acme"
    ),
    "a version with a plus for a tag": (
        lambda w: w.register({"image_ref": "ghcr.io/acme/slack:1.0.0+5"}), 400, "as in ghcr.io/acme/slack:1.0.0_5"
    ),
    "a digest alone": (
        lambda w: w.register({"image_ref": f"sha256:{'a' * 64}"}), 400, "must name a repository, as in ghcr.io/"
    ),
    "backslashes in an image": (
        lambda w: w.register({"image_ref": "ghcr.io\\acme\\slack:1"}), 400, "as in ghcr.io/acme/slack:1"
    ),
    "a folder for an image": (
        lambda w: w.register({"image_ref": "./my-pack"}), 400, "a folder goes to POST /packs/upload, as an archive"
    ),
    "an object in a bucket for an image": (
        lambda w: w.register({"image_ref": "s3://b/my-pack.tar.gz"}), 400, "a folder goes to POST /packs/upload"
    ),
    "a tag alone for a pack that stands": (
        lambda w: w.service.send("replace_pack", "PUT", f"/packs/{w.registered}", json={"image_ref": "1.0.1"}), 400,
        "/team/jira:TAG"
    ),
    "a form where JSON is wanted": (
        lambda w: w.post("/packs", *form_of(PackArchive())), 415, "An archive goes to POST /packs/upload."
    ),
    "Python's None": (
        lambda w: w.post("/packs", b'{"image_ref": None}', "application/json"), 400, "write null for None"
    ),
    "JSON that was encoded twice": (
        lambda w: w.post("/packs", json.dumps('{"image_ref": "x"}').encode(), "application/json"), 400,
        "send the object itself"
    ),
    "the name of a file for JSON": (
        lambda w: w.post("/packs", b"@pack.json", "application/json"), 400, "curl -d @FILE sends what is in it"
    ),
    "a tag that is not there": (
        lambda w: w.register({"image_ref": f"{w.registry}/team/jira:9.9.9"}), 400, "/team/jira:9.9.9 does not exist"
    ),
    "no tag": (
        lambda w: w.register({"image_ref": f"{w.registry}/team/jira"}), 400, "/team/jira:latest does not exist"
    ),
    "another repository for a pack that stands": (
        lambda w: w.service.send(
            "replace_pack", "PUT", f"/packs/{w.registered}", json={"image_ref": f"{w.registry}/team/x:1"}
        ), 400, "/team/jira, as before; only tag or digest may change"
    ),
    "a misspelled field": (
        lambda w: w.register({"image-ref": "x"}), 400, "did you mean image_ref?"
    ),
    "no field at all": (
        lambda w: w.register({}), 400, 'is required, as in {"image_ref": "ghcr.io/acme/slack-pack:1.4.0"}'
    ),
    "curl -d without a type": (
        lambda w: w.post("/packs", b"{}", "application/x-www-form-urlencoded"), 415,
        'curl -H "Content-Type: application/json"'
    ),
    "single quotes in JSON": (lambda w: w.post("/packs", b"{'a': 1}", "application/json"), 400, "use double quotes"),
    # Who asks.
    "a narrow key": (
        lambda w: w.service.upload(PackArchive().build(), READER), 403,
        "lacks the scope caps:write, which this operation needs. API keys of the permission set full_access have it"
    ),
    "an unpaid bill": (
        lambda w: w.service.upload(PackArchive().build(), LAPSED), 423, "reading and deleting still work"
    ),
    "the host of another organisation": (
        lambda w: w.service.send("get_pack", "GET", f"/packs/{w.uploaded}", headers={"Host": "globex.packs.example"}),
        403, "send the request to acme.packs.example"
    ),
    "a pack of another organisation": (
        lambda w: w.service.get(w.uploaded, GLOBEX), 404, "There is no such pack, or you may not use it in this way"
    ),
    "no credential": (
        lambda w: Answer.of(w.service.invoke("get_pack", Request(method="GET", resource="/packs/x").event())), 401,
        "send the header Authorization: Bearer KEY"
    ),
    "an Idempotency-Key with spaces": (
        lambda w: w.service.send("start_upload", "POST", "/packs/uploads", headers={"Idempotency-Key": "a b"}), 400,
        "such as a UUID"
    ),
    "a size in quotes": (
        lambda w: w.service.send("start_upload", "POST", "/packs/uploads", json={"size_bytes": "5"}), 400,
        "without quotes"
    ),
    "an archive that is too large for any way": (
        lambda w: w.service.send("start_upload", "POST", "/packs/uploads", json={"size_bytes": 1 << 40}), 413,
        "Make several packs of it"
    ),
    "an upload that is forgotten": (
        lambda w: w.service.send("get_upload", "GET", "/packs/uploads/upl_01KB0000000000000000000000"), 404,
        "POST /packs/uploads begins one"
    ),
}  # fmt: skip


def form_of(archive: PackArchive) -> tuple[bytes, str]:
    body, headers = multipart({"archive": archive.build()})
    return body, headers["Content-Type"]


@pytest.mark.parametrize(("mistake", "status", "advice"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_answered_with_what_to_do(
    world: World, mistake: Mistake, status: int, advice: str
) -> None:
    before = world.state()

    answer = mistake(world)

    assert answer.status == status
    assert advice in answer.error["message"]
    assert len(json.dumps(answer.body)) < 1500
    assert world.state() == before


def test_the_message_has_the_first_of_several_faults_and_the_number_of_others(world: World) -> None:
    answer = world.manifest("name: My_Pack\nversion: 1.0\ndescripton: x\n")

    assert answer.error["message"].startswith("pack.yaml:name: must be lower-case letters")
    assert answer.error["message"].endswith("(and 2 more, in details.fields)")
    assert len(answer.fields) == 3
