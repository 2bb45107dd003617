import { base } from "../../api.ts";
import { CopyLine } from "../../ui/index.ts";
import type { PackPart } from "./shown_pack.ts";

/** What to do with a pack, as commands to copy. */
export function Use({ pack }: PackPart) {
  const name = pack.owned ? pack.name : pack.id;
  const pinned = `${pack.image_ref.replace(/@.*$/, "").replace(/:[^/:]*$/, "")}@${pack.image_digest}`;
  const steps: readonly { title: string; why: string; command: string }[] = [
    {
      title: "Log in",
      why: "Once on each machine. It asks for a key, and keeps it in the system’s key ring.",
      command: `packyard login ${base().href.replace(/\/$/, "")}`,
    },
    {
      title: "Attach it to a role",
      why: "The role pins the present revision. A later one comes to it only when somebody moves the pin.",
      command: `packyard roles attach my-role ${name}`,
    },
    {
      title: "Install what the role pins",
      why: "Each byte is checked against the pins before it is written.",
      command: "packyard install my-role --into ./packs",
    },
    {
      title: "Mount it in Kubernetes",
      why: "Writes a manifest whose image volumes are pinned by digest.",
      command: "packyard roles manifest my-role --format kubernetes --image registry.example/agent:1",
    },
    { title: "Name its image", why: "For anything that speaks OCI: this reference never moves.", command: pinned },
    ...(pack.owned
      ? [
          {
            title: "Publish its next version",
            why: "In the pack’s folder. Only what has changed is sent.",
            command: "packyard push .",
          },
        ]
      : [
          {
            title: "Make it yours",
            why: "Copies it into your organisation, where you can change it.",
            command: `packyard clone ${pack.id}`,
          },
        ]),
  ];
  return (
    <section class="stack" aria-labelledby="use">
      <h2 id="use">Use it</h2>
      <ol class="stack">
        {steps.map(({ title, why, command }) => (
          <li key={title} class="stack close">
            <h3>{title}</h3>
            <p class="muted">{why}</p>
            <CopyLine text={command} what={`the command: ${title.toLowerCase()}`} />
          </li>
        ))}
      </ol>
    </section>
  );
}
