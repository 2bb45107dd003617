/**
 * The path of a request, filled in with values that anybody may have written into a link.
 *
 * A value is one segment, whatever it holds. Only a file's path has several. A segment `.` or `..` would lead elsewhere,
 * to content of somebody else that would be taken for the service's own answer.
 */

/** Return the path; undefined where a value cannot be a part of one. */
export function filled(path: string, values: Readonly<Record<string, string | number>>): string | undefined {
  let possible = true;
  const result = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = String(values[name] ?? "");
    const segments = name === "path" ? value.split("/") : [value];
    possible &&= segments.every((segment) => !["", ".", ".."].includes(segment));
    return segments.map(encodeURIComponent).join("/");
  });
  return possible ? result : undefined;
}
