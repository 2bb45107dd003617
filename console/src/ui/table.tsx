import type { ComponentChildren } from "preact";

export interface Column<Row> {
  title: string;
  cell: (row: Row) => ComponentChildren;
  /** The column that names the row. */
  names?: boolean;
  /** The column has buttons, which say themselves what they do: its title is read out only. */
  acts?: boolean;
}

interface Props<Row> {
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string | number;
}

/** A table that scrolls by itself where the window is narrow. On a phone each row becomes a block (style.css). */
export function Table<Row>({ caption, columns, rows, rowKey }: Props<Row>) {
  return (
    <div class="table" role="region" aria-label={caption} tabIndex={0}>
      <table>
        <caption class="unseen">{caption}</caption>
        <thead>
          <tr>
          {columns.map((column) => (
            <th key={column.title} scope="col">{column.acts ? <span class="unseen">{column.title}</span> : column.title}</th>
          ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)}>
              {columns.map((column) =>
                column.names ? (
                  <th key={column.title} scope="row" data-title={column.title}>{column.cell(row)}</th>
                ) : (
                  <td key={column.title} data-title={column.acts ? undefined : column.title}>{column.cell(row)}</td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
