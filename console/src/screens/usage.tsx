import { call } from "../api.ts";
import { QuotaMeters } from "../parts/quota_meters.tsx";
import { ErrorNotice, Loading, Page, useLoad } from "../ui/index.ts";

export default function UsageScreen() {
  const { data, error, reload } = useLoad((signal) => call("get", "/usage", { signal }), []);
  return (
    <Page title="Usage">
      <p class="muted">What your organisation uses, and of what. The operator of this service sets the limits.</p>
      {error !== undefined && <ErrorNotice error={error} onRetry={reload} />}
      {data === undefined && error === undefined && <Loading />}
      {data && <QuotaMeters usage={data.body} heading="h2" own />}
    </Page>
  );
}
