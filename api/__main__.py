"""`make openapi`: writes the document and its page anew."""

from api.artefacts import PROJECT, artefacts

for path, content in artefacts():
    path.write_text(content)
    print(f"wrote {path.relative_to(PROJECT)}")
