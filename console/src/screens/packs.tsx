import { call } from "../api.ts";
import { link, type Route } from "../router.ts";
import { ErrorNotice, Loading, Page, useLoad } from "../ui/index.ts";

export default function Packs({ route }: { route: Route }) {
  const search = route.query.get("search") ?? undefined;
  const { data, error, reload } = useLoad(
    (signal) => call("get", "/packs", { query: search ? { search } : {}, signal }),
    [search],
  );
  return (
    <Page title="Packs">
      {error !== undefined && <ErrorNotice error={error} onRetry={reload} />}
      {data === undefined && error === undefined && <Loading />}
      <ul>
        {data?.body.packs.map((pack) => (
          <li key={pack.id}><a href={link(["packs", pack.id])}>{pack.display_name}</a></li>
        ))}
      </ul>
    </Page>
  );
}
