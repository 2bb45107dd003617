/** What to type for one client. */
export interface DoorCommand {
  client: string;
  command: string;
  note?: string;
}

/** What to type for each client that reads feeds, as `packyard feeds create` prints it (docs/use/feeds.md). */
export function doorCommands(url: string): readonly DoorCommand[] {
  const { host, pathname } = new URL(url);
  const secret = pathname.replace(/\/+$/, "").split("/").pop() ?? "";
  return [
    {
      client: "Agent Skills",
      command: `DISABLE_TELEMETRY=1 npx skills add ${url} -a claude-code`,
      note:
        "Without DISABLE_TELEMETRY=1, this client sends the address, and so its secret, to www.skills.sh. It also writes " +
        "the address into skills-lock.json: do not commit that file. Without -a it installs for every agent that it knows.",
    },
    { client: "Claude Code", command: `claude plugin marketplace add ${url}marketplace.json` },
    {
      client: "ClawHub",
      command: `CLAWHUB_DISABLE_TELEMETRY=1 CLAWHUB_REGISTRY=${url.replace(/\/+$/, "")} clawhub explore`,
    },
    { client: "MCP", command: `claude mcp add --transport http packyard ${url}mcp` },
    { client: "a runtime", command: `curl -fsS ${url}lock.json` },
    {
      client: "an air-gapped site",
      command: `while [ $(curl -sSL -o bundle.tar -w '%{http_code}' ${url}bundle.tar) = 202 ]; do sleep 5; done`,
      note: "It is made at the first request: the answer is 202 until it is ready.",
    },
    {
      client: "container tools",
      command: `echo ${secret} | skopeo login --username feed --password-stdin ${host}`,
      note: "With a distribution door of its own host (parameter DoorHost), log in at that host.",
    },
  ];
}
