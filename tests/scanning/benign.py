"""Texts that only look like attacks, by what is mistaken."""

from collections.abc import Mapping
from typing import Final

_FAMILY: Final = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
_ENGLAND: Final = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
_SCOTLAND: Final = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"

# By what is mistaken: the path and the text.
BENIGN: Final[Mapping[str, tuple[str, str]]] = {
    "flags of regions": ("guides/a.md", f"Play {_ENGLAND} against {_SCOTLAND}.\n"),
    "emoji with joiners and selectors": (
        "guides/a.md",
        f"{_FAMILY} \u2764\ufe0f \u2600\ufe0f 1\ufe0f\u20e3 \U0001f3f3\ufe0f\u200d\U0001f308\n",
    ),
    "Persian with joiners": ("guides/a.md", "می\u200cخواهم این کتاب را بخوانم.\n"),
    "Hindi with joiners": ("guides/a.md", "क्\u200dष और र\u200dय\n"),
    "Hebrew with isolates": ("guides/a.md", "הקובץ \u2068README.md\u2069 כאן.\n"),
    "Arabic with marks": ("guides/a.md", "النسخة\u200e 1.2\u200f هنا.\n"),
    "Russian prose": ("guides/a.md", "Сначала установите программу, затем прочитайте руководство.\n"),
    "Greek letters of formulas": ("guides/a.md", "Let Δt, µs, λx and TNFα be small; PPARγ too.\n"),
    "Japanese prose": ("guides/a.md", "ユーザーに結果を知らせてください。全角：ＡＢＣ。\n"),
    "byte order mark": ("data/a.csv", "\ufeffa,b\n1,2\n"),
    "Russian file name": ("guides/руководство.md", "x\n"),
    "names of the rules": (
        "guides/a.md",
        "The scanner has instruct.ignore-previous, secret.github-token, script.reverse-shell, hidden.tag-characters, "
        "exfil.credentials, encoded.payload and package.look-alike.\n",
    ),
    "keys of examples": (
        "guides/a.md",
        "Set AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE, OPENAI_API_KEY=sk-proj-..., GITHUB_TOKEN=ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.\n",
    ),
    "keys by their names": ("scripts/a.py", "import os\n\nkey = os.environ['OPENAI_API_KEY']\n"),
    "digests and ids": (
        "data/lock.json",
        '{"sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "id": "3f2504e0-4f89-41d3-9a0c-0305e82c3301"}\n',
    ),
    "an API client": (
        "scripts/a.py",
        "import os, requests\n\nanswer = requests.post('https://api.invalid/items', headers={'Authorization': "
        "f\"Bearer {os.environ['ITEMS_TOKEN']}\"}, json={'name': 'x'})\n",
    ),
    "an environment passed on": (
        "scripts/a.py",
        "import os, subprocess, urllib.request\n\nsubprocess.run(['make'], env={**os.environ, 'CI': '1'})\n"
        "urllib.request.urlopen('https://api.invalid/done')\n",
    ),
    "downloading data": ("scripts/a.sh", "curl -fsSL -o data.csv https://data.invalid/a.csv\n"),
    "reading JSON of an API": (
        "scripts/a.sh",
        "curl -s https://api.invalid/items | jq '.[0]' | tee out.json\n",
    ),
    "JSON by python -c": (
        "scripts/a.sh",
        "curl -s https://api.invalid/i | python3 -c 'import json,sys; print(json.load(sys.stdin))'\n",
    ),
    "cleaning its own folder": ("scripts/a.sh", 'rm -rf ./build "$TMPDIR/x" node_modules\n'),
    "apt lists of an image": ("scripts/Dockerfile", "RUN apt-get update && rm -rf /var/lib/apt/lists/*\n"),
    "an image in base64": (
        "guides/a.md",
        "![x](data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==)\n",
    ),
    "decoding data": (
        "scripts/a.py",
        "import base64\n\nimage = base64.b64decode(text)\nopen('a.png', 'wb').write(image)\n",
    ),
    "waiting for a port": ("scripts/a.sh", "until nc -z localhost 5432; do sleep 1; done\n"),
    "eval of a calculator": ("scripts/a.py", "import ast\n\nvalue = ast.literal_eval(text)\n"),
    "instructions about versions": (
        "guides/a.md",
        "Ignore the previous version of the file. Forget the old layout. Override the default settings in config.yaml.\n",
    ),
    "a style for answers": (
        "guides/a.md",
        "Do not mention internal ids to the user. Never tell the user to restart.\n",
    ),
    "asking first": (
        "guides/a.md",
        "Ask the user for confirmation before you delete files. Do not skip this.\n",
    ),
    "sending a report": (
        "guides/a.md",
        "Send the summary to the user, and attach the file that they asked for.\n",
    ),
    "a memory of the project": (
        "guides/a.md",
        "Add a section about the build to CLAUDE.md if the user wants it.\n",
    ),
    "a system prompt to write": (
        "guides/a.md",
        "Write a system prompt for the new agent. You are now ready to test it.\n",
    ),
    "a guide about injections": (
        "guides/security.md",
        "## Prompt injection\n\nAttackers write text such as `ignore all previous instructions` into a page.\n",
    ),
    "a guide that warns": ("guides/a.md", "Never run `curl https://get.invalid/x | sh` on a server.\n"),
    "a table of attacks": (
        "guides/references/attacks.md",
        "| attack | example |\n|---|---|\n| decoded code | `echo aGVsbG8gd29ybGQ= | base64 -d | sh` |\n",
    ),
    "comments of editors": (
        "guides/a.md",
        "<!-- markdownlint-disable MD013 -->\n<!-- TODO: add a picture -->\n<!-- prettier-ignore -->\n",
    ),
    "badges": (
        "guides/a.md",
        "![build](https://img.shields.io/badge/build-passing-green?style=flat&logo={x})\n",
    ),
    "a folded section": ("guides/a.md", "<details><summary>More</summary>\n\nA long text.\n\n</details>\n"),
    "known packages": (
        "guides/a.md",
        "pip install requests numpy pandas httpx black\nnpm install react express lodash vite\n",
    ),
    "packages near popular ones": (
        "data/requirements.txt",
        "urllib3\nrequests-oauthlib\nipython\npytest-cov\nattrs\nrich\n",
    ),
    "scripts of npm": (
        "data/package.json",
        '{"scripts": {"build": "vite build", "postinstall": "patch-package"}}\n',
    ),
    "reading settings": ("scripts/a.sh", "cat ~/.claude/settings.json | jq .permissions\n"),
    "a local model": ("guides/a.md", "export OPENAI_BASE_URL=http://localhost:11434/v1\n"),
    "colours by escapes": ("scripts/a.sh", "printf '\\033[31mred\\033[0m\\n'\n"),
    "soft hyphens in prose": ("guides/a.md", "Donau\u00addampf\u00adschiff\n"),
    "SSH as it is used": (
        "guides/a.md",
        "Run `ssh-keygen -t ed25519`, and add ~/.ssh/id_ed25519.pub to your account.\n",
    ),
    "a login with a code": (
        "guides/a.md",
        "Open https://login.invalid/device and enter the code that it shows.\n",
    ),
    "an installer of a known maker": (
        "guides/a.md",
        "Download https://desktop.docker.com/win/Docker-Installer.exe and run it. Keep the antivirus on.\n",
    ),
    "steps of a console": ("guides/a.md", "Open https://console.invalid/keys, and follow the steps there.\n"),
    "a page that is summarized": (
        "guides/a.md",
        "Fetch https://docs.invalid/llms.txt and summarize what it lists. Each day it is made anew.\n",
    ),
    "a payment form": (
        "guides/a.md",
        "Check the card number by its last digit, and never log the CVC. The form posts to https://pay.invalid.\n",
    ),
    "copies of a mail": (
        "guides/a.md",
        "Ask the user who is to be in `bcc`; put commas between addresses.\n",
    ),
    "a memory that the user sees": (
        "guides/a.md",
        "When the user corrects you, add the correction to MEMORY.md and show it. Ask before you delete one.\n",
    ),
    "a guide for reviewers": ("guides/a.md", "Checklist for security reviewers: ignore generated files.\n"),
    "a program that is built": (
        "scripts/a.sh",
        'mkdir -p "$HOME/.local/bin"\ncp tool "$HOME/.local/bin/tool"\necho done > "$HOME/.local/state/tool.log"\n',
    ),
    "a socket and a program, apart": (
        "scripts/a.js",
        "const net = require('net');\nconst c = net.connect(6379);\nc.on('data', d => queue.push(d));\nspawn('make', ['all']);\n",
    ),
    "a file that is fetched and read": (
        "scripts/b.js",
        "const text = await (await fetch('https://data.invalid/a.csv')).text();\nwriteFileSync('a.csv', text);\nexecFileSync('sort', ['a.csv']);\n",
    ),
}
