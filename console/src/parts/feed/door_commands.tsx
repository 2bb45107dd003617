import { CopyLine } from "../../ui/index.ts";
import { doorCommands } from "./commands.ts";

/** What to type for each client, each ready to copy. */
export function DoorCommands({ url }: { url: string }) {
  return (
    <div class="stack">
      {doorCommands(url).map(({ client, command, note }) => (
        <div key={client} class="stack close">
          <h3>For {client}</h3>
          {note && <p class="small-text">{note}</p>}
          <CopyLine text={command} what={`the command for ${client}`} />
        </div>
      ))}
    </div>
  );
}
