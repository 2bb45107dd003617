import type { ComponentChildren } from "preact";
import { Button, ErrorNotice, Loading, type Pages } from "../ui/index.ts";

interface Props<Item> {
  pages: Pages<Item>;
  /** What to show if there is none: what that means, and the next step. */
  empty: ComponentChildren;
  children: (items: readonly Item[]) => ComponentChildren;
}

/** A list that comes page by page, with what is shown before, instead and after. */
export function Listed<Item>({ pages, empty, children }: Props<Item>) {
  const { items, error, loading, more } = pages;
  return (
    <>
      {items !== undefined && (items.length > 0 ? children(items) : !more && empty)}
      {error !== undefined && <ErrorNotice error={error} onRetry={pages.reload} />}
      {loading && <Loading />}
      {more && <div><Button busy={loading} onClick={pages.loadMore}>Show more</Button></div>}
    </>
  );
}
