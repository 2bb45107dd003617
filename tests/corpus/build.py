"""Write the corpus: `python -m tests.corpus.build`."""

import json

from tests.corpus.accept_cases import accepted
from tests.corpus.accept_reports import accepted_after_reports
from tests.corpus.cases import ACCEPT_FOLDER, EXPECTED_FILE, REJECT_FOLDER
from tests.corpus.reject_files import rejected_files
from tests.corpus.reject_members import rejected_members
from tests.corpus.reject_reports import rejected_after_reports


def files() -> dict[str, bytes]:
    """The content of every generated file by its path under the corpus folder."""
    rejected = rejected_files() | rejected_members() | rejected_after_reports()
    fields = {name: field for name, (_, field) in sorted(rejected.items())}
    return {
        **{
            f"accept/{name}.tar.gz": archive
            for name, archive in (accepted() | accepted_after_reports()).items()
        },
        **{f"reject/{name}.tar.gz": archive for name, (archive, _) in rejected.items()},
        "expected.json": (json.dumps(fields, indent=1, ensure_ascii=False) + "\n").encode(),
    }


def main() -> None:
    contents = files()
    for stale in (*ACCEPT_FOLDER.glob("*.tar.gz"), *REJECT_FOLDER.glob("*.tar.gz")):
        stale.unlink()
    for name, content in contents.items():
        path = EXPECTED_FILE.parent / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)


if __name__ == "__main__":
    main()
