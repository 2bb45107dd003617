/** Something is being fetched. It shows after a moment only (style.css), so that quick answers do not flicker. */
export function Loading({ what = "Loading" }: { what?: string }) {
  return <p class="loading" role="status">{what}…</p>;
}
