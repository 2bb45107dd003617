const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** A size for people: `1.5 MiB`. */
export function bytes(size: number): string {
  let shown = size;
  let unit = 0;
  while (shown >= 1024 && unit < UNITS.length - 1) {
    shown /= 1024;
    unit += 1;
  }
  return `${unit && shown < 10 ? shown.toFixed(1) : Math.round(shown)} ${UNITS[unit]}`;
}
