import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

interface Props<Item> {
  label: string;
  items: readonly Item[];
  /** The same for each row, in pixels. */
  rowHeight: number;
  itemKey: (item: Item) => string;
  /** The index of a row to bring into view when it changes; -1 for none. */
  here?: number;
  children: (item: Item) => ComponentChildren;
}

const BEYOND = 8;

/**
 * A list of which only the rows in view are in the document, so that thousands scroll as smoothly as ten.
 *
 * A row that has the focus stays in the document while it is out of view: otherwise the focus would be lost.
 */
export function VirtualList<Item>({ label, items, rowHeight, itemKey, here = -1, children }: Props<Item>) {
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ from: 0, to: 40 });
  const [focused, setFocused] = useState<number>();

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const measure = () => {
      const from = Math.floor(element.scrollTop / rowHeight) - BEYOND;
      const to = Math.ceil((element.scrollTop + element.clientHeight) / rowHeight) + BEYOND;
      setView((before) => (before.from === from && before.to === to ? before : { from, to }));
    };
    const sizes = new ResizeObserver(measure);
    sizes.observe(element);
    element.addEventListener("scroll", measure, { passive: true });
    return () => {
      sizes.disconnect();
      element.removeEventListener("scroll", measure);
    };
  }, [rowHeight]);

  useEffect(() => {
    const element = box.current;
    if (!element || here < 0) return;
    const above = here * rowHeight - element.scrollTop;
    if (above < 0 || above + rowHeight > element.clientHeight) {
      element.scrollTop = here * rowHeight - element.clientHeight / 2;
    }
  }, [here]);

  const shown = [];
  for (let index = Math.max(0, view.from); index < Math.min(items.length, view.to); index += 1) shown.push(index);
  if (focused !== undefined && focused < items.length && !shown.includes(focused)) shown.push(focused);
  // The keyboard follows the order of the document.
  shown.sort((one, other) => one - other);

  return (
    <div class="virtual" ref={box} onBlurCapture={() => setFocused(undefined)}>
      <ul aria-label={label} style={{ height: `${items.length * rowHeight}px` }}>
        {shown.map((index) => {
          const item = items[index] as Item;
          return (
            <li
              key={itemKey(item)}
              aria-setsize={items.length}
              aria-posinset={index + 1}
              style={{ top: `${index * rowHeight}px`, height: `${rowHeight}px` }}
              onFocusCapture={() => setFocused(index)}
            >
              {children(item)}
            </li>
          );
        })}
      </ul>
    </div>
  );
}
