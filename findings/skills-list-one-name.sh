#!/usr/bin/env bash
# Two skills are installed in folders of their own. The `name` in both SKILL.md files is the same, as when two publishers
# have a skill of that name and the index gives each a name of its own.
#
# Expected: `skills list` shows two skills, since two are installed, and agents read both.
# Seen: it shows one.
#
# Seen with skills 1.7.4 (npm) on Node.js 22. Needs npm.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund node@22 skills@1.7.4 >/dev/null
PATH="$folder/node_modules/.bin:$PATH"
export HOME="$folder/home" DISABLE_TELEMETRY=1 CI=1 NO_COLOR=1
mkdir -p home project/.claude/skills/notes project/.claude/skills/acme-notes
printf -- '---\nname: notes\ndescription: One.\n---\n# One\n' >project/.claude/skills/notes/SKILL.md
printf -- '---\nname: notes\ndescription: Two.\n---\n# Two\n' >project/.claude/skills/acme-notes/SKILL.md

cd project
skills list </dev/null >../told
cat ../told
test "$(grep -c '/\.claude/skills/' ../told)" = 1
echo "as seen before: two are installed, and one is shown"
