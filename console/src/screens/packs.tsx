import { go, link, type Route } from "../router.ts";
import { CopyLine, Empty, ErrorNotice, Loading, Page } from "../ui/index.ts";
import { PackCard } from "./packs/card.tsx";
import { Filters, type Wanted, wanted } from "./packs/filters.tsx";
import { type Found, useFound } from "./packs/found.ts";
import { useStaleRoles } from "./packs/stale_roles.ts";

export default function Packs({ route }: { route: Route }) {
  const asked = wanted(route.query);
  const cursor = route.query.get("cursor");
  const { last, error, loading, again } = useFound(cursor ? { ...asked, cursor } : asked);
  const data = last?.answer;
  const stale = useStaleRoles();
  return (
    <Page title="Packs" beside={<a class="button primary" href={link(["upload"])}>Upload a pack</a>}>
      <Filters route={route} />
      <p class="muted summary" role="status">{last && summary(last.answer, last.question)}</p>
      {error !== undefined && <ErrorNotice error={error} onRetry={again} />}
      {data === undefined && loading && <Loading what="Loading packs" />}
      {data && data.packs.length > 0 && (
        <ul class="cards" aria-label="Packs" aria-busy={loading}>
          {data.packs.map((pack) => <PackCard key={pack.id} pack={pack} staleRoles={stale.byPack.get(pack.id) ?? 0} />)}
        </ul>
      )}
      {last && data?.packs.length === 0 && <None asked={last.question} more={data.next_cursor !== undefined} />}
      {last && (
        <nav class="row" aria-label="Pages of the list">
          {last.question.cursor && <a class="button" href={link(["packs"], { ...last.question, cursor: "" })}>First page</a>}
          {data?.next_cursor && (
            <a class="button" href={link(["packs"], { ...last.question, cursor: data.next_cursor })}>Next page</a>
          )}
        </nav>
      )}
      {stale.error !== undefined && (
        <section class="stack close" aria-label="Roles that are stale">
          <p>Which packs are stale in your roles is not known:</p>
          <ErrorNotice error={stale.error} />
        </section>
      )}
    </Page>
  );
}

function summary({ packs, next_cursor }: Found, asked: Wanted): string {
  const count = packs.length === 1 ? "1 pack" : `${packs.length} packs`;
  const matching = asked.search ? ` for “${asked.search}”, best first` : "";
  return `${count}${matching}${next_cursor ? ". More follow on the next page." : "."}`;
}

function None({ asked, more }: { asked: Wanted; more: boolean }) {
  if (more) return <Empty title="None of the packs looked at so far matches. Others follow on the next page." />;
  if (Object.keys(asked).length > 0) {
    return (
      <Empty title="No pack matches.">
        <p>All words must be in a pack’s name, description or category; the last one may be unfinished.</p>
        <p><button type="button" class="button" onClick={() => go(["packs"])}>Show all packs</button></p>
      </Empty>
    );
  }
  return (
    <Empty title="There are no packs yet.">
      <p>A pack is a folder with a <code>pack.yaml</code>, or an Agent Skill with its <code>SKILL.md</code>.</p>
      <p><a href={link(["upload"])}>Drop a folder or an archive here</a>, or publish one by the command:</p>
      <CopyLine text="packyard push my-pack" what="the command" />
    </Empty>
  );
}
